"""What has happened since a statement was issued, told after its original text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from comity.casework.facts import (
    AppealOutcome,
    Change,
    ConditionMet,
    Corrected,
    Delivered,
    Joined,
    Lifted,
    OutcomeGiven,
    Party,
    Recomputed,
    Undone,
)
from comity.casework.languages import Language
from comity.casework.recorded import Recorded
from comity.casework.removed import waits_to_remove
from comity.casework.spoken import called, dated, listed, measure_in_words, one_or_many
from comity.casework.visible import printable
from comity.model.clause import Kind
from comity.model.measure import Measure
from comity.model.statement import Statement


def since(one: Recorded, zone: ZoneInfo, say: Language) -> Iterator[str]:
    """Deliveries, messages that joined, corrections, appeals, and ends that are now settled."""
    for change in one.told:
        yield from _change(change, one, zone, say)
    for appeal in one.own_appeals:
        if appeal.outcome is None:
            yield say.appeal_waits.format(at=dated(appeal.filed.at, zone, say))
            if any(each.delay and each.start is None for each in one.measures):
                yield say.appeal_holds_now
    for each in one.put_off:
        if each.party is Party.ACCOUNT:
            yield from _with_reason(say.put_off.format(until=dated(each.until, zone, say)), each.why, say)
    for pause in dict.fromkeys(pause for measure in one.measures for pause in measure.pauses if pause.end is None):
        yield say.appeal_pause.format(at=dated(pause.start, zone, say))
    for measure in one.measures:
        if measure.channels and ((measure.delay and measure.start) or (measure.until and one.met)):
            yield from _settled(measure, zone, say)


def _change(change: Change, one: Recorded, zone: ZoneInfo, say: Language) -> Iterator[str]:
    """What happened on one day; every reason is quoted as it was given."""
    at = dated(change.at, zone, say)
    match change:
        case Delivered():
            if change.at == one.delivered:
                yield say.delivered.format(at=at)
        case Joined():
            yield _joined(change, one, zone, say)
        case ConditionMet(condition=condition):
            yield say.met.format(name=called(condition, say), at=at)
        case Corrected(note=note):
            yield say.corrected.format(at=at)
            yield f"> {note}"
        case Lifted(why=why):
            yield from _with_reason(say.lifted.format(at=at), why, say)
        case Undone(why=why):
            yield from _with_reason(say.undone.format(at=at), why, say)
        case Recomputed():
            yield say.recomputed.format(at=at)
        case OutcomeGiven(why=why):
            yield from _with_reason(_outcome(change, at, say), why, say)
    if isinstance(change, Corrected | Recomputed | OutcomeGiven):
        yield from _from_now_on(change.measures, one, zone, say)


def _with_reason(said: str, why: str, say: Language) -> Iterator[str]:
    yield f"{said} {say.reason}"
    yield f"> {why}"


def _joined(change: Joined, one: Recorded, zone: ZoneInfo, say: Language) -> str:
    titles = {clause.id: clause.title for clause in one.decided.statement.clauses}
    return say.joined.format(
        at=dated(change.at, zone, say),
        sent=dated(change.breach.sent, zone, say),
        id=printable(change.breach.message),
        clause=titles.get(change.breach.clause, change.breach.clause),
        treated=_treated(change, one, say),
    )


def _treated(change: Joined, one: Recorded, say: Language) -> str:
    if change.removed:
        return say.joined_removed_later if waits_to_remove(one, change.at) else say.joined_removed
    return say.joined_marked if change.marked else ""


def _outcome(change: OutcomeGiven, at: str, say: Language) -> str:
    if change.outcome is AppealOutcome.OMITTED:
        return say.omitted.format(at=at)
    came = {
        AppealOutcome.UPHELD: say.upheld,
        AppealOutcome.VARIED: say.varied,
        AppealOutcome.REVERSED: say.reversed,
    }[change.outcome]
    return say.outcome.format(at=at, came=came)


def _from_now_on(measures: tuple[Measure, ...] | None, one: Recorded, zone: ZoneInfo, say: Language) -> Iterator[str]:
    if measures is not None:
        said = " ".join(_now(measures, one.decided.statement, zone, say))
        yield say.from_then.format(measures=said or say.from_then_nothing)


def _now(measures: tuple[Measure, ...], issued: Statement, zone: ZoneInfo, say: Language) -> Iterator[str]:
    """What holds now; of a message that is treated as before, that it is."""
    messages = len(issued.messages)
    before = {each.kind for each in issued.measures if not each.territory}
    if Kind.REMOVE in before and not any(each.kind.is_on_message for each in measures):
        yield one_or_many(say.put_back, messages)
    for measure in measures:
        if measure.kind in before and measure.kind.is_on_message and not measure.territory:
            yield one_or_many(say.stays_removed if measure.kind is Kind.REMOVE else say.stays_marked, messages)
        else:
            yield measure_in_words(measure, zone, say, messages=messages)


def _settled(measure: Measure, zone: ZoneInfo, say: Language) -> Iterator[str]:
    """When a measure starts and ends whose times were open when the statement was issued, if it ever holds."""
    start = measure.start if measure.delay else None
    if start is not None and measure.is_over(start):
        return
    sentence = {
        (True, True): say.settled_both,
        (True, False): say.settled_start,
        (False, True): say.settled_end,
        (False, False): say.settled_open,
    }[start is not None, measure.end is not None]
    yield sentence.format(
        measure=say.measures[measure.kind],
        channels=listed(measure.channels, say),
        start=_if_known(start, zone, say),
        end=_if_known(measure.end, zone, say),
    )


def _if_known(at: datetime | None, zone: ZoneInfo, say: Language) -> str:
    return "" if at is None else dated(at, zone, say)
