"""What may be done to a decision after it was taken: correct, lift, reverse, recompute. Never anything harsher."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import reduce

from msgspec.structs import replace

from comity.casework.facts import ConditionMet, Corrected, Delivered, Fact, How, Lifted, Recomputed, Undone
from comity.casework.ladder import measures_of, reached, rows_at, strictest_of_each
from comity.casework.points import left_of, lineage
from comity.casework.record import Record, after
from comity.casework.recorded import Recorded, from_then
from comity.casework.refused import Mend, RefusedError
from comity.casework.severity import is_milder, mildest
from comity.casework.versions import VersionOf
from comity.model.agreement import Agreement
from comity.model.clause import Row
from comity.model.ids import ClauseId, DecisionId, ReviewerId
from comity.model.measure import Measure


def correct(
    record: Record,
    decision: DecisionId,
    by: ReviewerId,
    note: str,
    at: datetime,
    *,
    rows: tuple[Row, ...] | None,
    version_of: VersionOf,
) -> tuple[Fact, ...]:
    """A new version of the statement; `rows`, if given, are milder than what it foresees now."""
    one = live(record, decision)
    _demand(note, "say what the statement should have said", Mend.SAY_NOTE)
    measures = None if rows is None else milder(one, rows, version_of)
    return (Corrected(account=record.account, at=at, decision=decision, by=by, note=note, measures=measures),)


def lift(record: Record, decision: DecisionId, by: ReviewerId, why: str, at: datetime) -> tuple[Fact, ...]:
    """The measures on channels end now; the breach and its points stand."""
    one = live(record, decision)
    _demand(why, "say why it is lifted")
    if all(not each.channels or each.is_over(at) for each in one.measures):
        raise RefusedError("no measure of that decision holds on any channel any more")
    return (Lifted(account=record.account, at=at, decision=decision, by=by, why=why),)


def undo(
    record: Record,
    decisions: tuple[DecisionId, ...],
    act: str,
    by: ReviewerId,
    why: str,
    at: datetime,
    version_of: VersionOf,
) -> Iterator[Fact]:
    """The decisions that a bad rule caused are reversed, and what counted them is recomputed."""
    _demand(why, "say what was wrong with the rule")
    for decision in decisions:
        live(record, decision)
        undone = Undone(account=record.account, at=at, decision=decision, undo=act, by=by, why=why)
        record = after(record, undone)
        again = tuple(recomputed(record, decision, at, version_of))
        record = reduce(after, again, record)
        yield undone
        yield from again


def attest(record: Record, decision: DecisionId, condition: str, by: str, at: datetime) -> tuple[Fact, ...]:
    """A condition that a measure lasts until is met."""
    one = live(record, decision)
    waits = {name for measure in one.measures for name in measure.until} - {name for name, _ in one.met}
    if condition not in waits:
        names = ", ".join(sorted(waits)) or "none"
        raise RefusedError(f"no measure of that decision waits for the condition “{condition}” (it waits for: {names})")
    return (ConditionMet(account=record.account, at=at, decision=decision, condition=condition, by=by),)


def deliver(record: Record, decision: DecisionId, how: How, at: datetime) -> tuple[Fact, ...]:
    """The statement reached the account. Later deliveries than the first change nothing."""
    one = record.decision(decision)
    if one is None:
        raise RefusedError(f"the account has no statement {decision}", Mend.LOOK_UP)
    if at < one.decided.at:
        raise RefusedError("a statement cannot be delivered before it was issued")
    if one.delivered is not None and one.delivered <= at:
        return ()
    return (Delivered(account=record.account, at=at, decision=decision, how=how),)


def recomputed(record: Record, void: DecisionId, at: datetime, version_of: VersionOf) -> Iterator[Recomputed]:
    """Later live decisions that counted points of `void`, which count less or no more: as the ladder then has it.

    Only downwards: point by point the minimum with what they foresee now. `record` holds the reversal, or the
    decision that takes its place, already.
    """
    for one in record.decisions:
        if not one.is_live or not _rests_on(record, one, void):
            continue
        version = version_of(one.decided.statement.agreement)
        if version is None:
            continue
        measures = mildest(one.foreseen, _without_void(record, one, version))
        if measures != one.foreseen:
            yield Recomputed(account=record.account, at=at, decision=one.id, because=void, measures=measures)


def _rests_on(record: Record, one: Recorded, void: DecisionId) -> bool:
    """Whether it counted points of `void`, or of a decision whose place `void` took."""
    return any(void == each.id for counted in one.decided.counted for each in lineage(record, counted.decision))


def _without_void(record: Record, one: Recorded, version: Agreement) -> tuple[Measure, ...]:
    """What the ladder foresees for the decision at the points that are left of those it was taken at."""
    left = {each.ladder: 0 for each in one.decided.points}
    for points in one.decided.points:
        left[points.ladder] += points.count
    for each in one.decided.counted:
        left[each.ladder] = left.get(each.ladder, 0) + left_of(record, each)
    return strictest_of_each(_at(one, version, ladder, count) for ladder, count in left.items())


def _at(one: Recorded, version: Agreement, ladder: ClauseId, points: int) -> tuple[Measure, ...]:
    table = version.ladders[ladder]
    rows = rows_at(table, points) if one.decided.by else reached(table, points).rows
    return foreseen_by(one, rows, version)


def foreseen_by(one: Recorded, rows: tuple[Row, ...], version: Agreement) -> tuple[Measure, ...]:
    """The measures of `rows` for the decision, from when it was taken on."""
    return measures_of(
        rows,
        account=one.decided.account,
        decision=one.id,
        same={breach.channel for breach in one.decided.breaches},
        all_channels=version.channels,
        at=one.decided.at,
    )


def milder(one: Recorded, rows: tuple[Row, ...], version_of: VersionOf) -> tuple[Measure, ...]:
    """The measures of `rows`, which are nowhere more than the decision's own. Raises `RefusedError` if they are."""
    version = version_of(one.decided.statement.agreement)
    if version is None:
        raise RefusedError("the version of the agreement that it was decided under is not in this record")
    measures = foreseen_by(one, rows, version)
    settled = replace(one, foreseen=measures).measures
    from_now = tuple(from_then(each, one.since) for each in settled)  # corrected before: up to then it is past
    since_then = (replace(each, start=one.decided.at) if each.start == one.since else each for each in one.measures)
    # INVARIANT 5: a correction never lengthens or hardens; what would be over by now stands in the statement too
    if not is_milder(from_now, one.measures) or not is_milder(settled, tuple(since_then)):
        raise RefusedError("that is harsher than the decision; anything harsher is a new decision with a new statement")
    return measures


def live(record: Record, decision: DecisionId) -> Recorded:
    """The decision, if it stands. Raises `RefusedError`."""
    one = record.decision(decision)
    if one is None:
        raise RefusedError(f"the account has no decision {decision}", Mend.LOOK_UP)
    if not one.is_live:
        raise RefusedError("the decision was reversed or replaced already")
    return one


def _demand(said: str, wanted: str, mend: Mend = Mend.SAY_WHY) -> None:
    if not said.strip():
        raise RefusedError(f"a reason is missing: {wanted}", mend)
