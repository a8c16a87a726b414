"""Appeals on their way to somebody else: filed with their files, decided, put off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from comity.agreement.ladders import read_choice
from comity.casework import appeal as casework
from comity.casework.facts import Appealed, AppealOutcome, AppealsPutOff, Fact, OutcomeGiven, Party
from comity.casework.facts import Attachment as Attached
from comity.casework.record import Record
from comity.casework.refused import RefusedError
from comity.flow.message import Proceedings
from comity.flow.review import account_of
from comity.model.clause import Row
from comity.model.duration import Duration
from comity.model.ids import AppealId, DecisionId, NoticeId, ReviewerId
from comity.ports import Attachment


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What somebody says against a decision. `notice` of a notifier's; `by` whoever files it in the party's name."""

    decision: DecisionId
    text: str
    by: str = ""
    notice: NoticeId | None = None
    files: Sequence[tuple[str, bytes]] = ()


def file(proceedings: Proceedings, given: Complaint, at: datetime) -> Appealed:
    """Raises `RefusedError` outside the window, for a second appeal of the party, and for what is too much."""
    account = account_of(proceedings, given.decision)
    if sum(len(content) for _, content in given.files) > casework.MOST_ATTACHMENTS * casework.LARGEST_ATTACHMENT:
        raise RefusedError("the files are larger than an appeal takes")
    kept = [(name, Attachment(account=account, content=content)) for name, content in given.files]
    fact = Appealed(
        account=account,
        at=at,
        appeal=AppealId(proceedings.fresh()),
        decision=given.decision,
        party=Party.NOTIFIER if given.notice else Party.ACCOUNT,
        text=given.text,
        by=given.by,
        notice=given.notice,
        attachments=tuple(Attached(name=name, size=len(one.content), digest=one.digest) for name, one in kept),
    )
    proceedings.act(
        [account],
        lambda record: casework.file(record, fact, _window(proceedings, record, given.decision)),
        attachments=[one for _, one in kept],
    )
    return fact


def give_outcome(
    proceedings: Proceedings,
    appeal: AppealId,
    outcome: AppealOutcome,
    by: ReviewerId,
    why: str,
    at: datetime,
    *,
    instead: str | None = None,
) -> tuple[Fact, ...]:
    """Raises `RefusedError` if `by` took part in the decision, and for a harsher measure."""
    account = account_of(proceedings, appeal)

    def follows(record: Record) -> tuple[Fact, ...]:
        known = record.appeal(appeal)
        if known is None:
            raise RefusedError(f"there is no appeal {appeal}")
        given = OutcomeGiven(
            account=account,
            at=at,
            appeal=appeal,
            decision=known.filed.decision,
            outcome=outcome,
            by=by,
            why=why,
        )
        rows = None if instead is None else rows_of(proceedings, record, known.filed.decision, instead)
        return tuple(casework.give_outcome(record, given, rows, proceedings.versions.agreement))

    return proceedings.act([account], follows)


def put_off(proceedings: Proceedings, fact: AppealsPutOff) -> tuple[Fact, ...]:
    """Processing waits, filing does not."""
    return proceedings.act([fact.account], lambda record: casework.put_off(record, fact))


def rows_of(proceedings: Proceedings, record: Record, decision: DecisionId, text: str) -> tuple[Row, ...]:
    """Milder measures as a person writes them, in the words of the decision's version."""
    one = record.decision(decision)
    version = proceedings.versions.agreement(one.decided.statement.agreement) if one else None
    if version is None:
        raise RefusedError("that decision has no measures")
    return read_choice(text, version)


def _window(proceedings: Proceedings, record: Record, decision: DecisionId) -> Duration | None:
    one = record.decision(decision)
    version = proceedings.versions.agreement(one.decided.statement.agreement) if one else None
    return version.appeal_window if version else None
