"""Appeals on their way to somebody else: filed with their files, decided, put off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from comity.agreement.ladders import read_choice
from comity.casework import appeal as casework
from comity.casework import offers
from comity.casework.facts import Appealed, AppealOffered, AppealOutcome, AppealsPutOff, Fact, OutcomeGiven, Party
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What an appeals reviewer says to an appeal. `instead`: of `varied`, the milder measures."""

    appeal: AppealId
    outcome: AppealOutcome
    by: ReviewerId
    why: str
    instead: str | None = None


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
    _file(proceedings, fact, [one for _, one in kept])
    return fact


def offer(proceedings: Proceedings, decision: DecisionId, text: str, at: datetime) -> AppealOffered:
    """Somebody with the refusal link appeals; it waits until it is known to be the account's. Raises `RefusedError`."""
    account = account_of(proceedings, decision)
    offered = AppealOffered(account=account, at=at, offer=AppealId(proceedings.fresh()), decision=decision, text=text)
    proceedings.act([account], lambda record: offers.offer(record, offered, _window(proceedings, record, decision)))
    return offered


def take_offer(
    proceedings: Proceedings,
    offer: AppealId,
    at: datetime,
    *,
    by: ReviewerId | None = None,
    against: DecisionId | None = None,
) -> Appealed:
    """An offered appeal is the account's: it says so itself (`by` None), or a reviewer does.

    Raises `RefusedError`, also if it is not against the decision `against`.
    """
    waiting = offers.waiting(proceedings.record(account_of(proceedings, offer)), offer)
    if against not in (None, waiting.decision):
        raise RefusedError(f"no offered appeal {offer} waits")
    filer = f"somebody with the refusal link, whom {by} knows to be the account" if by else ""
    fact = offers.filed(waiting, AppealId(proceedings.fresh()), at, by=filer)
    _file(proceedings, fact, offer=offer, by=by)
    return fact


def decline_offer(proceedings: Proceedings, offer: AppealId, by: ReviewerId, at: datetime) -> tuple[Fact, ...]:
    """A reviewer knows that it is not the account's. Raises `RefusedError`."""
    account = account_of(proceedings, offer)
    return proceedings.act([account], lambda record: offers.decline(record, offer, by, at))


def _file(
    proceedings: Proceedings,
    fact: Appealed,
    attachments: Sequence[Attachment] = (),
    *,
    offer: AppealId | None = None,
    by: ReviewerId | None = None,
) -> None:
    """The account's own appeal takes the place of all that were offered for it."""

    def follows(record: Record) -> tuple[Fact, ...]:
        filed = casework.file(record, fact, _window(proceedings, record, fact.decision))
        settled = offers.taken(record, fact, offer=offer, by=by) if fact.party is Party.ACCOUNT else ()
        return (*filed, *settled)

    proceedings.act([fact.account], follows, attachments=attachments)


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
    given = Given(appeal=appeal, outcome=outcome, by=by, why=why, instead=instead)
    return proceedings.act([account_of(proceedings, appeal)], lambda record: followed(proceedings, record, given, at))


def followed(proceedings: Proceedings, record: Record, said: Given, at: datetime) -> tuple[Fact, ...]:
    """The facts of an outcome; nothing is kept. Raises as `give_outcome` does."""
    known = record.appeal(said.appeal)
    if known is None:
        raise RefusedError(f"there is no appeal {said.appeal}")
    given = OutcomeGiven(
        account=record.account,
        at=at,
        appeal=said.appeal,
        decision=known.filed.decision,
        outcome=said.outcome,
        by=said.by,
        why=said.why,
    )
    rows = None if said.instead is None else rows_of(proceedings, record, known.filed.decision, said.instead)
    return tuple(casework.give_outcome(record, given, rows, proceedings.versions.agreement))


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
