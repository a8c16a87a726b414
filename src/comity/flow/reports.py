"""Reports from outside (EU DSA Article 16): what their sender hears, now and later, and its appeal.

Each comes before a person, also where the text is not kept: what its sender says is then all that there is.

INVARIANT: whoever reports hears the same whether or not a text is kept here. That one is kept tells that something was
found in it, which is for its account to know first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

import msgspec

from comity.casework.case_facts import Informed, Known
from comity.casework.cases import Case
from comity.casework.facts import Appealed, OutcomeGiven
from comity.casework.record import Record
from comity.casework.recorded import Appeal
from comity.casework.refused import RefusedError
from comity.flow import appeal, review
from comity.flow.message import Proceedings
from comity.model.ids import AccountId, Channel, DecisionId, MessageId, NoticeId
from comity.model.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the sender of a report is told. Nothing but its number: nothing was decided yet.

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
    proceedings: Proceedings,
    source: str,
    id_: MessageId,
    given: Callable[[Message], review.Notice],
    at: datetime,
    *,
    channel: str = "",
) -> NoticeId:
    """Put the message before a person, whatever the record has of it. `given` makes the notice of it.

    `channel`: where its sender saw it. Raises `RefusedError`.
    """
    where = _channel(proceedings, channel)
    message = proceedings.store.message(source, id_)
    if message is not None:
        return review.notice(proceedings, given(message), at).notice
    sender = proceedings.store.senders(source, [id_]).get(id_)
    unread = Message(
        id=id_,
        source=source,
        author=sender.account if sender else nobody_known(source, id_),
        channel=where,
        text="",
        sent=sender.sent if sender else at,
    )
    known = Known.SENDER if sender else Known.NOTHING
    return review.notice(proceedings, replace(given(unread), known=known), at).notice


def nobody_known(source: str, id_: MessageId) -> AccountId:
    """Stands for the author of a message that the record does not know; of no other message."""
    return AccountId("unknown author " + sha256(msgspec.json.encode((source, id_))).hexdigest()[:32])


def _channel(proceedings: Proceedings, given: str) -> Channel:
    """Where a reported message was seen: what its sender says, or the agreement's first channel.

    Raises `RefusedError` for one that the agreement does not name.
    """
    one = proceedings.versions.in_force(proceedings.now()) or proceedings.versions.latest()
    named = one.agreement.channels if one else ()
    if given and given not in named:
        raise RefusedError(f"the agreement has no channel {given!r}; it names {', '.join(named) or 'none'}")
    return Channel(given or next(iter(named), ""))


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
