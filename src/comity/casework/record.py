"""One account's record: a fold of its facts, and what follows from it at a time (points, measures, standing).

Nothing here ends by a job: a measure is active, and a point live, when the predicate says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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

    @property
    def breaches(self) -> tuple[Breach, ...]:
        return (*self.decided.breaches, *(each.breach for each in self.joined))

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Its measures with `start` and `end` as far as the facts settle them."""
        return tuple(_settled(measure, self) for measure in self.decided.measures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything decided about one account. Grows by `after`; the same facts give the same record."""

    account: AccountId
    acceptances: tuple[Accepted, ...] = ()
    decisions: tuple[Recorded, ...] = ()
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
            return replace(record, decisions=(*record.decisions, Recorded(decided=fact)))
        case Joined():
            return _changed(record, fact.decision, lambda one: replace(one, joined=(*one.joined, fact)))
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


def standing(record: Record, channel: Channel, at: datetime) -> Standing:
    """The strictest of the account's measures that are active on `channel` at `at`."""
    active = [each for each in measures(record) if channel in each.channels and each.is_active(at)]
    if not active:
        return Standing(account=record.account, channel=channel, at=at)
    strictest = max(active, key=_severity)
    state = State.CUT if strictest.kind in _CUTS else State.LIMITED
    return Standing(account=record.account, channel=channel, at=at, state=state, by=strictest)


def measures(record: Record) -> tuple[Measure, ...]:
    """All measures that restrict the account on channels, past and future ones included."""
    return tuple(each for one in record.decisions for each in one.measures if each.kind in _RISING)


def live_points(record: Record, ladder: ClauseId, at: datetime) -> int:
    """The points live on `ladder` at `at`."""
    return _sum(record, record.decisions, ladder, at)


def known_points(record: Record, ladder: ClauseId, sent: datetime, *, besides: int | None) -> int:
    """The points live at `sent` whose statement was delivered before then, the step `besides` left out."""
    known = (one for one in record.decisions if one.delivered is not None and one.delivered < sent)
    return _sum(record, (one for one in known if one.decided.step != besides), ladder, sent)


def _sum(record: Record, decisions: Iterable[Recorded], ladder: ClauseId, at: datetime) -> int:
    return sum(
        points.count
        for one in decisions
        for points in one.decided.points
        if points.ladder == ladder and is_live(record, one, points, at)
    )


def is_live(record: Record, one: Recorded, points: Points, at: datetime) -> bool:
    """Whether the points have not expired at `at`; they never do before their decision's measures end."""
    # INVARIANT: a point is never forgotten before its measure ends
    if any(each.is_active(at) or each.start is None for each in one.measures if each.kind in _RISING):
        return True
    if points.clean is not None:
        return not _was_clean(record, one, points.clean, at)
    return points.expires_at is None or at < points.expires_at


def _was_clean(record: Record, one: Recorded, duration: Duration, at: datetime) -> bool:
    first = min(breach.sent for breach in one.decided.breaches)
    later = sorted(b.sent for each in record.decisions for b in each.breaches if first <= b.sent <= at)
    pauses = zip([first, *later], [*later, at], strict=True)
    return any(duration.after(start) <= end for start, end in pauses)


def _settled(measure: Measure, one: Recorded) -> Measure:
    start = measure.start
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
    known = tuple(change(one) if one.decided.decision == decision else one for one in record.decisions)
    return replace(record, decisions=known)
