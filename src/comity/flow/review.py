"""From a notice or a finding to a person's decision: which case, which version of the agreement, which message.

`casework.review` decides what follows; the facts are kept by `Proceedings.act`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from comity.agreement.ladders import read_choice
from comity.casework import review
from comity.casework.case_facts import NOBODY, CaseKind, CaseOpened, Known, Noticed, Notifier
from comity.casework.cases import Case
from comity.casework.facts import Decided, Fact
from comity.casework.record import Record
from comity.casework.refused import Mend, RefusedError, UnknownError
from comity.casework.review import Deciding
from comity.casework.step import Confirmed
from comity.flow.message import Proceedings
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, CaseId, ClauseId, Digest, NoticeId, ReviewerId
from comity.model.message import Message
from comity.model.statement import Breach, Origin

_CLAIM = Duration(count=30, unit=Unit.MINUTE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What somebody reports about a message (EU DSA Article 16)."""

    message: Message
    where: str
    why: str
    good_faith: bool
    origin: Origin = Origin.USER
    clause: ClauseId | None = None
    notifier: Notifier = NOBODY
    quote: str = ""
    known: Known = Known.TEXT


def notice(proceedings: Proceedings, given: Notice, at: datetime) -> Noticed:
    """Put it before a person: many notices on one account's messages are one case. Raises `RefusedError`."""
    demand_said(given.why, good_faith=given.good_faith)
    _demand_known(proceedings, given.clause)
    account, made = given.message.author, list[Noticed]()

    def follows(record: Record) -> Iterator[Fact]:
        open_case = record.open_case(CaseKind.REVIEW)
        case = open_case.id if open_case else CaseId(proceedings.fresh())
        if open_case is None:
            why = "Somebody reported a message."
            yield CaseOpened(account=account, at=at, case=case, why=why)
        noticed = Noticed(
            account=account,
            at=at,
            notice=NoticeId(proceedings.fresh()),
            case=case,
            message=given.message,
            origin=given.origin,
            where=given.where,
            why=given.why,
            good_faith=given.good_faith,
            clause=given.clause,
            notifier=given.notifier,
            quote=given.quote,
            known=given.known,
        )
        made.append(noticed)
        yield noticed

    proceedings.act([account], follows)
    return made[0]


def demand_said(why: str, *, good_faith: bool) -> None:
    """Raises `RefusedError` if what a notice has to say is missing."""
    if not why.strip():
        raise RefusedError("a notice says why the message breaches the agreement: its reason is missing")
    if not good_faith:
        raise RefusedError("a notice is given in good faith: say that you believe it to be true (`good_faith`)")


def _demand_known(proceedings: Proceedings, clause: ClauseId | None) -> None:
    """Raises `RefusedError` for a clause that no version has."""
    every = proceedings.versions.every
    if clause is None or any(each.id == clause for one in every for each in one.agreement.clauses):
        return
    named = ", ".join(each.id for each in every[-1].agreement.clauses) if every else ""
    raise RefusedError(f"the agreement has no clause {clause!r}; leave it out, or name one of {named or 'none'}")


def claim(proceedings: Proceedings, case: CaseId, by: ReviewerId, at: datetime) -> tuple[Fact, ...]:
    """For half an hour; claiming again extends it."""
    whose = account_of(proceedings, case)
    return proceedings.act([whose], lambda record: review.claim(record, case, by, at, _CLAIM.after(at)))


def release(proceedings: Proceedings, case: CaseId, by: ReviewerId, at: datetime) -> tuple[Fact, ...]:
    whose = account_of(proceedings, case)
    return proceedings.act([whose], lambda record: review.release(record, case, by, at))


def hand_over(proceedings: Proceedings, case: CaseId, by: ReviewerId, to: ReviewerId, at: datetime) -> tuple[Fact, ...]:
    whose = account_of(proceedings, case)
    return proceedings.act([whose], lambda record: review.hand_over(record, case, by, to, at, _CLAIM.after(at)))


def escalate(proceedings: Proceedings, case: CaseId, by: ReviewerId, why: str, at: datetime) -> tuple[Fact, ...]:
    whose = account_of(proceedings, case)
    return proceedings.act([whose], lambda record: review.escalate(record, case, by, why, at))


def confirm(
    proceedings: Proceedings,
    deciding: Deciding,
    at: datetime,
    *,
    clauses: Sequence[ClauseId] = (),
    instead: str | None = None,
) -> tuple[Fact, ...]:
    """A person decides that the case's messages breach `clauses`; none: those that were found or named in notices.

    `instead`: milder measures than the ladder's, as `read_choice` reads them. Raises `RefusedError` or `ChoiceError`.
    """
    whose = account_of(proceedings, deciding.case)
    return proceedings.act(
        [whose], lambda record: confirmed(proceedings, record, deciding, at, clauses=clauses, instead=instead)
    )


def preview(
    proceedings: Proceedings,
    deciding: Deciding,
    at: datetime,
    *,
    clauses: Sequence[ClauseId] = (),
    instead: str | None = None,
) -> tuple[Fact, ...]:
    """What `confirm` would record; nothing is kept."""
    record = proceedings.record(account_of(proceedings, deciding.case))
    return confirmed(proceedings, record, deciding, at, clauses=clauses, instead=instead)


def dismiss(proceedings: Proceedings, deciding: Deciding, at: datetime) -> tuple[Fact, ...]:
    """A person decides that nothing of the case is a breach. Raises `RefusedError`."""
    whose = account_of(proceedings, deciding.case)
    return proceedings.act([whose], lambda record: dismissed(proceedings, record, deciding, at))


def dismissed(proceedings: Proceedings, record: Record, deciding: Deciding, at: datetime) -> tuple[Fact, ...]:
    """The facts of it; nothing is kept."""
    return review.dismiss(record, deciding, proceedings.given(at), proceedings.versions.agreement)


def assess(proceedings: Proceedings, deciding: Deciding, clauses: Sequence[ClauseId], at: datetime) -> tuple[Fact, ...]:
    """What a second reviewer would have said; `clauses` empty: no breach. Raises `RefusedError`."""
    latest = proceedings.versions.latest()
    known = {clause.id for clause in latest.agreement.clauses} if latest else set[ClauseId]()
    for clause in clauses:
        if clause not in known:
            raise RefusedError(f"the agreement has no clause “{clause}”")
    whose = account_of(proceedings, deciding.case)
    return proceedings.act([whose], lambda record: review.assess(record, deciding, tuple(clauses), at))


def account_of(proceedings: Proceedings, id_: str) -> AccountId:
    """Whose decision, case, appeal or notice it is. Raises `RefusedError` if there is none."""
    account = proceedings.store.account_of(id_)
    if account is None:
        gone = proceedings.store.is_erased(id_)
        erased = f"{id_} was erased with its account's data"
        raise UnknownError(erased) if gone else UnknownError(f"there is nothing with the id {id_}", Mend.LOOK_UP)
    return account


def confirmed(
    proceedings: Proceedings,
    record: Record,
    deciding: Deciding,
    at: datetime,
    *,
    clauses: Sequence[ClauseId] = (),
    instead: str | None = None,
) -> tuple[Fact, ...]:
    """The facts of a confirmation; nothing is kept."""
    case = record.case(deciding.case)
    if case is None:
        raise RefusedError(f"the account has no case {deciding.case}", Mend.LOOK_UP)
    breaches = tuple(_breaches(proceedings, record, case, clauses))
    given = proceedings.given(at)
    rows = None
    if instead is not None:
        newest = max(breaches, key=lambda each: each.message.sent, default=None)
        if newest is None:
            raise RefusedError("nothing is confirmed: name the clauses that are breached", Mend.NAME_CLAUSES)
        rows = read_choice(instead, newest.agreement)
    facts = review.confirm(record, deciding, breaches, given, proceedings.versions.agreement, rows)
    _demand_author(case, facts)
    return facts


def _demand_author(case: Case, facts: Iterable[Fact]) -> None:
    """Raises `RefusedError` for a measure on somebody of whom no more is known than that there is a message."""
    unknown = {(each.message.source, each.message.id) for each in case.notices if each.known is Known.NOTHING}
    for fact in facts:
        if not isinstance(fact, Decided) or unknown.isdisjoint((each.source, each.message) for each in fact.breaches):
            continue
        if any(measure.channels for measure in fact.measures):
            raise RefusedError(
                "nobody knows here who sent the message, so only the message can be dealt with: choose `remove`,"
                " `mark` or `warn` in your own words"
            )


def _breaches(proceedings: Proceedings, record: Record, case: Case, clauses: Sequence[ClauseId]) -> Iterator[Confirmed]:
    """What the case is about, in the versions that its messages were judged under."""
    about = record.decision(case.opened.about) if case.opened.about else None
    found = about.breaches if about else case.breaches
    messages = {(each.source, each.id): each for known in record.cases for each in known.named}
    for breach in found:
        if not clauses or breach.clause in clauses:
            message = messages.get((breach.source, breach.message)) or _stored(proceedings, breach)
            yield from _under(proceedings, record, message, breach)
    known = {(breach.source, breach.message, breach.clause) for breach in found}
    for message, origin, clause in _named(case, clauses):
        if (message.source, message.id, clause) not in known:
            known.add((message.source, message.id, clause))
            yield from _under(proceedings, record, message, _breach(message, origin, clause))


def _named(case: Case, clauses: Sequence[ClauseId]) -> Iterator[tuple[Message, Origin, ClauseId]]:
    """Each message of a notice with each clause that a person names for it."""
    for each in case.notices:
        named: Iterable[ClauseId] = clauses or ((each.clause,) if each.clause else ())
        yield from ((each.message, each.origin, clause) for clause in named)
    if case.opened.message is not None:
        yield from ((case.opened.message, Origin.USER, clause) for clause in clauses)


def _under(proceedings: Proceedings, record: Record, message: Message, breach: Breach) -> Iterator[Confirmed]:
    one = proceedings.versions.of(breach.agreement) if breach.agreement else proceedings.bound(record, message.sent)
    if one is None:
        raise RefusedError(f"no version of the agreement was in force when message {message.id} was sent")
    if breach.clause not in {clause.id for clause in one.agreement.clauses}:
        raise RefusedError(f"the version that binds message {message.id} has no clause “{breach.clause}”")
    yield Confirmed(
        clause=one.agreement.clause(breach.clause),
        breach=msgspec.structs.replace(breach, agreement=one.agreement.digest),
        message=message,
        agreement=one.agreement,
    )


def _stored(proceedings: Proceedings, breach: Breach) -> Message:
    message = proceedings.store.message(breach.source, breach.message)
    if message is None:
        raise RefusedError(f"the text of message {breach.message} is not kept any more")
    return message


def _breach(message: Message, origin: Origin, clause: ClauseId) -> Breach:
    return Breach(
        source=message.source,
        message=message.id,
        channel=message.channel,
        sent=message.sent,
        clause=clause,
        agreement=Digest(""),  # `_under` names it
        origin=origin,
    )
