"""What a person does with a case: claim it, hand it on, confirm the breaches that it is about, or dismiss it.

Each act says which version of the case it was decided on, so that two reviewers never both decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import reduce
from typing import Final

import msgspec
from msgspec.structs import replace

from comity.casework.amend import recomputed
from comity.casework.case_facts import (
    Assessed,
    CaseClosed,
    CaseKind,
    Claimed,
    Escalated,
    HandedOver,
    Informed,
    Released,
)
from comity.casework.cases import Case
from comity.casework.decide import to_review, within_once
from comity.casework.facts import ConditionMet, Decided, Dismissed, Fact, Joined, Undone
from comity.casework.quality import decider
from comity.casework.record import Record, after
from comity.casework.recorded import REVIEWED, Recorded
from comity.casework.refused import Mend, RefusedError
from comity.casework.step import Choice, Circumstances, Confirmed, follows, joined, mates_of, step_of
from comity.casework.versions import VersionOf
from comity.model.clause import Row
from comity.model.ids import CaseId, ClauseId, DecisionId, ReviewerId

_ASSESSED: Final = (CaseKind.SAMPLE, CaseKind.SECOND_REVIEW)
"""Cases from which no measure follows."""


class Deciding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who decides on which case, as they saw it (`version`), and why in their own words."""

    case: CaseId
    version: int
    by: ReviewerId
    why: str


def claim(record: Record, case: CaseId, by: ReviewerId, at: datetime, until: datetime) -> tuple[Fact, ...]:
    """The case is `by`'s until then; claiming again extends it."""
    _open(record, case, by, at)
    return (Claimed(account=record.account, at=at, case=case, by=by, until=until),)


def release(record: Record, case: CaseId, by: ReviewerId, at: datetime) -> tuple[Fact, ...]:
    _held(record, case, by, at)
    return (Released(account=record.account, at=at, case=case, by=by),)


def hand_over(
    record: Record, case: CaseId, by: ReviewerId, to: ReviewerId, at: datetime, until: datetime
) -> tuple[Fact, ...]:
    """The case is `to`'s from now on."""
    _held(record, case, by, at)
    return (HandedOver(account=record.account, at=at, case=case, by=by, to=to, until=until),)


def escalate(record: Record, case: CaseId, by: ReviewerId, why: str, at: datetime) -> tuple[Fact, ...]:
    """Somebody with more say has to look; whoever claims it next."""
    _open(record, case, by, at)
    return (Escalated(account=record.account, at=at, case=case, by=by, why=_said(why)),)


def confirm(
    record: Record,
    deciding: Deciding,
    confirmed: Sequence[Confirmed],
    given: Circumstances,
    version_of: VersionOf,
    rows: tuple[Row, ...] | None = None,
) -> tuple[Fact, ...]:
    """The facts of a decision that these are breaches. `rows`: what is done instead of the ladder's, if milder.

    Messages sent before the last statement was delivered belong to its step, so that one act may make two decisions.
    A case about a measure that lasts until it is reviewed, without `rows`: the measure ends, the breach stands. One
    about conditions that nobody has met, without `rows`: it goes on until somebody does.
    """
    case = _to_decide(record, deciding, given.at)
    _said(deciding.why)
    about = record.decision(case.opened.about) if case.opened.about else None
    if about is not None:
        if not about.is_live:  # INVARIANT 13: what was reversed is not taken up again by a case that was left open
            raise RefusedError("the decision was reversed or replaced since; dismiss the case")
        if case.opened.kind is CaseKind.UNMET and rows is None:
            return tuple(_close(case, deciding, given.at, None, confirmed=True))
        facts = tuple(_about(record, case, about, deciding, confirmed, given, rows))
        facts = (*facts, *recomputed(reduce(after, facts, record), about.id, given.at, version_of))
    else:
        facts = tuple(_on_findings(record, deciding, confirmed, given, rows))
    facts = (*facts, *to_review(facts, given))
    made = next((fact.decision for fact in reversed(facts) if isinstance(fact, Decided | Joined | ConditionMet)), None)
    return (*facts, *_close(case, deciding, given.at, made, confirmed=True))


def dismiss(record: Record, deciding: Deciding, given: Circumstances, version_of: VersionOf) -> tuple[Fact, ...]:
    """The facts of a decision that nothing of it is a breach; a decision that the case is about is reversed."""
    case = _to_decide(record, deciding, given.at)
    about = record.decision(case.opened.about) if case.opened.about else None
    if about is not None and about.is_live:
        undone = Undone(
            account=record.account,
            at=given.at,
            decision=about.id,
            undo=case.id,
            by=deciding.by,
            why=_said(deciding.why),
        )
        facts: tuple[Fact, ...] = (undone, *recomputed(after(record, undone), about.id, given.at, version_of))
        return (*facts, *_close(case, deciding, given.at, about.id, confirmed=False))
    dismissed = Dismissed(
        account=record.account,
        at=given.at,
        decision=given.decision,
        case=case.id,
        by=deciding.by,
        why=_said(deciding.why),
        breaches=case.breaches,
    )
    return (dismissed, *_close(case, deciding, given.at, given.decision, confirmed=False))


def assess(record: Record, deciding: Deciding, clauses: tuple[ClauseId, ...], at: datetime) -> tuple[Fact, ...]:
    """What a person says to a sample or in a second review; it has no measure. `clauses`: none if it is no breach."""
    case = _decidable(record, deciding, at)
    if case.opened.kind not in _ASSESSED:
        raise RefusedError("this case asks for a decision: confirm or dismiss it")
    if case.opened.about is not None and decider(record, case.opened.about) == deciding.by:
        raise RefusedError("you took the decision; the second review is somebody else's", Mend.ASK_ANOTHER)
    said = Assessed(account=record.account, at=at, case=case.id, by=deciding.by, clauses=clauses)
    return (said, *_close(case, deciding, at, None, confirmed=bool(clauses)))


def _on_findings(
    record: Record,
    deciding: Deciding,
    confirmed: Sequence[Confirmed],
    given: Circumstances,
    rows: tuple[Row, ...] | None,
) -> Iterator[Fact]:
    if not confirmed:
        message = "nothing is confirmed: name the clauses that are breached, or dismiss the case"
        raise RefusedError(message, Mend.NAME_CLAUSES)
    choice = Choice(by=deciding.by, case=deciding.case, reasoning=deciding.why, rows=rows)
    fresh: list[Confirmed] = []
    for one in confirmed:
        earlier = within_once(record, one)
        if _is_decided(record, one):
            continue
        if earlier is None:
            fresh.append(one)
        else:
            yield joined(earlier, one, given.at, {each.kind for each in earlier.decided.measures}, by=deciding.by)
    before = tuple(one for one in fresh if mates_of(record, one.message.sent))
    since = tuple(one for one in fresh if one not in before)
    if before:
        mates = mates_of(record, before[0].message.sent)
        facts, _ = follows(step_of(record, before, mates, given, choice))
        yield from facts
        record, given = reduce(after, facts, record), replace(given, decision=_second(given))
    if since:
        facts, _ = follows(step_of(record, since, (), given, choice))
        yield from facts


def _second(given: Circumstances) -> DecisionId:
    """The id of a second decision in one act. No case that the act opens ends in the same digit."""
    return DecisionId(f"{given.case[:-1]}f")


def _is_decided(record: Record, one: Confirmed) -> bool:
    """INVARIANT 8: at most one live decision for a message and clause."""
    wanted = (one.breach.source, one.breach.message, one.breach.clause)
    live = (decision for decision in record.decisions if decision.is_live)
    return any(wanted == (each.source, each.message, each.clause) for decision in live for each in decision.breaches)


def _about(
    record: Record,
    case: Case,
    about: Recorded,
    deciding: Deciding,
    confirmed: Sequence[Confirmed],
    given: Circumstances,
    rows: tuple[Row, ...] | None,
) -> Iterator[Fact]:
    """A person decides anew what a rule decided, and may go as far as the ladder does."""
    if case.opened.kind is CaseKind.UNTIL_REVIEWED and rows is None:
        yield ConditionMet(
            account=record.account, at=given.at, decision=about.id, condition=REVIEWED, by=f"reviewer {deciding.by}"
        )
        return
    choice = Choice(by=deciding.by, case=case.id, reasoning=deciding.why, rows=rows, replaces=about.id)
    others = tuple(replace(one, replaced_by=given.decision) if one is about else one for one in record.decisions)
    without = replace(record, decisions=others)
    before = others[: record.decisions.index(about)]  # what came later in the step counted this one's points itself
    mates = tuple(one for one in before if one.is_live and one.decided.step == about.decided.step)
    facts, _ = follows(step_of(without, tuple(confirmed), mates, given, choice, number=about.decided.step))
    yield from facts


def _close(
    case: Case, deciding: Deciding, at: datetime, decision: DecisionId | None, *, confirmed: bool
) -> Iterator[Fact]:
    """INVARIANT 23: every case ends, every notifier hears."""
    account, told = case.opened.account, {each.notice for each in case.informed}
    for notice in case.notices:
        if decision is not None and notice.notice not in told:
            yield Informed(account=account, at=at, notice=notice.notice, decision=decision, confirmed=confirmed)
    yield CaseClosed(account=account, at=at, case=case.id, by=deciding.by, why=deciding.why, decision=decision)


def _to_decide(record: Record, deciding: Deciding, at: datetime) -> Case:
    case = _decidable(record, deciding, at)
    if case.opened.kind in _ASSESSED:
        raise RefusedError("this case asks what you would say: assess it; nothing follows from it")
    return case


def _decidable(record: Record, deciding: Deciding, at: datetime) -> Case:
    case = _open(record, deciding.case, deciding.by, at)
    if case.version != deciding.version:  # INVARIANT 24: two reviewers cannot both decide one case version
        message = f"the case has changed since you read it (it is at version {case.version}); read it again"
        raise RefusedError(message, Mend.READ_AGAIN)
    return case


def _open(record: Record, case: CaseId, by: ReviewerId, at: datetime) -> Case:
    found = record.case(case)
    if found is None:
        raise RefusedError(f"the account has no case {case}", Mend.LOOK_UP)
    if found.closed is not None:
        raise RefusedError(f"the case was closed by {found.closed.by}", Mend.LOOK_UP)
    holder = found.holder(at)
    if holder is not None and holder != by:
        raise RefusedError(f"{holder} works on the case; ask them to release it or to hand it over")
    return found


def _held(record: Record, case: CaseId, by: ReviewerId, at: datetime) -> Case:
    found = _open(record, case, by, at)
    if found.holder(at) != by:
        raise RefusedError("you have not claimed the case", Mend.CLAIM)
    return found


def _said(why: str) -> str:
    if not why.strip():
        message = "a reason is missing: the person, and whoever checks the decision, will read it"
        raise RefusedError(message, Mend.SAY_WHY)
    return why
