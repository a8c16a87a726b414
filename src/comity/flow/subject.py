"""What a person does with the links to a statement: read it, confirm having read it, get a new link for a lost one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from comity.casework.facts import Fact, How, LinkReplaced
from comity.casework.record import Record
from comity.casework.recorded import Recorded
from comity.casework.refused import RefusedError
from comity.flow import amend
from comity.flow.links import MOST_REPLACED, Links, Purpose
from comity.flow.message import Proceedings
from comity.flow.review import account_of
from comity.model.agreement import Agreement
from comity.model.ids import DecisionId, ReviewerId

ACKNOWLEDGED: Final = "acknowledged"
"""The condition that the account meets by saying on the statement's page that it has read it."""
_ACCOUNT: Final = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A statement and the record of its account. `version`: what it was decided under."""

    record: Record
    one: Recorded
    version: Agreement | None


def told(proceedings: Proceedings, links: Links, purpose: Purpose, token: str) -> Told | None:
    """What the link leads to; None if it was never given out, was replaced, or ended with its statement's erasure."""
    found = links.statement(purpose, token)
    if found is None:
        return None
    decision, number = found
    account = proceedings.store.account_of(decision)
    record = proceedings.record(account) if account else None
    one = record.decision(decision) if record else None
    if record is None or one is None or number != _number(one, purpose):
        return None
    return Told(record=record, one=one, version=proceedings.versions.agreement(one.decided.statement.agreement))


def path(links: Links, purpose: Purpose, one: Recorded) -> str:
    """Where the statement is read: below the address of the service."""
    letter = "s" if purpose is Purpose.STATEMENT else "r"
    return f"/{letter}/{links.token(purpose, one.id, number=_number(one, purpose))}"


def open_by_link(proceedings: Proceedings, decision: DecisionId, at: datetime) -> tuple[Fact, ...]:
    """The account has opened its statement: it is delivered, if it was not before."""
    return amend.deliver(proceedings, decision, How.LINK, at)


def acknowledge(proceedings: Proceedings, decision: DecisionId, at: datetime) -> tuple[Fact, ...]:
    """The account says that it has read the statement. Raises `RefusedError` if no measure waits for that."""
    return amend.attest(proceedings, decision, ACKNOWLEDGED, _ACCOUNT, at)


def waits_for_reading(one: Recorded, at: datetime) -> bool:
    """Whether a measure of the decision lasts until the account says that it has read the statement."""
    is_met = ACKNOWLEDGED in dict(one.met)
    return not is_met and any(ACKNOWLEDGED in each.until and not each.is_over(at) for each in one.measures)


def replace_link(proceedings: Proceedings, decision: DecisionId, by: ReviewerId, at: datetime) -> tuple[Fact, ...]:
    """The statement link given out before leads to nothing from now on. Raises `RefusedError`.

    A refusal link is not replaced: it shows what whoever was refused may know, and is no secret.
    """

    def follows(record: Record) -> tuple[Fact, ...]:
        one = record.decision(decision)
        if one is None:
            raise RefusedError(f"there is no statement {decision}")
        if one.links >= MOST_REPLACED:
            raise RefusedError(f"its link was replaced {MOST_REPLACED} times; no more are made")
        return (LinkReplaced(account=record.account, at=at, decision=decision, by=by),)

    return proceedings.act([account_of(proceedings, decision)], follows)


def _number(one: Recorded, purpose: Purpose) -> int:
    return one.links if purpose is Purpose.STATEMENT else 0
