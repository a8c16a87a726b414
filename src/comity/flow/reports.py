"""Reports from outside (EU DSA Article 16): what their sender hears, now and later, and its appeal.

INVARIANT: whoever reports hears the same whether or not a text is kept here. That one is kept tells that something was
found in it, which is for its account to know first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from comity.casework.case_facts import Informed
from comity.casework.cases import Case
from comity.casework.facts import Appealed, OutcomeGiven
from comity.casework.record import Record
from comity.casework.recorded import Appeal
from comity.casework.refused import RefusedError
from comity.flow import appeal, review
from comity.flow.message import Proceedings
from comity.model.ids import DecisionId, MessageId, NoticeId
from comity.model.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the sender of a report is told. Nothing but its number: nothing was decided, or no such text is kept.

    `reason`: of a dismissal.
    """

    id: NoticeId
    told: Informed | None = None
    reason: str = ""
    appealed: bool = False
    outcome: OutcomeGiven | None = None

    @property
    def decision(self) -> DecisionId | None:
        return self.told.decision if self.told else None


def report(
    proceedings: Proceedings, source: str, id_: MessageId, given: Callable[[Message], review.Notice], at: datetime
) -> NoticeId:
    """Put the message before a person if its text is kept. `given` makes the notice of it."""
    message = proceedings.store.message(source, id_)
    if message is None:
        return NoticeId(proceedings.fresh())
    return review.notice(proceedings, given(message), at).notice


def heard(proceedings: Proceedings, notice: NoticeId) -> Heard:
    """For whoever has its number. Of the account they learn no more than what was decided."""
    account = proceedings.store.account_of(notice)
    record = proceedings.record(account) if account else None
    case = _case(record, notice) if record else None
    return _heard(record, case, notice) if record and case else Heard(id=notice)


def object_to(proceedings: Proceedings, notice: NoticeId, text: str, at: datetime) -> Appealed:
    """The sender of a report appeals against what was decided. Raises `RefusedError`."""
    decision = heard(proceedings, notice).decision
    if decision is None:
        raise RefusedError("nothing was decided on this report yet")
    return appeal.file(proceedings, appeal.Complaint(decision=decision, text=text, notice=notice), at)


def _case(record: Record, notice: NoticeId) -> Case | None:
    return next((case for case in record.cases if notice in [each.notice for each in case.notices]), None)


def _heard(record: Record, case: Case, notice: NoticeId) -> Heard:
    told = next((each for each in case.informed if each.notice == notice), None)
    dismissal = record.dismissal(told.decision) if told else None
    appealed = _appeal(record, notice)
    return Heard(
        id=notice,
        told=told,
        reason=dismissal.dismissed.why if dismissal else "",
        appealed=appealed is not None,
        outcome=appealed.outcome if appealed else None,
    )


def _appeal(record: Record, notice: NoticeId) -> Appeal | None:
    return next((each for each in reversed(record.appeals) if each.filed.notice == notice), None)
