"""What evidence says, in its reader's words: `links in the message: 4 (more than 3)` for `links.size()`.

A part of a rule that has no words in `Language.features` stays as the agreement writes it, in quotes. Nothing is
parsed: an expression has words only if all of it is one of them, but for one time span (`d`) and one name (`key`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from comity.casework.languages import Language
from comity.casework.spoken import dated, decimal, duration, span
from comity.model.duration import Duration, Unit
from comity.model.finding import Evidence, Passage, Value

_SPACE: Final = re.compile(r"""("[^"]*"|'[^']*')|\s+""")
_SIZE_OF: Final = re.compile(r"size\((\w+)\)")
_ELEMENT: Final = re.compile(r"(\w+) in (.+)", re.DOTALL)
_WINDOW: Final = re.compile(r"\b(second|minute|hour|day)s\((\d+)\)")
_NAME: Final = re.compile(r"""(?<!r)(["'])([^"'\\]*)\1""")
_SEARCH: Final = re.compile(r"""\w+\.(says|saysAny|under|matches|contains)\(r?(["'])(.*?)\2\)(?:: (.*))?""", re.DOTALL)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_NUMBER: Final = re.compile(r"-?\d{1,30}(\.\d{1,30})?(e[+-]?\d{1,2})?")
_OLDEST: Final = "36500 days"
"""What the age of an account is taken for that nobody knows."""


def reasons(evidence: Iterable[Evidence], texts: Mapping[str, str], zone: ZoneInfo, say: Language) -> Iterator[str]:
    """A phrase for each piece of a breach's evidence, once. `texts`: the message's, by the name of the field."""
    yield from dict.fromkeys(_reasons(evidence, texts, zone, say))


def _reasons(evidence: Iterable[Evidence], texts: Mapping[str, str], zone: ZoneInfo, say: Language) -> Iterator[str]:
    told = dict[str, str]()
    for each in evidence:
        match each:
            case Passage():
                yield _found(each, texts, say)
            case Value(expression=expression, value=value) if told.get(expression) != value:
                yield measured(each, zone, say)
                element = _ELEMENT.fullmatch(expression)
                if element:  # what the rule then asks of it, beginning with itself, is no news
                    told[element[1]] = value


def measured(one: Value, zone: ZoneInfo, say: Language) -> str:
    """`age of your account: 2 days (less than 7 days)`; without words `“share(a, b)”: 0.5 (more than 0.3)`."""
    key, feature = _feature(one.expression, say)
    order, _, than = one.against.partition(" ")
    compared = say.orders[order].format(than=_shown(key, than, zone, say)) if than else ""
    sentence = say.feature_compared if compared else say.feature_is
    return sentence.format(feature=feature, value=_shown(key, one.value, zone, say), compared=compared)


def _feature(expression: str, say: Language) -> tuple[str, str]:
    """What `Language.features` calls the expression, with `d` for its window and `key` for its name; and its words."""
    element = _ELEMENT.fullmatch(expression)
    key = f"in {element[2]}" if element else _SIZE_OF.sub(r"\1.size()", _SPACE.sub(r"\1", expression))
    window, name = _WINDOW.search(key), _NAME.search(key)
    within = duration(Duration(count=int(window[2]), unit=Unit(window[1])), say) if window else ""
    key = _NAME.sub("key", _WINDOW.sub("d", key, count=1), count=1)
    words = say.features.get(key, "").format(within=within, key=name[2] if name else "")
    return key, words or say.quoted.format(name=" ".join(expression.split()))


def _shown(key: str, value: str, zone: ZoneInfo, say: Language) -> str:
    """A value as people write it in this language. It shows its type: strings stand in quotes, lists in brackets."""
    if value in ("true", "false"):
        return say.yes if value == "true" else say.no
    if value in ('""', "[]"):
        return say.nothing
    if value.startswith('"'):
        return say.quoted.format(name=value.removeprefix('"').removesuffix('"'))
    if value.startswith("["):
        return value.removeprefix("[").removesuffix("]")
    if _MOMENT.fullmatch(value):
        return dated(datetime.fromisoformat(value), zone, say)
    if key == "author.age" and value == _OLDEST:
        return say.unknown_age
    return _number(value, say, 100 if key.endswith(".capitals()") else 1)


def _number(value: str, say: Language, times: int) -> str:
    """A number, in hundredths as `75 %`; a time span otherwise."""
    if not _NUMBER.fullmatch(value):
        return span(value, say)
    shown = decimal(f"{(Decimal(value) * times).normalize():f}", say)
    return shown if times == 1 else say.percent.format(number=shown)


def _found(one: Passage, texts: Mapping[str, str], say: Language) -> str:
    quoted = texts.get(one.field, "")[one.start : one.end]
    why = _searched(one.why, quoted, say)
    if not quoted:
        return say.at_characters.format(start=one.start, end=one.end, why=why)
    return (say.subject_says if one.field == "subject" else say.text_says).format(quoted=quoted, why=why)


def _searched(why: str, quoted: str, say: Language) -> str:
    """What the rule made of the passage, unless the passage itself says it."""
    search = _SEARCH.fullmatch(why)
    if search is None or "\\" in search[3]:
        return say.matched.format(why=" ".join(why.split()))
    what, _, name, entry = search.groups()
    if what in ("says", "contains"):
        return "" if _alike(name, quoted) else say.read_as.format(entry=name)
    if what == "matches":
        return say.fits.format(pattern=name)
    told = "" if not entry or _alike(entry, quoted) else (say.links_to if what == "under" else say.read_as)
    return told.format(entry=entry) + say.on_list.format(list=name)


def _alike(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
