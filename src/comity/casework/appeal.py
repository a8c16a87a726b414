"""Appeals: filed within the window, one a party, and decided by a person who took no part in the decision."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from comity.casework.amend import live, milder, recomputed
from comity.casework.case_facts import CaseOpened
from comity.casework.facts import (
    Appealed,
    AppealOutcome,
    AppealsPutOff,
    Corrected,
    Fact,
    Joined,
    Lifted,
    OutcomeGiven,
    Party,
)
from comity.casework.record import Record, after
from comity.casework.recorded import Appeal, Dismissal, Recorded, more_time
from comity.casework.refused import Mend, RefusedError, TookPartError
from comity.casework.statement import appeal_until
from comity.casework.versions import VersionOf
from comity.model.clause import Row
from comity.model.duration import LATEST, Duration
from comity.model.ids import AppealId, CaseId, DecisionId, ReviewerId

MOST_ATTACHMENTS: Final = 5
LARGEST_ATTACHMENT: Final = 10_000_000
LONGEST_TEXT: Final = 50_000


def file(record: Record, appeal: Appealed, window: Duration | None) -> tuple[Fact, ...]:
    """The appeal as a fact. Raises `RefusedError` outside the window, for a second one, and for what is too much."""
    _demand_size(appeal)
    if appeal.party is Party.ACCOUNT:
        decided = record.decision(appeal.decision)
        if decided is None:
            raise RefusedError(f"the account has no statement {appeal.decision}", Mend.LOOK_UP)
        _demand_first(decided, appeal)
        until = None if decided.delivered is None else last_moment(record, decided.delivered, window, appeal.party)
    else:
        against, told = _noticed(record, appeal)
        _demand_first(against, appeal)
        if isinstance(against, Recorded):
            _demand_more_to_ask(record, against, appeal)
        until = last_moment(record, told, window, appeal.party)
    if until is not None and appeal.at >= until:  # INVARIANT 15: appeals are taken for all of the window
        raise RefusedError(f"the time to appeal ended on {until:%d %B %Y, %H:%M} UTC")
    return (appeal,)


def last_moment(record: Record, told: datetime, window: Duration | None, party: Party) -> datetime:
    """When the window has closed: the last day counts whole, wherever the reader is; putting off makes it longer."""
    extra = more_time(record.put_off, told, party)
    day = appeal_until(told, window).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + min(extra + timedelta(days=1, hours=12), LATEST - day)


def give_outcome(
    record: Record, given: OutcomeGiven, rows: tuple[Row, ...] | None, version_of: VersionOf
) -> Iterator[Fact]:
    """The facts of an appeal's end. `rows`: of `varied`, the milder ones that take the place of the old."""
    appeal = _waiting(record, given.appeal)
    if not given.why.strip():
        raise RefusedError("a reason is missing: the filer will read it", Mend.SAY_WHY)
    if given.by in took_part(record, appeal.filed.decision):  # INVARIANT 16
        message = f"{given.by} took part in the decision; somebody else has to decide the appeal"
        raise TookPartError(message, Mend.ASK_ANOTHER)
    one = record.decision(appeal.filed.decision)
    if one is None or appeal.filed.party is Party.NOTIFIER:
        yield from _of_notifier(record, given, one)
        return
    if given.outcome is AppealOutcome.VARIED:
        if rows is None:
            raise RefusedError("say which milder measures take the place of the old ones", Mend.CHOOSE_MILDER)
        given = replace(given, measures=milder(live(record, one.id), rows, version_of))
    yield given
    if given.outcome is AppealOutcome.REVERSED:
        yield from recomputed(after(record, given), one.id, given.at, version_of)


def put_off(record: Record, fact: AppealsPutOff) -> tuple[Fact, ...]:
    """Appeals of that party wait; filing them is never closed (EU DSA Article 23(2))."""
    if fact.until <= fact.at:
        raise RefusedError("the time until which appeals are put off is over already")
    if not fact.why.strip():
        raise RefusedError("a reason is missing", Mend.SAY_WHY)
    return (fact,)


def took_part(record: Record, decision: DecisionId) -> frozenset[ReviewerId]:
    """Everybody who took, proposed or reviewed the decision."""
    parts: list[ReviewerId | None] = []
    one, dismissal = record.decision(decision), record.dismissal(decision)
    cases: set[CaseId | None] = {each.id for each in record.cases if each.opened.about == decision}
    if one is not None:
        parts.append(one.decided.by)
        parts += [each.by for each in one.changes if isinstance(each, Corrected | Joined | Lifted)]
        cases.add(one.decided.case)
    if dismissal is not None:
        parts.append(dismissal.dismissed.by)
        cases.add(dismissal.dismissed.case)
    for case in record.cases:
        if case.id in cases:
            parts += [*case.holders, case.escalated.by if case.escalated else None]
            parts += [case.assessed.by if case.assessed else None, case.closed.by if case.closed else None]
    return frozenset(each for each in parts if each is not None)


def _of_notifier(record: Record, given: OutcomeGiven, one: Recorded | None) -> Iterator[Fact]:
    """A notifier was right: the case is open again, to be decided anew with a new statement and a new time to appeal.

    `one` was too mild; None: it was dismissed.
    """
    if given.outcome is AppealOutcome.VARIED:
        raise RefusedError("on a notifier's appeal no measure becomes milder: uphold or reverse it")
    yield given
    if given.outcome is not AppealOutcome.REVERSED:
        return
    dismissal = record.dismissal(given.decision)
    if dismissal is not None:
        why = "A notifier appealed against the dismissal, and was right."
        yield CaseOpened(account=record.account, at=given.at, case=dismissal.dismissed.case, why=why)
    elif one is not None and one.is_live and one.decided.case is not None:
        why = "A notifier appealed because less was done than the agreement foresees, and was right."
        case = one.decided.case
        yield CaseOpened(account=record.account, at=given.at, case=case, why=why, about=one.id)


def _waiting(record: Record, appeal: AppealId) -> Appeal:
    found = record.appeal(appeal)
    if found is None:
        raise RefusedError(f"the account has no appeal {appeal}", Mend.LOOK_UP)
    if found.outcome is not None:
        raise RefusedError(f"the appeal was decided already: {found.outcome.outcome}", Mend.LOOK_UP)
    return found


def _noticed(record: Record, appeal: Appealed) -> tuple[Recorded | Dismissal, datetime]:
    """What the notifier was told of, and when."""
    told = next((each for case in record.cases for each in case.informed if each.notice == appeal.notice), None)
    if told is None or told.decision != appeal.decision:
        raise RefusedError("no decision on that notice was told to its notifier yet")
    against = record.decision(told.decision) or record.dismissal(told.decision)
    if against is None:
        raise RefusedError("no decision on that notice was told to its notifier yet")
    return against, told.at


def _demand_more_to_ask(record: Record, one: Recorded, appeal: Appealed) -> None:
    """A notifier whose notice was upheld may say that less was done than the agreement foresees, and nothing else."""
    is_less = one.decided.is_milder or any(isinstance(each, Corrected | Lifted) for each in one.changes)
    notice = next(each for case in record.cases for each in case.notices if each.notice == appeal.notice)
    is_found = notice.clause is None or notice.clause in one.clauses
    if is_found and not is_less:
        raise RefusedError("the notice was upheld, and what was done is what the agreement foresees")


def _demand_first(one: Recorded | Dismissal, appeal: Appealed) -> None:
    for each in one.appeals:
        if (each.filed.party, each.filed.notice) == (appeal.party, appeal.notice):
            raise RefusedError("an appeal of that party was filed already; there is one a party and statement")


def _demand_size(appeal: Appealed) -> None:
    if not appeal.text.strip():
        raise RefusedError("an appeal says why the decision is wrong: its text is empty", Mend.WRITE_TEXT)
    if len(appeal.text) > LONGEST_TEXT:
        raise RefusedError(f"the text has {len(appeal.text):,} characters; at most {LONGEST_TEXT:,} are taken")
    if len(appeal.attachments) > MOST_ATTACHMENTS:
        raise RefusedError(f"{len(appeal.attachments)} files; an appeal takes at most {MOST_ATTACHMENTS}")
    for each in appeal.attachments:
        if each.size > LARGEST_ATTACHMENT:
            raise RefusedError(
                f"the file {each.name!r} has {each.size:,} bytes; at most {LARGEST_ATTACHMENT:,} are taken"
            )
