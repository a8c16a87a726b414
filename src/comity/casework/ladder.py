"""The ladder: which row a step reaches, and the measures that the row foresees."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

import msgspec
from msgspec.structs import replace

from comity.casework.recorded import REVIEWED
from comity.model.clause import Act, Kind, Ladder, Range, Reaches, Row, Term, Until
from comity.model.duration import Duration
from comity.model.ids import AccountId, Channel, DecisionId
from comity.model.measure import Measure

_MOST_FORESEEN: Final = 1024
"""Rows whose measures are kept at hand, of all versions: an account and a time are all that differs."""


class Reached(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The rows that apply, and whether automation stopped below a row that terminates."""

    rows: tuple[Row, ...] = ()
    stopped_by_ceiling: bool = False


def reached(ladder: Ladder, points: int) -> Reached:
    """The row highest not above `points`, as a rule takes it: automation never terminates.

    Where that row terminates, the rows of the highest lower number without termination apply; if there
    are none, only the row's own `remove` or `mark`.
    """
    rows = rows_at(ladder, points)
    if not _terminates(rows):
        return Reached(rows=rows)
    lower = [number for number in _numbers(ladder) if number < rows[0].points and not _terminates(_at(ladder, number))]
    if lower:
        return Reached(rows=_at(ladder, max(lower)), stopped_by_ceiling=True)
    return Reached(rows=tuple(_message_part(row) for row in rows), stopped_by_ceiling=True)


def rows_at(ladder: Ladder, points: int) -> tuple[Row, ...]:
    """All rows of the highest number not above `points`; none below the first."""
    numbers = [row.points for row in ladder.rows if row.points <= points]
    return _at(ladder, max(numbers)) if numbers else ()


def on_message(one: Reached) -> Reached:
    """What `one` does to the message, without what it does to the account."""
    return replace(one, rows=tuple(_message_part(row) for row in one.rows))


def measures_of(
    rows: Sequence[Row],
    *,
    account: AccountId,
    decision: DecisionId,
    same: Collection[Channel],
    all_channels: tuple[Channel, ...],
    at: datetime,
) -> tuple[Measure, ...]:
    """The measures of `rows` from `at` on, each once; a range gives its least. `same`: the messages' channels."""
    channels = frozenset(same)
    foreseen = [measure for row in rows for measure in _foreseen(row, channels, all_channels)]
    found = tuple([_begun(measure, account, decision, at) for measure in foreseen])
    return tuple(dict.fromkeys(found)) if len(rows) > 1 else found  # a row names each act once


def at_most(measures: Iterable[Measure], review_within: Duration) -> tuple[Measure, ...]:
    """The measures with the most of each range, and of a time to review: how far a person may go."""
    return tuple(_at_most(measure, review_within) for measure in measures)


def _at_most(measure: Measure, review_within: Duration) -> Measure:
    most = measure.most
    if measure.until == (REVIEWED,):
        most = max(review_within, measure.at_least or review_within, key=lambda each: each.nominal_seconds)
    if most is None:
        return measure
    end = most.after(measure.start) if measure.start else None
    return replace(measure, length=most, end=end)


def strictest_of_each(groups: Iterable[tuple[Measure, ...]]) -> tuple[Measure, ...]:
    """What several ladders ask for, taken point by point: a milder one falls away only if it adds nothing.

    What one ladder's row names stands as it is written.
    """
    asked = [group for group in groups if group]
    if len(asked) < 2:
        return asked[0] if asked else ()
    merged = dict.fromkeys(each for group in asked for each in group)
    kinds = {each.kind for each in merged}
    restricts = any(not kind.is_on_message and kind is not Kind.WARN for kind in kinds)
    fallen = ({Kind.WARN} if restricts else set()) | ({Kind.MARK} if Kind.REMOVE in kinds else set())
    return tuple(each for each in merged if each.kind not in fallen)


@lru_cache(maxsize=_MOST_FORESEEN)
def _foreseen(row: Row, same: frozenset[Channel], every: tuple[Channel, ...]) -> tuple[Measure, ...]:
    """What the row foresees, for nobody yet and not begun."""
    return tuple(_measure(act, row, _channels(act, row, same, every)) for act in row.acts)


def _begun(foreseen: Measure, account: AccountId, decision: DecisionId, at: datetime) -> Measure:
    start, length = None if foreseen.delay else at, foreseen.length
    end = length.after(start) if length and start else None
    return replace(foreseen, account=account, decision=decision, start=start, end=end)


def _measure(act: Act, row: Row, channels: tuple[Channel, ...]) -> Measure:
    nobody, undecided = AccountId(""), DecisionId("")
    if act.kind is Kind.WARN:
        return Measure(account=nobody, decision=undecided, kind=act.kind, rate=act.rate)
    term = row.term
    least, most, until = _length(term)
    restricts = not act.kind.is_on_message
    return Measure(
        account=nobody,
        decision=undecided,
        kind=act.kind,
        channels=channels,
        rate=act.rate,
        territory=act.territory,
        length=least if restricts else None,
        most=most if restricts else None,
        until=until.conditions if until and restricts else (),
        at_least=until.at_least if until and restricts else None,
        delay=term.delay,
    )


def _length(term: Term) -> tuple[Duration | None, Duration | None, Until | None]:
    match term.length:
        case Range(least=least, most=most):
            return least, most, None
        case Until() as until:
            return None, None, until
        case length:
            return length, None, None


def _channels(act: Act, row: Row, same: Collection[Channel], every: tuple[Channel, ...]) -> tuple[Channel, ...]:
    if act.kind.is_on_message or act.kind is Kind.WARN or row.channels is None:
        return ()
    names: Collection[Channel]
    match row.channels:
        case Reaches.ALL:
            names = every
        case Reaches.SAME:
            names = same
        case listed:
            names = listed
    return tuple(channel for channel in every if channel in names)


def _numbers(ladder: Ladder) -> set[int]:
    return {row.points for row in ladder.rows}


def _at(ladder: Ladder, number: int) -> tuple[Row, ...]:
    return tuple([row for row in ladder.rows if row.points == number])


def _terminates(rows: tuple[Row, ...]) -> bool:
    return any(act.kind is Kind.TERMINATE for row in rows for act in row.acts)


def _message_part(row: Row) -> Row:
    return Row(
        points=row.points,
        acts=tuple(act for act in row.acts if act.kind.is_on_message),
        channels=None,
        term=row.term,
        line=row.line,
    )
