"""One account's record: a fold of its facts, and what follows from it at a time (points, measures, standing).

Nothing here ends by a job: a measure is active, and a point live, when the predicate says so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Final

import msgspec

from comity.casework.facts import Accepted, CaseOpened, ConditionMet, Decided, Delivered, Fact, Found, Joined, Points
from comity.model.clause import Kind
from comity.model.duration import EARLIEST, Duration
from comity.model.ids import AccountId, CaseId, Channel, ClauseId, DecisionId
from comity.model.measure import Measure, Standing, State
from comity.model.statement import Breach

REVIEWED: Final = "reviewed"
"""The condition that lasts at most the agreement's `review_within`."""

_LIMITS: Final = (Kind.LIMIT_REACH, Kind.LIMIT, Kind.HOLD)
_CUTS: Final = (Kind.SUSPEND, Kind.TERMINATE)
_RISING: Final = (*_LIMITS, *_CUTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A decision as the record now sees it: with what joined it, its delivery and the conditions met."""

    decided: Decided
    joined: tuple[Joined, ...] = ()
    delivered: datetime | None = None
    met: tuple[tuple[str, datetime], ...] = ()
    clauses: tuple[ClauseId, ...] = ()  # of all its breaches, each once

    @property
    def breaches(self) -> tuple[Breach, ...]:
        return (*self.decided.breaches, *(each.breach for each in self.joined))

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Its measures with `start` and `end` as far as the facts settle them."""
        return tuple(_settled(measure, self) for measure in self.decided.measures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restricting:
    """Which of the decisions restricts the account on channels, so that the standing need not ask all of them.

    `over`: from then on neither it nor any before it restricts; None if that depends on facts still to come.
    """

    index: int
    over: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything decided about one account. Grows by `after`; the same facts give the same record."""

    account: AccountId
    acceptances: tuple[Accepted, ...] = ()
    decisions: tuple[Recorded, ...] = ()
    restricting: tuple[Restricting, ...] = ()
    open_case: CaseId | None = None

    @property
    def last(self) -> Recorded | None:
        return self.decisions[-1] if self.decisions else None


def fold(account: AccountId, facts: Iterable[Fact]) -> Record:
    """The record that the account's facts, in order, amount to."""
    return reduce(after, facts, Record(account=account))


def after(record: Record, fact: Fact) -> Record:
    """The record with one more fact."""
    match fact:
        case Accepted():
            return replace(record, acceptances=(*record.acceptances, fact))
        case Decided():
            restricting = (*record.restricting, *_restricting(record, fact))
            return replace(record, decisions=(*record.decisions, recorded(fact)), restricting=restricting)
        case Joined():
            return _changed(record, fact.decision, lambda one: _joined(one, fact))
        case Delivered():
            return _changed(
                record, fact.decision, lambda one: replace(one, delivered=_earliest(one.delivered, fact.at))
            )
        case ConditionMet():
            met = (fact.condition, fact.at)
            return _changed(record, fact.decision, lambda one: replace(one, met=(*one.met, met)))
        case CaseOpened():
            return replace(record, open_case=fact.case)
        case Found():
            return record


def recorded(decided: Decided) -> Recorded:
    """A decision as it is when it is taken."""
    return Recorded(decided=decided, clauses=tuple(dict.fromkeys(breach.clause for breach in decided.breaches)))


def _joined(one: Recorded, fact: Joined) -> Recorded:
    clause = fact.breach.clause
    clauses = one.clauses if clause in one.clauses else (*one.clauses, clause)
    return replace(one, joined=(*one.joined, fact), clauses=clauses)


def standing(record: Record, channel: Channel, at: datetime) -> Standing:
    """The strictest of the account's measures that are active on `channel` at `at`."""
    active = [each for each in _unended(record, at) if channel in each.channels and each.is_active(at)]
    if not active:
        return Standing(account=record.account, channel=channel, at=at)
    strictest = max(active, key=_severity)
    state = State.CUT if strictest.kind in _CUTS else State.LIMITED
    return Standing(account=record.account, channel=channel, at=at, state=state, by=strictest)


def measures(record: Record) -> tuple[Measure, ...]:
    """All measures that restrict the account on channels, past and future ones included."""
    decisions = (record.decisions[each.index] for each in record.restricting)
    return tuple(each for one in decisions for each in one.measures if each.kind in _RISING)


def _unended(record: Record, at: datetime) -> Iterator[Measure]:
    """Those of `measures` that may still hold at `at`, the newest first."""
    for each in reversed(record.restricting):
        if each.over is not None and each.over <= at:
            return
        yield from (one for one in record.decisions[each.index].measures if one.kind in _RISING)


def live_points(record: Record, ladder: ClauseId, at: datetime) -> int:
    """The points live on `ladder` at `at`, of what was decided by then."""
    return _sum(record, (one for one in record.decisions if one.decided.at <= at), ladder, at)


def known_points(record: Record, ladder: ClauseId, sent: datetime, *, besides: int | None) -> int:
    """The points live at `sent` whose statement was delivered before then, the step `besides` left out."""
    known = (one for one in record.decisions if one.delivered is not None and one.delivered < sent)
    return _sum(record, (one for one in known if one.decided.step != besides), ladder, sent)


def _sum(record: Record, decisions: Iterable[Recorded], ladder: ClauseId, at: datetime) -> int:
    pauses: dict[Duration, datetime] = {}
    total = 0
    for one in decisions:
        for points in one.decided.points:
            if points.clean is not None and points.clean not in pauses:
                pauses[points.clean] = _last_pause(record, points.clean, at)
            if points.ladder == ladder and _is_live(one, points, at, pauses):
                total += points.count
    return total


def _is_live(one: Recorded, points: Points, at: datetime, pauses: Mapping[Duration, datetime]) -> bool:
    """Whether the points have not expired at `at`; they never do before their decision's measures end."""
    if points.clean is not None:
        is_kept = pauses[points.clean] < one.decided.breaches[0].sent
    else:
        is_kept = points.expires_at is None or at < points.expires_at
    # INVARIANT: a point is never forgotten before its measure ends
    return is_kept or any(each.kind in _RISING and not each.is_over(at) for each in one.measures)


def _last_pause(record: Record, length: Duration, at: datetime) -> datetime:
    """The last breach before `at` that was followed by none for `length`; `EARLIEST` if there was no such pause."""
    sent = sorted(breach.sent for one in record.decisions for breach in one.breaches if breach.sent <= at)
    end, first = at, len(sent)
    while first:
        paused = bisect_right(sent, end, hi=first, key=length.after)
        if paused == first:
            return sent[first - 1]
        end, first = sent[paused], paused  # everything from there on is closer together than `length`
    return EARLIEST


def _restricting(record: Record, decided: Decided) -> Iterator[Restricting]:
    ends = [None if each.until else each.end for each in decided.measures if each.kind in _RISING]
    before = record.restricting[-1].over if record.restricting else EARLIEST
    known = [end for end in (before, *ends) if end is not None]
    if ends:
        yield Restricting(index=len(record.decisions), over=max(known) if len(known) > len(ends) else None)


def _settled(measure: Measure, one: Recorded) -> Measure:
    start = measure.start
    if start is not None and not measure.until:
        return measure
    if start is None and measure.delay is not None and one.delivered is not None:
        start = measure.delay.after(one.delivered)
    if start is None:
        return measure
    end = measure.length.after(start) if measure.length else _conditions_end(measure, one, start)
    return msgspec.structs.replace(measure, start=start, end=end)


def _conditions_end(measure: Measure, one: Recorded, start: datetime) -> datetime | None:
    """When the last condition is met, and no earlier than the floor; None while one is unmet."""
    if not measure.until:
        return measure.end
    met = dict(reversed(one.met))  # the earliest fact of a condition counts
    if REVIEWED in measure.until:
        met[REVIEWED] = _earliest(met.get(REVIEWED), one.decided.review_within.after(start))
    if any(name not in met for name in measure.until):
        return None
    floor = measure.at_least.after(start) if measure.at_least else start
    return max(floor, *(met[name] for name in measure.until))


def _severity(measure: Measure) -> tuple[int, float, bool, datetime]:
    """Orders active measures: by kind, a lower rate is stricter, then the later end."""
    rate = -measure.rate.count / measure.rate.per.nominal_seconds if measure.rate else 0.0
    return _RISING.index(measure.kind), rate, measure.end is None, measure.end or measure.start or EARLIEST


def _earliest(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)


def _changed(record: Record, decision: DecisionId, change: Callable[[Recorded], Recorded]) -> Record:
    """The newest is looked at first: facts mostly follow their decision soon."""
    known = record.decisions
    for index in range(len(known) - 1, -1, -1):
        if known[index].decided.decision == decision:
            return replace(record, decisions=(*known[:index], change(known[index]), *known[index + 1 :]))
    return record
