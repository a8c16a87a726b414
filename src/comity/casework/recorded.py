"""A decision as the record now sees it: what was decided, and all that has happened to it since.

Nothing here ends by a job: a measure holds when its start, end and pauses say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from comity.casework.facts import (
    Appealed,
    AppealOffered,
    AppealOutcome,
    AppealsPutOff,
    Change,
    ConditionMet,
    Corrected,
    Decided,
    Delivered,
    Dismissed,
    Joined,
    Lifted,
    OfferSettled,
    OutcomeGiven,
    Party,
    Recomputed,
    Undone,
)
from comity.model.clause import Kind
from comity.model.duration import LATEST, Duration
from comity.model.ids import ClauseId, DecisionId
from comity.model.measure import Measure, Pause
from comity.model.statement import Breach

REVIEWED: Final = "reviewed"
"""The condition that lasts at most the agreement's `review_within`."""


class Appeal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A complaint and what came of it. `put_off`: by how much longer it may take."""

    filed: Appealed
    outcome: OutcomeGiven | None = None
    put_off: timedelta = timedelta()

    def due(self, within: Duration) -> datetime:
        """When it has to be decided; from then on the measure pauses."""
        return later(within.after(self.filed.at), self.put_off)


class Dismissal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A dismissal, which only its notifiers can appeal; it is live until one of them was right."""

    dismissed: Dismissed
    appeals: tuple[Appeal, ...] = ()

    @property
    def is_live(self) -> bool:
        return not any(each.outcome and each.outcome.outcome is AppealOutcome.REVERSED for each in self.appeals)


class Recorded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A decision with what followed it, in order. `foreseen`: its measures as the last act left them.

    `past`: what they were before such an act, up to it. `reversed_at`: from then on its points never counted.
    `steps` and `forgotten` speak of it and all before it, so that not all of them need to be asked.
    """

    decided: Decided
    foreseen: tuple[Measure, ...]
    clauses: tuple[ClauseId, ...]  # of all its breaches, each once
    past: tuple[Measure, ...] = ()
    joined: tuple[Joined, ...] = ()
    delivered: datetime | None = None
    met: tuple[tuple[str, datetime], ...] = ()
    changes: tuple[Change, ...] = ()
    appeals: tuple[Appeal, ...] = ()
    offers: tuple[AppealOffered, ...] = ()  # that wait
    links: int = 0  # how often its link was replaced
    put_off: tuple[AppealsPutOff, ...] = ()
    reversed_at: datetime | None = None
    replaced_by: DecisionId | None = None
    steps: int = 0  # the highest number of a step so far
    forgotten: datetime | None = None  # from then on no point counts; None if that depends on facts still to come

    @property
    def id(self) -> DecisionId:
        return self.decided.decision

    @property
    def is_live(self) -> bool:
        """Neither reversed nor replaced: its points count."""
        return self.reversed_at is None and self.replaced_by is None

    @property
    def breaches(self) -> tuple[Breach, ...]:
        return (*self.decided.breaches, *(each.breach for each in self.joined))

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Its measures as they are now foreseen, with `start`, `end` and `pauses` as far as the facts settle them."""
        return tuple([_settled(measure, self) for measure in self.foreseen])

    @property
    def all_measures(self) -> tuple[Measure, ...]:
        """Those, and what they were before they were changed: what held at any time."""
        return tuple([_settled(measure, self) for measure in (*self.past, *self.foreseen)])

    @property
    def own_appeals(self) -> tuple[Appeal, ...]:
        """Those of the account. INVARIANT 19: of a notifier's it learns nothing."""
        return tuple(each for each in self.appeals if each.filed.party is Party.ACCOUNT)

    @property
    def told(self) -> tuple[Change, ...]:
        """What the account is told of what followed, oldest first."""
        own = {each.filed.appeal for each in self.own_appeals}
        return tuple(each for each in self.changes if not isinstance(each, OutcomeGiven) or each.appeal in own)

    @property
    def corrections(self) -> tuple[Change, ...]:
        """What made a new version of the statement, oldest first."""
        return tuple(each for each in self.changes if not isinstance(each, Delivered | ConditionMet))

    @property
    def since(self) -> datetime:
        """From when on its measures are what they are now foreseen to be."""
        acts = (each for each in reversed(self.changes) if isinstance(each, Corrected | Recomputed | OutcomeGiven))
        return next((each.at for each in acts if each.measures is not None), self.decided.at)


def recorded(
    decided: Decided,
    *,
    put_off: tuple[AppealsPutOff, ...] = (),
    steps: int = 0,
    forgotten: datetime | None = None,
) -> Recorded:
    """A decision as it is when it is taken."""
    clauses = tuple(dict.fromkeys([breach.clause for breach in decided.breaches]))
    return Recorded(
        decided=decided,
        foreseen=decided.measures,
        clauses=clauses,
        put_off=put_off,
        steps=steps,
        forgotten=forgotten,
    )


def as_decided(decided: Decided) -> tuple[Measure, ...]:
    """The measures of a decision to which nothing has happened yet, as `Recorded.measures` has them."""
    if all([_is_settled(measure) for measure in decided.measures]):
        return decided.measures
    return recorded(decided).measures


def changed(one: Recorded, fact: Change) -> Recorded:
    """The decision with one more fact about it."""
    if isinstance(fact, Delivered):
        return replace(one, changes=(*one.changes, fact), delivered=earliest(one.delivered, fact.at))
    one = replace(one, changes=(*one.changes, fact))
    match fact:
        case Joined():
            clause = fact.breach.clause
            clauses = one.clauses if clause in one.clauses else (*one.clauses, clause)
            return replace(one, joined=(*one.joined, fact), clauses=clauses)
        case ConditionMet():
            return replace(one, met=(*one.met, (fact.condition, fact.at)))
        case Lifted():
            return replace(one, foreseen=tuple(_lifted(measure, fact.at) for measure in one.foreseen))
        case Undone():
            return ended(replace(one, reversed_at=fact.at), fact.at)
        case Corrected() | Recomputed():
            return one if fact.measures is None else _exchanged(one, fact.measures, fact.at)
        case OutcomeGiven():
            return _with_outcome(one, fact)


def appealed(one: Recorded, fact: Appealed) -> Recorded:
    return replace(one, appeals=(*one.appeals, Appeal(filed=fact)))


def offered(one: Recorded, fact: AppealOffered | OfferSettled) -> Recorded:
    """The decision with one more offered appeal that waits, or with one less."""
    if isinstance(fact, AppealOffered):
        return replace(one, offers=(*one.offers, fact))
    return replace(one, offers=tuple(each for each in one.offers if each.offer != fact.offer))


def put_off(one: Recorded, fact: AppealsPutOff) -> Recorded:
    """The decision whose appeals of that party, open or still to come, may take longer."""
    if fact.at >= fact.until:
        return one
    appeals = tuple(_put_off(appeal, fact) for appeal in one.appeals)
    return replace(one, appeals=appeals, put_off=(*one.put_off, fact))


def more_time(put_off: Iterable[AppealsPutOff], told: datetime, party: Party) -> timedelta:
    """By how much the time to appeal grows for a party that was told of the decision at `told`."""
    waits = (each.until - max(each.at, told) for each in put_off if each.party is party)
    return sum((wait for wait in waits if wait > timedelta()), timedelta())


def ended(one: Recorded, at: datetime) -> Recorded:
    """The decision with all its measures over at `at`."""
    return replace(one, foreseen=tuple(capped(measure, at) for measure in one.foreseen))


def with_outcome(appeals: Iterable[Appeal], fact: OutcomeGiven) -> tuple[Appeal, ...]:
    return tuple(replace(each, outcome=fact) if each.filed.appeal == fact.appeal else each for each in appeals)


def capped(measure: Measure, at: datetime) -> Measure:
    """The measure, over at `at` at the latest."""
    return msgspec.structs.replace(measure, not_after=earliest(measure.not_after, at))


def from_then(measure: Measure, at: datetime) -> Measure:
    """The measure, holding no sooner than `at`."""
    if measure.start is None or measure.start >= at:
        return measure
    return msgspec.structs.replace(measure, start=at)


def earliest(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else min(one, other)


def later(at: datetime, by: timedelta) -> datetime:
    return at + min(by, LATEST - at)


def _lifted(measure: Measure, at: datetime) -> Measure:
    """Lifting frees the account; how its message was treated stays."""
    return measure if measure.kind.is_on_message else capped(measure, at)


def _put_off(appeal: Appeal, fact: AppealsPutOff) -> Appeal:
    if appeal.outcome is not None or appeal.filed.party is not fact.party:
        return appeal
    return replace(appeal, put_off=appeal.put_off + (fact.until - fact.at))


def _with_outcome(one: Recorded, fact: OutcomeGiven) -> Recorded:
    one = replace(one, appeals=with_outcome(one.appeals, fact))
    if fact.outcome is AppealOutcome.REVERSED and _party(one, fact) is Party.ACCOUNT:
        return ended(replace(one, reversed_at=fact.at), fact.at)
    return one if fact.measures is None else _exchanged(one, fact.measures, fact.at)


def _party(one: Recorded, fact: OutcomeGiven) -> Party | None:
    return next((each.filed.party for each in one.appeals if each.filed.appeal == fact.appeal), None)


def _exchanged(one: Recorded, measures: tuple[Measure, ...], at: datetime) -> Recorded:
    """Up to `at` the measures are what they were, from then on `measures`."""
    past = (*one.past, *(capped(measure, at) for measure in one.foreseen))
    return replace(one, past=past, foreseen=tuple(from_then(measure, at) for measure in measures))


def _settled(measure: Measure, one: Recorded) -> Measure:
    if _is_settled(measure) and not one.appeals:
        return measure
    planned = start = measure.start
    if start is None and measure.delay is not None:
        planned = None if one.delivered is None else measure.delay.after(one.delivered)
        start = _begins(one, planned)
    end = measure.end if start is None else _end(measure, one, start)
    if planned is not None and start != planned and measure.length and _was_exchanged_before(one, planned):
        end = measure.length.after(planned)  # INVARIANT 5: what a correction said of the end is never made later
    if measure.not_after is not None:
        end = earliest(end, measure.not_after)
    pauses = () if measure.kind.is_on_message or measure.kind is Kind.WARN else tuple(_pauses(one))
    return msgspec.structs.replace(measure, start=start, end=end, pauses=pauses)


def _begins(one: Recorded, planned: datetime | None) -> datetime | None:
    """When a delayed measure starts. An appeal that was filed before `planned` holds it until its outcome."""
    held = _holding(one, planned) if planned else None
    if held is None or planned is None:
        return planned
    return max(planned, held.outcome.at) if held.outcome else None


def _holding(one: Recorded, planned: datetime) -> Appeal | None:
    return next((each for each in one.own_appeals if each.filed.at < planned), None)


def _was_exchanged_before(one: Recorded, planned: datetime) -> bool:
    """Whether the measures are what an act made of them before the appeal that holds them was filed."""
    held = _holding(one, planned)
    return held is not None and bool(one.past) and one.since <= held.filed.at


def _is_settled(measure: Measure) -> bool:
    """Whether nothing but an appeal can change when it holds."""
    return measure.start is not None and not measure.until and measure.not_after is None


def _end(measure: Measure, one: Recorded, start: datetime) -> datetime | None:
    """When its fixed length is over, or when the last condition is met and no earlier than the floor."""
    if measure.start is None and measure.length:
        return measure.length.after(start)
    if not measure.until:
        return measure.end
    met = dict(reversed(one.met))  # the earliest fact of a condition counts
    if REVIEWED in measure.until:
        met[REVIEWED] = earliest(met.get(REVIEWED), one.decided.review_within.after(_first_start(measure, one, start)))
    if any(name not in met for name in measure.until):
        return None
    floor = measure.at_least.after(_first_start(measure, one, start)) if measure.at_least else start
    return max(floor, *(met[name] for name in measure.until))


def _first_start(measure: Measure, one: Recorded, start: datetime) -> datetime:
    """A measure that was exchanged for another is as old as the first."""
    known = [each.start for each in one.past if each.start is not None and each.until == measure.until]
    return min(known, default=start)


def _pauses(one: Recorded) -> Iterable[Pause]:
    """From when an appeal should have been decided until it is."""
    for appeal in one.appeals:
        due = appeal.due(one.decided.decide_within)
        decided = appeal.outcome.at if appeal.outcome else None
        if appeal.filed.party is Party.ACCOUNT and (decided is None or due < decided):
            yield Pause(start=due, end=decided)
