"""The plan that gates enforce: what an account's measures amount to on each channel, from now on.

All overlapping measures are taken together here, so that lifting one cannot lift another, and each end is known
beforehand. It agrees with `record.standing` at every time from `at` on for which no new fact arrives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from comity.casework.facts import (
    Appealed,
    AppealsPutOff,
    ConditionMet,
    Corrected,
    Decided,
    Delivered,
    Fact,
    HandleGiven,
    Lifted,
    OutcomeGiven,
    Recomputed,
    Undone,
)
from comity.casework.record import Record, restricts, strictest, unended
from comity.casework.severity import CUTS
from comity.model.clause import Kind
from comity.model.ids import Channel
from comity.model.measure import Measure, State
from comity.model.plan import Called, Plan, Planned, Span

_MOVES = (
    Appealed, AppealsPutOff, ConditionMet, Corrected, HandleGiven, Lifted, OutcomeGiven, Recomputed, Undone
)  # fmt: skip


def moves(record: Record, fact: Fact) -> bool:
    """Whether the fact, which `record` knows of, may change a plan."""
    if not record.restricted:
        return False
    match fact:
        case Delivered():
            one = record.decision(fact.decision)
            return one is not None and any([each.delay for each in one.foreseen]) and restricts(one.decided)
        case Decided():
            return fact.replaces is not None or restricts(fact)
        case _:
            return isinstance(fact, _MOVES)


def planned(record: Record, at: datetime) -> tuple[Planned, ...]:
    """The account's plan on each channel that a measure of it ever was on; empty where it is over."""
    held = [each for each in unended(record, at) if each.start is not None and not each.is_over(at)]
    plans: dict[tuple[int, ...], Plan] = {}  # by which of them hold on a channel: mostly they are the same on all
    every: list[Planned] = []
    for channel in record.restricted:
        which = tuple([n for n, measure in enumerate(held) if channel in measure.channels])
        if which not in plans:
            plans[which] = _plan(record, [held[n] for n in which], at)
        handles = tuple(_called(record, channel, at)) if record.handles else ()
        every.append(Planned(account=record.account, channel=channel, handles=handles, plan=plans[which]))
    return tuple(every)


def _called(record: Record, channel: Channel, at: datetime) -> Iterator[Called]:
    for each in record.handles:
        if each.channel == channel and (each.until is None or each.until > at):
            yield Called(handle=each.handle, start=each.since, until=each.until)


def _plan(record: Record, held: Sequence[Measure], at: datetime) -> Plan:
    """INVARIANT 6: at each time from `at` on the state that `standing` has then."""
    spans: list[Span] = []
    bounds = _bounds(held, at)
    for start, until in zip(bounds, (*bounds[1:], None), strict=True):
        active = [measure for measure in held if measure.is_active(start)]
        if not active:
            continue
        span = _span(record, strictest(active), start, until, is_first=start == at)
        if spans and spans[-1].until == start and replace(spans[-1], start=start, until=until) == span:
            spans[-1] = replace(spans[-1], until=until)
        else:
            spans.append(span)
    return tuple(spans)


def _bounds(held: Iterable[Measure], at: datetime) -> list[datetime]:
    """`at` and the times after it at which anything begins or ends."""
    times: list[datetime | None] = [at]
    for one in held:
        times += (one.start, one.end)
        for pause in one.pauses:
            times += (pause.start, pause.end)
    return sorted({time for time in times if time is not None and time >= at})


def _span(record: Record, measure: Measure, start: datetime, until: datetime | None, *, is_first: bool) -> Span:
    """A state that holds already has the start of its measure, so that it stays the same when it is planned again."""
    one = record.decision(measure.decision)
    clauses = one.decided.statement.clauses if one else ()
    return Span(
        state=State.CUT if measure.kind in CUTS else State.LIMITED,
        start=measure.start if is_first and measure.start is not None else start,
        until=until,
        limit=_limit(measure),
        condition=measure.until if until is None else (),
        statement=measure.decision,
        reason=", ".join([f"“{clause.title}”" for clause in clauses]),
    )


def _limit(measure: Measure) -> str | None:
    match measure.kind:
        case Kind.LIMIT:
            return str(measure.rate)
        case Kind.LIMIT_REACH:
            return "reach"
        case Kind.HOLD:
            return "hold"
        case _:
            return None
