"""One account's record: a fold of its facts, and the standing that follows from it at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import reduce

import msgspec
from msgspec.structs import replace

from comity.casework.case_facts import CaseClosed, CaseKind, CaseOpened, Informed
from comity.casework.cases import Case, CaseFact, Held, case_after, held_by, reopened
from comity.casework.facts import (
    Accepted,
    Acknowledged,
    Appealed,
    AppealOffered,
    AppealsPutOff,
    Change,
    ContactGiven,
    Decided,
    Delivered,
    Dismissed,
    Fact,
    HandleGiven,
    HoldEnded,
    HoldSet,
    Joined,
    LinkReplaced,
    OfferSettled,
    OutcomeGiven,
)
from comity.casework.recorded import (
    Appeal,
    Dismissal,
    Recorded,
    appealed,
    capped,
    changed,
    offered,
    put_off,
    recorded,
    with_outcome,
)
from comity.casework.removed import removed
from comity.casework.severity import CUTS, RISING, level
from comity.model.duration import EARLIEST
from comity.model.ids import AccountId, AppealId, CaseId, Channel, DecisionId, NoticeId
from comity.model.measure import Measure, Standing, State


class Restricting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which of the decisions restricts the account on channels, so that the standing need not ask all of them.

    `over`: from then on neither it nor any before it restricts; None if that depends on facts still to come.
    """

    index: int
    over: datetime | None


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything decided about one account. Grows by `after`; the same facts give the same record."""

    account: AccountId
    acceptances: tuple[Accepted, ...] = ()
    decisions: tuple[Recorded, ...] = ()
    restricting: tuple[Restricting, ...] = ()
    dismissals: tuple[Dismissal, ...] = ()
    cases: tuple[Case, ...] = ()
    handles: tuple[HandleGiven, ...] = ()
    contact: str = ""  # where it is written to, if anywhere
    restricted: tuple[Channel, ...] = ()  # on which a decision ever restricted it, in order of name
    acknowledged: tuple[Acknowledged, ...] = ()
    put_off: tuple[AppealsPutOff, ...] = ()
    hold: HoldSet | None = None

    @property
    def last(self) -> Recorded | None:
        """The last decision that stands."""
        for one in reversed(self.decisions):
            if one.is_live:
                return one
        return None

    @property
    def open_cases(self) -> tuple[Case, ...]:
        return tuple(case for case in self.cases if case.closed is None)

    def open_case(self, kind: CaseKind) -> Case | None:
        return next((case for case in reversed(self.cases) if case.closed is None and case.opened.kind is kind), None)

    def case(self, case: CaseId) -> Case | None:
        return next((each for each in reversed(self.cases) if each.id == case), None)

    def decision(self, decision: DecisionId) -> Recorded | None:
        for one in reversed(self.decisions):
            if one.decided.decision == decision:
                return one
        return None

    def dismissal(self, decision: DecisionId) -> Dismissal | None:
        return next((one for one in reversed(self.dismissals) if one.dismissed.decision == decision), None)

    def appeal(self, appeal: AppealId) -> Appeal | None:
        return next((each for each in self.appeals if each.filed.appeal == appeal), None)

    def offer(self, offer: AppealId) -> AppealOffered | None:
        """The offered appeal, if it waits."""
        waiting = (each for one in self.decisions for each in one.offers)
        return next((each for each in waiting if each.offer == offer), None)

    @property
    def appeals(self) -> tuple[Appeal, ...]:
        """All that were ever filed, against decisions and against dismissals."""
        decided = tuple(each for one in self.decisions for each in one.appeals)
        return (*decided, *(each for one in self.dismissals for each in one.appeals))


def fold(account: AccountId, facts: Iterable[Fact]) -> Record:
    """The record that the account's facts, in order, amount to."""
    return reduce(after, facts, Record(account=account))


def after(record: Record, fact: Fact) -> Record:
    """The record with one more fact."""
    match fact:
        case Decided():
            return _decided(record, fact)
        case Delivered():
            return _changed(record, fact.decision, lambda one: changed(one, fact))
        case Joined():
            return _refused(_changed(record, fact.decision, lambda one: changed(one, fact)), fact.decision, fact.at)
        case Accepted():
            return replace(record, acceptances=(*record.acceptances, fact))
        case Dismissed():
            return replace(record, dismissals=(*record.dismissals, Dismissal(dismissed=fact)))
        case CaseOpened():
            return _opened(record, fact)
        case Appealed() | OutcomeGiven():
            return _appeal(record, fact)
        case AppealOffered() | OfferSettled():
            return _changed(record, fact.decision, lambda one: offered(one, fact))
        case LinkReplaced():
            return _changed(record, fact.decision, lambda one: replace(one, links=one.links + 1))
        case AppealsPutOff():
            decisions = tuple(put_off(one, fact) for one in record.decisions)
            return replace(record, decisions=decisions, put_off=(*record.put_off, fact))
        case HandleGiven():
            return replace(record, handles=(*_without_handle(record, fact), fact))
        case ContactGiven(address=address):
            return replace(record, contact=address)
        case HoldSet():
            return replace(record, hold=fact)
        case HoldEnded():
            return replace(record, hold=None)
        case Acknowledged():
            return replace(record, acknowledged=(*record.acknowledged, fact))
        case _ if isinstance(fact, Change):
            return _changed(record, fact.decision, lambda one: changed(one, fact))
        case _:
            return _case(record, fact)


def _opened(record: Record, fact: CaseOpened) -> Record:
    """A case that was closed is opened again by its own id."""
    if record.case(fact.case) is None:
        return replace(record, cases=(*record.cases, Case(opened=fact)))
    return replace(record, cases=tuple(reopened(one, fact) if one.id == fact.case else one for one in record.cases))


def standing(record: Record, channel: Channel, at: datetime) -> Standing:
    """The strictest of the account's measures that are active on `channel` at `at`."""
    active = [each for each in _unended(record, at) if channel in each.channels and each.is_active(at)]
    if not active:
        return Standing(account=record.account, channel=channel, at=at)
    by = strictest(active)
    state = State.CUT if by.kind in CUTS else State.LIMITED
    return Standing(account=record.account, channel=channel, at=at, state=state, by=by)


def strictest(active: Sequence[Measure]) -> Measure:
    """Of active measures the one that a standing is by."""
    return active[0] if len(active) == 1 else max(active, key=_severity)


def measures(record: Record) -> tuple[Measure, ...]:
    """All measures that restrict the account on channels, past and future ones included."""
    decisions = (record.decisions[each.index] for each in record.restricting)
    return tuple(each for one in decisions for each in one.all_measures if each.kind in RISING)


def unended(record: Record, at: datetime) -> tuple[Measure, ...]:
    """Those of `measures` that may still hold at `at` or later, the newest decision's first."""
    return tuple(_unended(record, at))


def _unended(record: Record, at: datetime) -> Iterator[Measure]:
    for each in reversed(record.restricting):
        if each.over is not None and each.over <= at:
            return
        for measure in record.decisions[each.index].all_measures:
            if measure.kind in RISING:
                yield measure


def _decided(record: Record, fact: Decided) -> Record:
    if fact.replaces is not None:
        record = _changed(record, fact.replaces, lambda one: _replaced(one, fact))
    before = record.decisions[-1] if record.decisions else None
    one = recorded(
        fact,
        put_off=record.put_off,
        steps=max(fact.step, before.steps) if before else fact.step,
        forgotten=_forgotten(fact, before.forgotten if before else EARLIEST),
    )
    grown = replace(record, decisions=(*record.decisions, one))
    if record.cases:
        grown = _refused(grown, fact.decision, fact.at)
    channels = {channel for measure in fact.measures for channel in measure.channels}
    if not channels:
        return grown
    return replace(
        grown,
        restricting=(*record.restricting, *_restricting(record, fact)),
        restricted=tuple(sorted(channels.union(record.restricted))),
    )


def _refused(record: Record, decision: DecisionId, at: datetime) -> Record:
    """What a decision removes everywhere waits for no case any more; its cases go on without it."""
    waits = any(each.closed is None for each in record.cases)
    one = record.decision(decision) if waits else None
    gone = frozenset(key for key, where in removed(one, at) if where == ()) if one else frozenset[Held]()
    return replace(record, cases=tuple(_without(each, gone, at) for each in record.cases)) if gone else record


def _without(case: Case, gone: frozenset[Held], at: datetime) -> Case:
    held = gone & held_by(case, at)
    return replace(case, refused=case.refused | held) if held else case


def restricts(fact: Decided) -> bool:
    """Whether any of its measures is on channels."""
    return any([measure.channels for measure in fact.measures])


def _forgotten(fact: Decided, before: datetime | None) -> datetime | None:
    """Points are forgotten when they expire, and no sooner than their decision's measures end."""
    if not fact.points:
        return before
    ends = [before, *[points.expires_at for points in fact.points], *_ends(fact)]
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None


def _ends(fact: Decided) -> list[datetime | None]:
    """Whatever happens later only shortens, so that the ends foreseen first are never too early."""
    return [None if each.until else each.end for each in fact.measures if each.kind in RISING]


def _replaced(one: Recorded, by: Decided) -> Recorded:
    """The account is under the new decision's measures from its time on; how the message was treated goes over too."""
    foreseen = tuple(capped(measure, by.at) for measure in one.foreseen)
    return replace(one, foreseen=foreseen, replaced_by=by.decision)


def _restricting(record: Record, decided: Decided) -> tuple[Restricting, ...]:
    """`record`: before the decision."""
    ends = _ends(decided)
    if not ends:
        return ()
    before = record.restricting[-1].over if record.restricting else EARLIEST
    known = [end for end in (before, *ends) if end is not None]
    return (Restricting(index=len(record.decisions), over=max(known) if len(known) > len(ends) else None),)


def _appeal(record: Record, fact: Appealed | OutcomeGiven) -> Record:
    """Appeals are against decisions, or a notifier's against a dismissal."""
    if record.decision(fact.decision) is not None:
        change = (lambda one: appealed(one, fact)) if isinstance(fact, Appealed) else (lambda one: changed(one, fact))
        return _changed(record, fact.decision, change)
    dismissals = tuple(
        _appealed(one, fact) if one.dismissed.decision == fact.decision else one for one in record.dismissals
    )
    return replace(record, dismissals=dismissals)


def _appealed(one: Dismissal, fact: Appealed | OutcomeGiven) -> Dismissal:
    if isinstance(fact, Appealed):
        return replace(one, appeals=(*one.appeals, Appeal(filed=fact)))
    return replace(one, appeals=with_outcome(one.appeals, fact))


def _case(record: Record, fact: CaseFact) -> Record:
    found = _noticed_in(record, fact.notice) if isinstance(fact, Informed) else fact.case
    cases = tuple(case_after(_settled(record, each, fact), fact) if each.id == found else each for each in record.cases)
    return replace(record, cases=cases)


def _settled(record: Record, case: Case, fact: CaseFact) -> Case:
    """Closing a case settles what becomes of each message that waited for it; what comes later is another matter."""
    if not isinstance(fact, CaseClosed):
        return case
    held = held_by(case, fact.at)
    gone = frozenset(key for one in record.decisions for key, where in removed(one, fact.at) if where is not None)
    return replace(case, released=case.released | (held - gone), refused=case.refused | (held & gone))


def _noticed_in(record: Record, notice: NoticeId) -> CaseId | None:
    return next((case.id for case in record.cases for each in case.notices if each.notice == notice), None)


def _without_handle(record: Record, fact: HandleGiven) -> tuple[HandleGiven, ...]:
    """Giving a handle anew states its time anew."""
    return tuple(each for each in record.handles if (each.channel, each.handle) != (fact.channel, fact.handle))


def _severity(measure: Measure) -> tuple[tuple[int, float], bool, datetime]:
    """Orders active measures: by level, then the later end."""
    return level(measure), measure.end is None, measure.end or measure.start or EARLIEST


def _changed(record: Record, decision: DecisionId, change: Callable[[Recorded], Recorded]) -> Record:
    """The newest is looked at first: facts mostly follow their decision soon."""
    known = record.decisions
    for index in range(len(known) - 1, -1, -1):
        if known[index].id == decision:
            return replace(record, decisions=(*known[:index], change(known[index]), *known[index + 1 :]))
    return record
