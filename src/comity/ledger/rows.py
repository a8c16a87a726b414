"""Whether a statement takes what the agreement's ladders foresee for the points that it states.

A rule takes just the rows' measures, a person these or milder ones. Written apart from `casework`, whose work it
checks; of a row for "the same" channels only the public part can be checked, since no entry names a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import Final, NamedTuple, TypeVar

from msgspec import UnsetType
from msgspec.structs import replace

from comity.ledger.entry import PublicMeasure, StatementEntry
from comity.ledger.hours import hour_after
from comity.ledger.milder import is_milder
from comity.model.agreement import Agreement
from comity.model.clause import Act, Clause, Kind, Ladder, Range, Reaches, Row, Term, Until
from comity.model.duration import Duration

_ALMOST_AN_HOUR: Final = timedelta(hours=1) - timedelta(microseconds=1)
_MOST_LADDERS: Final = 6
_MOST_KEPT: Final = 4096

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """One act of a row. `channels`: all that it may reach; `is_exact`: all of them, else those of the messages.

    It ends when each of its lengths is over, `most` of them if a person chose; without any, at no fixed time.
    """

    act: Act
    name: str  # in entries
    channels: frozenset[str]
    is_exact: bool
    least: tuple[Duration, ...]
    most: tuple[Duration, ...]
    met: tuple[str, ...]


class Rows:
    """What one version's ladders foresee. What is foreseen for a step is worked out once."""

    def __init__(self, version: Agreement) -> None:
        self._version = version
        self._clauses: dict[tuple[str, ...], _Asked | None] = {}
        self._ways: dict[_Step, list[list[Foreseen]]] = {}

    def objection(self, entry: StatementEntry) -> str | None:
        """What `entry` takes that the ladders do not foresee, empty if it is in order.

        None: its public part does not say which rows apply, as of a measure by law, or for another version's clause.
        """
        if isinstance(entry.live, UnsetType) or entry.ground != "agreement":
            return None
        asked = _kept(self._clauses, entry.clauses, self._asked)
        if asked is None:
            return None
        if entry.live.keys() != asked.names:
            return f"it counts on the ladders {_listed(entry.live)}, but its clauses on {_listed(asked.names)}"
        rows = tuple(_step(ladder, entry.live[name]) for name, ladder in asked.ladders)
        step = _Step(clauses=entry.clauses, rows=rows, by=entry.by, adds=entry.points > 0)
        ways = _kept(self._ways, step, lambda one: list(self._foreseen(one, asked)))
        return _by_rule(entry, ways) if entry.by == "rule" else _by_person(entry, ways[0])

    def _asked(self, names: tuple[str, ...]) -> _Asked | None:
        clauses = tuple(clause for clause in self._version.clauses if clause.id in names)
        if len(clauses) < len(set(names)):
            return None
        asked = frozenset(str(ladder) for clause in clauses for ladder in clause.ladders)
        ladders = ((str(name), ladder) for name, ladder in self._version.ladders.items() if name in asked)
        return _Asked(clauses=clauses, names=asked, ladders=tuple(ladders))

    def _foreseen(self, step: _Step, asked: _Asked) -> Iterator[list[Foreseen]]:
        ladders = [(ladder, points) for (_, ladder), points in zip(asked.ladders, step.rows, strict=True)]
        if step.by == "rule":
            return _ways([_for_a_rule(*one) for one in ladders], step, asked.clauses, self._version)
        return iter([_merged([_acts(_row(*one), self._version) for one in ladders], asked.clauses)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the clauses of a statement lead to; None in its place: they are not all this version's."""

    clauses: tuple[Clause, ...]
    names: frozenset[str]
    ladders: tuple[tuple[str, Ladder], ...]


class _Step(NamedTuple):
    """All of a statement that decides what is foreseen. `rows`: for each ladder the points of the row."""

    clauses: tuple[str, ...]
    rows: tuple[int, ...]
    by: str
    adds: bool


def _kept(kept: dict[_K, _V], key: _K, make: Callable[[_K], _V]) -> _V:
    """From `kept`, or made and kept there."""
    if key in kept:
        return kept[key]
    if len(kept) == _MOST_KEPT:
        kept.clear()
    kept[key] = make(key)
    return kept[key]


def _by_rule(entry: StatementEntry, ways: list[list[Foreseen]]) -> str:
    if any(_fits(entry, way) for way in ways):
        return ""
    return f"a rule took {_shown(entry.measures)}, but the ladder's row is {_drawn(ways[0])}"


def _by_person(entry: StatementEntry, foreseen: list[Foreseen]) -> str:
    at_most = [_at_most(each, entry.at) for each in foreseen]
    for each in entry.measures:
        parts = [replace(each, chan=(channel,)) for channel in each.chan] or [each]
        if not all(any(is_milder(part, one) for one in at_most) for part in parts) or not _may_warn(each, foreseen):
            return f"a person took {_shown((each,))}, which is harsher than the ladder's row: {_drawn(foreseen)}"
    return ""


def _may_warn(measure: PublicMeasure, foreseen: list[Foreseen]) -> bool:
    return measure.act != "warn" or any(not each.act.kind.is_on_message for each in foreseen)


def _step(ladder: Ladder, points: int) -> int:
    """The points of the row for `points`; below every row, -1."""
    return max((row.points for row in ladder.rows if row.points <= points), default=-1)


def _row(ladder: Ladder, points: int) -> tuple[Row, ...]:
    number = _step(ladder, points)
    return tuple(row for row in ladder.rows if row.points == number)


def _for_a_rule(ladder: Ladder, points: int) -> tuple[Row, ...]:
    """A rule stops below a row that terminates; if every row does, it only treats the message."""
    whole = rows = _row(ladder, points)
    while rows and any(act.kind is Kind.TERMINATE for row in rows for act in row.acts):
        rows = _row(ladder, rows[0].points - 1)
    return rows if rows or not whole else tuple(map(_on_message, whole))


def _on_message(row: Row) -> Row:
    acts = tuple(act for act in row.acts if act.kind.is_on_message)
    return Row(points=row.points, acts=acts, channels=None, term=row.term, line=row.line)


def _ways(
    rows: list[tuple[Row, ...]], step: _Step, clauses: Sequence[Clause], version: Agreement
) -> Iterator[list[Foreseen]]:
    """A ladder on which nothing was added to a step that is not over treats the message alone; which, is private."""
    whole = [_acts(each, version) for each in rows]
    yield _merged(whole, clauses)
    if len(rows) > _MOST_LADDERS:
        return
    part = [_acts(map(_on_message, each), version) for each in rows]
    for chosen in product((True, False), repeat=len(rows)):
        if any(chosen) or not step.adds:
            yield _merged([whole[n] if is_whole else part[n] for n, is_whole in enumerate(chosen)], clauses)


def _acts(rows: Iterable[Row], version: Agreement) -> list[Foreseen]:
    return list(dict.fromkeys(_foreseen(act, row, version) for row in rows for act in row.acts))


def _foreseen(act: Act, row: Row, version: Agreement) -> Foreseen:
    restricts = not act.kind.is_on_message and act.kind is not Kind.WARN
    names = row.channels if restricts else None
    every = frozenset(map(str, version.channels))
    term = row.term if restricts else Term()
    least, most, met = _lengths(term, version) if term.delay is None else ((), (), _conditions(term))
    return Foreseen(
        act=act,
        name=str(act),
        channels=frozenset() if names is None else every if isinstance(names, Reaches) else every & names,
        is_exact=names is not Reaches.SAME,
        least=least,
        most=most,
        met=met,
    )


def _lengths(term: Term, version: Agreement) -> tuple[tuple[Duration, ...], tuple[Duration, ...], tuple[str, ...]]:
    match term.length:
        case Range(least=least, most=most):
            return (least,), (most,), ()
        case Until(conditions=("reviewed",), at_least=floor):
            return (version.review_within, *([floor] if floor else ())), (), ("reviewed",)
        case Until(conditions=conditions):
            return (), (), conditions
        case None:
            return (), (), ()
        case length:
            return (length,), (length,), ()


def _conditions(term: Term) -> tuple[str, ...]:
    return term.length.conditions if isinstance(term.length, Until) else ()


def _merged(groups: Iterable[list[Foreseen]], clauses: Sequence[Clause]) -> list[Foreseen]:
    """Of several ladders the strictest of each, as `record.md` has it; conduct is never removed or marked."""
    asked = [group for group in groups if group]
    merged = list(dict.fromkeys(each for group in asked for each in group))
    kinds = {each.act.kind for each in merged}
    fallen = set[Kind]()
    if len(asked) > 1:
        fallen |= {Kind.WARN} if any(not kind.is_on_message and kind is not Kind.WARN for kind in kinds) else set()
        fallen |= {Kind.MARK} if Kind.REMOVE in kinds else set()
    if all(clause.rule is not None and clause.rule.is_conduct for clause in clauses):
        fallen |= {Kind.MARK, Kind.REMOVE}
    return [each for each in merged if each.act.kind not in fallen]


def _fits(entry: StatementEntry, foreseen: list[Foreseen]) -> bool:
    """In whatever order: which ladder was asked first is not public."""
    pairs = [[_is(measure, one, entry.at) for one in foreseen] for measure in entry.measures]
    return len(pairs) == len(foreseen) and all(map(any, pairs)) and all(map(any, zip(*pairs, strict=True)))


def _is(measure: PublicMeasure, foreseen: Foreseen, at: datetime) -> bool:
    channels = frozenset(measure.chan)
    reaches = channels == foreseen.channels if foreseen.is_exact else channels <= foreseen.channels
    return measure.act == foreseen.name and reaches and measure.met == foreseen.met and _ends(measure, foreseen, at)


def _ends(measure: PublicMeasure, foreseen: Foreseen, at: datetime) -> bool:
    """`at` is the hour of the decision, and the end was rounded up to one."""
    if not foreseen.least or measure.until is None:
        return not foreseen.least and measure.until is None
    earliest, latest = _ends_between(foreseen.least, at)
    return earliest <= measure.until <= latest


@lru_cache(maxsize=4096)
def _ends_between(lengths: tuple[Duration, ...], hour: datetime) -> tuple[datetime, datetime]:
    """The ends of what began within the hour."""
    return _end(lengths, hour), _end(lengths, hour + _ALMOST_AN_HOUR)


def _end(lengths: tuple[Duration, ...], start: datetime) -> datetime:
    return hour_after(max(length.after(start) for length in lengths))


def _at_most(foreseen: Foreseen, at: datetime) -> PublicMeasure:
    return PublicMeasure(
        act=foreseen.name,
        chan=tuple(sorted(foreseen.channels)),
        until=_ends_between(foreseen.most, at)[1] if foreseen.most else None,
        met=foreseen.met,
    )


def _shown(measures: Iterable[PublicMeasure]) -> str:
    drawn = (f"{each.act} on {_listed(each.chan)}{_until(each)}" if each.chan else each.act for each in measures)
    return "; ".join(drawn) or "nothing"


def _until(measure: PublicMeasure) -> str:
    return f" until {measure.until:%Y-%m-%d %H:%M}" if measure.until else ""


def _drawn(foreseen: Iterable[Foreseen]) -> str:
    drawn = (
        f"{each.name} on {_listed(each.channels)}{''.join(f' for {length}' for length in each.most)}"
        if each.channels
        else each.name
        for each in foreseen
    )
    return "; ".join(drawn) or "nothing"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
