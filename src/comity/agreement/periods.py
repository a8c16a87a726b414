"""A lint: prose that states a period which neither the ladder nor the front matter knows.

"Points are forgotten after 60 days" beside `points_expire: 90 days` is what this is for. Looked at is all prose beside
a ladder, and elsewhere the sentences about appeals and about forgetting. Numbers and units are known in four languages;
what is not recognised is not complained about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from comity.agreement.clauses import ReadClause
from comity.agreement.front_matter import FrontMatter
from comity.agreement.outline import Outline, Section
from comity.agreement.problems import Problems, quoted
from comity.agreement.source import Source
from comity.model.clause import Clean, Expiry, Ladder, Length, Never, Range, Until
from comity.model.duration import Duration, Unit
from comity.model.ids import ClauseId

Period = tuple[str, int]
"""What a duration comes to: seconds, or months."""

_UNITS: Final = {
    Unit.SECOND: "seconds? segundos? sekunden? secondes?",
    Unit.MINUTE: "minutes? minutos? minuten?",
    Unit.HOUR: "hours? horas? stunden? heures?",
    Unit.DAY: "days? días? tag tage tagen jours?",
    Unit.WEEK: "weeks? semanas? wochen? semaines?",
    Unit.MONTH: "months? mes meses monate? monaten mois",
    Unit.YEAR: "years? años? jahre? jahren ans",
}
_WORDS: Final = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "twelve": 12,
    "fourteen": 14,
    "twenty": 20,
    "thirty": 30,
    "sixty": 60,
    "ninety": 90,
}
_STATED: Final = re.compile(
    rf"\b(?P<count>[0-9]{{1,6}}|{'|'.join(_WORDS)})(?:\s|-)+(?:calendar\s+)?(?:"
    + "|".join(f"(?P<{unit}>{'|'.join(forms.split())})" for unit, forms in _UNITS.items())
    + r")\b",
    re.IGNORECASE,
)
_FORGETTING: Final = re.compile(r"\bforg[eo]t|\bexpire|\blapse|\bolvid|\bverfall|\bverjähr|\boubli", re.IGNORECASE)
_APPEALING: Final = re.compile(r"\bappeal|\bapel|\bbeschwer|\brecours", re.IGNORECASE)
_WINDOW: Final = re.compile(r"\b(second|minute|hour|day)s\(\s*([0-9]{1,9})\s*\)")
_MINIMUM: Final = (Duration(count=6, unit=Unit.MONTH), Duration(count=184, unit=Unit.DAY))
_SENTENCE: Final = 300  # code points looked at on each side


def check_periods(
    source: Source,
    outline: Outline,
    front: FrontMatter,
    ladders: Mapping[ClauseId, Ladder],
    clauses: Iterable[ReadClause],
    problems: Problems,
) -> None:
    """Warns of each period in the prose of `outline` that the rest of the agreement does not state."""
    known = _Known(front, tuple(clauses), ladders)
    beside = _Beside(outline, ladders)
    for match in _STATED.finditer(outline.words):
        start, end = match.span()
        periods = known.periods(_sentence(outline.words, start), beside.owner(start))
        if periods is not None and _stated(match) not in periods:
            message = f"the prose says {quoted(match.group())}, the ladder and the front matter do not"
            help = "let both say the same, or leave the number to one of them"
            problems.warning("C094", source.all().part(start, end), message, help=help)


class _Known:
    """The periods that the agreement states outside its prose, by what they are about."""

    def __init__(self, front: FrontMatter, clauses: tuple[ReadClause, ...], ladders: Mapping[ClauseId, Ladder]) -> None:
        expiries = [front.points_expire, *(one.clause.expires for one in clauses)]
        self._expiries = {_period(one) for expiry in expiries for one in _expiry(expiry)}
        window = _MINIMUM if front.appeal_window is None else (front.appeal_window,)
        self._appeals = {_period(one) for one in (*window, front.decide_within)}
        going_on = () if front.accepted_by_going_on is None else (front.accepted_by_going_on,)
        others = {_period(one) for one in (front.review_within, front.lateness, *going_on, *_of_rules(clauses))}
        self._all = self._expiries | self._appeals | others
        self._ladders = {owner: {_period(one) for one in _durations(ladder)} for owner, ladder in ladders.items()}
        self._every_ladder = set().union(*self._ladders.values())

    def periods(self, sentence: str, owner: ClauseId | None) -> set[Period] | None:
        """What a sentence may state, beside the ladder of `owner` or of none; None if it may state anything."""
        beside = self._ladders[owner] if owner is not None else self._every_ladder
        if _FORGETTING.search(sentence):
            return self._expiries | beside
        if _APPEALING.search(sentence):
            return self._appeals | beside
        return None if owner is None else self._all | beside


class _Beside:
    """Finds the innermost section with a ladder around an offset; asked for rising offsets only."""

    def __init__(self, outline: Outline, ladders: Mapping[ClauseId, Ladder]) -> None:
        self._waiting = [section for section in reversed(outline.sections) if section.id in ladders]
        self._around: list[Section] = []

    def owner(self, at: int) -> ClauseId | None:
        while self._waiting and self._waiting[-1].body.start <= at:
            self._around.append(self._waiting.pop())
        while self._around and self._around[-1].body.end <= at:
            self._around.pop()
        return self._around[-1].id if self._around else None


def _of_rules(clauses: tuple[ReadClause, ...]) -> Iterator[Duration]:
    for one in clauses:
        if one.clause.once:
            yield one.clause.once
        if one.rule_text:
            for unit, count in _WINDOW.findall(one.rule_text.text):
                yield Duration(count=int(count), unit=Unit(unit))


def _expiry(expiry: Expiry) -> tuple[Duration, ...]:
    match expiry:
        case Duration():
            return (expiry,)
        case Clean():
            return (expiry.duration,)
        case Never():
            return ()


def _durations(ladder: Ladder) -> Iterator[Duration]:
    for row in ladder.rows:
        if row.term.delay:
            yield row.term.delay
        yield from _length(row.term.length)


def _length(length: Length | None) -> tuple[Duration, ...]:
    match length:
        case Duration():
            return (length,)
        case Range():
            return length.least, length.most
        case Until():
            return (length.at_least,) if length.at_least else ()
        case None:
            return ()


def _period(duration: Duration) -> Period:
    if duration.unit in (Unit.MONTH, Unit.YEAR):
        return "months", duration.count * (12 if duration.unit is Unit.YEAR else 1)
    return "seconds", duration.nominal_seconds


def _stated(match: re.Match[str]) -> Period:
    count = match.group("count").lower()
    unit = next(unit for unit in Unit if match.group(unit) is not None)
    return _period(Duration(count=_WORDS.get(count) or int(count), unit=unit))


def _sentence(words: str, at: int) -> str:
    """The sentence around an offset, or as much of it as is near."""
    before = re.split(r"[.!?]\s|\n\s*\n", words[max(0, at - _SENTENCE) : at])[-1]
    after = re.split(r"[.!?]\s|\n\s*\n", words[at : at + _SENTENCE], maxsplit=1)[0]
    return before + after
