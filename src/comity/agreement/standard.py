"""What rules use of CEL's own functions: those that cannot fail once their arguments are checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardFunction:
    """A function of CEL's own. `forms` are calls as one writes them."""

    name: str
    forms: tuple[str, ...]
    doc: str


STANDARD: Final = {
    function.name: function
    for function in (
        StandardFunction(name="size", forms=("text.size()", "size(links)"), doc="characters, entries or bytes"),
        StandardFunction(name="contains", forms=('text.contains("a")',), doc="whether the string holds another, as is"),
        StandardFunction(name="startsWith", forms=('text.startsWith("a")',), doc="whether it begins so"),
        StandardFunction(name="endsWith", forms=('text.endsWith("a")',), doc="whether it ends so"),
        StandardFunction(
            name="matches",
            forms=('text.matches("a+")', 'matches(text, "a+")'),
            doc="whether an RE2 pattern occurs in it",
        ),
        StandardFunction(name="getFullYear", forms=("sent.getFullYear()",), doc="the year"),
        StandardFunction(name="getMonth", forms=("sent.getMonth()",), doc="the month, from 0 for January"),
        StandardFunction(name="getDate", forms=("sent.getDate()",), doc="the day of the month, from 1"),
        StandardFunction(name="getDayOfMonth", forms=("sent.getDayOfMonth()",), doc="the day of the month, from 0"),
        StandardFunction(
            name="getDayOfWeek", forms=("sent.getDayOfWeek()",), doc="the day of the week, from 0, Sunday"
        ),
        StandardFunction(name="getDayOfYear", forms=("sent.getDayOfYear()",), doc="the day of the year, from 0"),
        StandardFunction(
            name="getHours",
            forms=('sent.getHours("Europe/Berlin")', "author.age.getHours()"),
            doc="the hour of the day, or a duration's hours",
        ),
        StandardFunction(
            name="getMinutes",
            forms=("sent.getMinutes()", "author.age.getMinutes()"),
            doc="the minute of the hour, or a duration's minutes",
        ),
        StandardFunction(
            name="getSeconds",
            forms=("sent.getSeconds()", "author.age.getSeconds()"),
            doc="the second of the minute, or a duration's seconds",
        ),
        StandardFunction(
            name="getMilliseconds",
            forms=("sent.getMilliseconds()", "author.age.getMilliseconds()"),
            doc="the milliseconds of the second",
        ),
    )
}

CONVERSIONS: Final = frozenset({"int", "uint", "double", "string", "bytes", "bool", "timestamp", "duration"})
"""CEL's conversions, for literals alone: `timestamp("2026-01-01T00:00:00Z")`."""

MACROS: Final = frozenset({"all", "exists", "exists_one", "filter", "map"})
"""CEL's macros over lists: `links.exists(l, l.startsWith("http:"))`."""
