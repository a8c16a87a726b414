"""What the contract of a store puts into it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from comity.casework.case_facts import CaseClosed, CaseOpened
from comity.casework.facts import Accepted, Decided, Fact, HandleGiven
from comity.ledger.commitment import Opening
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, CaseId, Channel, ClauseId, DecisionId, Digest, MessageId, ReviewerId
from comity.model.message import Message
from comity.model.statement import Breach, QuotedMessage, Statement
from comity.ports import Answer, Outcome, Owned, Taken

VERSION = Digest("sha256:" + "0" * 64)
AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
HOSTILE = "Robert'); drop table facts;--\0\n\u202e\U0001f600" + "x" * 900


def taken(id_: str, *, source: str = "s", author: str = "ann", ago: timedelta = timedelta(), text: str = "") -> Taken:
    """A message taken in, its text kept if it has one."""
    message = Message(
        id=MessageId(id_), source=source, author=AccountId(author), channel=Channel("posts"), text=text, sent=AT - ago
    )
    answer = Answer(message=message.id, outcome=Outcome.ALLOWED)
    return Taken(message=message, trace=f"{source}/{id_}".encode(), answer=answer, keep_text=bool(text))


def accepted(account: str, *, language: str = "en") -> Fact:
    return Accepted(account=AccountId(account), at=AT, agreement=VERSION, language=language)


def case_opened(account: str, case: str, *, why: str = "", ago: timedelta = timedelta()) -> CaseOpened:
    return CaseOpened(account=AccountId(account), at=AT - ago, case=CaseId(case), why=why)


def case_closed(account: str, case: str) -> Fact:
    return CaseClosed(account=AccountId(account), at=AT, case=CaseId(case), by=ReviewerId("mara"), why="Seen.")


def handle_given(account: str, channel: Channel, handle: str) -> Fact:
    return HandleGiven(account=AccountId(account), at=AT, channel=channel, handle=handle, since=AT)


def decided(account: str, decision: str, *, text: str = "", ago: timedelta = timedelta()) -> Decided:
    """A decision with a statement that shows `text`."""
    at, channel = AT - ago, Channel("posts")
    breach = Breach(
        source="s", message=MessageId("m"), channel=channel, sent=at, clause=ClauseId("spam"), agreement=VERSION
    )
    statement = Statement(
        id=DecisionId(decision),
        account=AccountId(account),
        at=at,
        agreement=VERSION,
        agreement_title="Rules",
        language="en",
        is_bound_by_acceptance=False,
        clauses=(),
        breaches=(breach,),
        messages=(QuotedMessage(source="s", id=MessageId("m"), channel=channel, sent=at, subject="", text=text),),
        measures=(),
        added=(),
        live=(),
        points_expire="",
        next_step=None,
        conditions=(),
        appeal_window="",
        contact="",
    )
    return Decided(
        account=AccountId(account),
        at=at,
        decision=DecisionId(decision),
        step=1,
        breaches=(breach,),
        ladders=(),
        points=(),
        measures=(),
        statement=statement,
        review_within=Duration(count=1, unit=Unit.DAY),
    )


def owned(account: str, entry: str, field: str, value: str) -> Owned:
    """An opening that shows `value`."""
    return Owned(account=AccountId(account), opening=Opening(entry_id=entry, field=field, salt=b"s" * 32, value=value))
