"""The info string of a rule fence: `decide=hold points=2 expires="1 year"`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from comity.agreement.durations import read_duration, read_expiry
from comity.agreement.ladders import MOST_POINTS, read_channels
from comity.agreement.problems import Misread, Problems, nearest, quoted
from comity.agreement.source import Excerpt
from comity.model.clause import Clean, Counts, Decide, Expiry
from comity.model.duration import Duration
from comity.model.ids import Channel

NAMES: Final = ("decide", "points", "expires", "once", "counts", "category", "on")
CATEGORIES: Final = (
    "ANIMAL_WELFARE",
    "CONSUMER_INFORMATION",
    "CYBER_VIOLENCE",
    "CYBER_VIOLENCE_AGAINST_WOMEN",
    "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS",
    "ILLEGAL_OR_HARMFUL_SPEECH",
    "INTELLECTUAL_PROPERTY_INFRINGEMENTS",
    "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
    "NOT_SPECIFIED_NOTICE",
    "OTHER_VIOLATION_TC",
    "PROTECTION_OF_MINORS",
    "RISK_FOR_PUBLIC_SECURITY",
    "SCAMS_AND_FRAUD",
    "SELF_HARM",
    "UNSAFE_AND_PROHIBITED_PRODUCTS",
    "VIOLENCE",
)
"""Categories of statements in the EU DSA Transparency Database, without `STATEMENT_CATEGORY_`."""

_PREFIX: Final = "STATEMENT_CATEGORY_"
_WORD: Final = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+|["']\S*""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What a rule fence says; None where it says nothing. `places` are the values' places by name."""

    decide: Decide | None = None
    points: int = 1
    expires: Expiry | None = None
    once: Duration | None = None
    counts: Counts | None = None
    category: str | None = None
    channels: frozenset[Channel] | None = None
    places: Mapping[str, Excerpt] = field(default_factory=dict)


def read_attributes(info: Excerpt, channels: tuple[Channel, ...], problems: Problems) -> Attributes:
    """The attributes of a fence; those that cannot be read are reported and left out."""
    values = dict(_values(info, problems))
    reader = _Reader(values, problems)
    return Attributes(
        decide=reader.decide(),
        points=reader.points(),
        expires=reader.expires(),
        once=reader.once(),
        counts=reader.counts(),
        category=reader.category(),
        channels=read_channels(values["on"], channels, problems) if "on" in values else None,
        places=values,
    )


def _values(info: Excerpt, problems: Problems) -> Iterator[tuple[str, Excerpt]]:
    seen: set[str] = set()
    for match in _WORD.finditer(info.text):
        word = info.part(match.start(), match.end())
        name, equals, value = word.text.partition("=")
        if name not in NAMES:
            help = nearest(name, NAMES)
            problems.error("C068", word.part(0, len(name)), f"unknown rule attribute {quoted(name)}", help=help)
        elif name in seen:
            problems.error("C068", word, f"the attribute `{name}` is given twice", help="keep one of them")
        elif not equals or not value.strip("\"'"):
            problems.error("C069", word, f"the attribute `{name}` has no value", help=f"write `{name}=...`")
        else:
            seen.add(name)
            quote = 1 if value[0] in "\"'" and value[-1] == value[0] and len(value) > 1 else 0
            start = len(name) + 1
            yield name, word.part(start + quote, start + len(value) - quote)


class _Reader:
    def __init__(self, values: Mapping[str, Excerpt], problems: Problems) -> None:
        self._values = values
        self._problems = problems

    def decide(self) -> Decide | None:
        found = self._one_of("decide", tuple(Decide))
        return Decide(found) if found else None

    def counts(self) -> Counts | None:
        found = self._one_of("counts", tuple(Counts))
        return Counts(found) if found else None

    def category(self) -> str | None:
        found = self._one_of("category", (*CATEGORIES, *(_PREFIX + category for category in CATEGORIES)))
        return found.removeprefix(_PREFIX) if found else None

    def points(self) -> int:
        at = self._values.get("points")
        if at is None:
            return 1
        if re.fullmatch(r"[0-9]{1,7}", at.text) and int(at.text) <= MOST_POINTS:
            return int(at.text)
        help = f"a whole number from 0 to {MOST_POINTS:,}"
        self._problems.error("C069", at, f"{quoted(at.text)} is not a number of points", help=help)
        return 1

    def expires(self) -> Expiry | None:
        at = self._values.get("expires")
        if at is None:
            return None
        expiry = read_expiry(at.text)
        if isinstance(expiry, Clean):
            expiry = Misread(
                message="the points of one clause cannot wait for a clean time",
                help="write a duration or `never`; `points_expire` in the front matter may say `clean`",
            )
        if not isinstance(expiry, Misread):
            return expiry
        self._problems.misread("C069", at, expiry)
        return None

    def once(self) -> Duration | None:
        """No time at all turns it off, also where it would be a day by default."""
        at = self._values.get("once")
        if at is None:
            return None
        once = read_duration(at.text, zero=True)
        if not isinstance(once, Misread):
            return once
        self._problems.misread("C069", at, once)
        return None

    def _one_of(self, name: str, known: tuple[str, ...]) -> str | None:
        at = self._values.get(name)
        if at is None:
            return None
        if at.text in known:
            return at.text
        help = nearest(at.text, [one for one in known if not one.startswith(_PREFIX)])
        self._problems.error("C069", at, f"`{name}` cannot be {quoted(at.text)}", help=help)
        return None
