"""What reviewers decide: the cases that wait, a decision on one, a measure lifted."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import HeaderParameter, JSONBody, PathParameter
from litestar.types import ControllerRouterHandler

from comity.api.desk import Queue
from comity.api.problems import ProblemError, RaceError
from comity.api.sources import Line, Statement
from comity.casework.cases import Case
from comity.casework.facts import Decided
from comity.casework.record import Record
from comity.casework.review import Deciding
from comity.flow import amend, review
from comity.flow.message import Proceedings
from comity.model.ids import AccountId, CaseId, ClauseId, DecisionId, ReviewerId
from comity.ports import Clock

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
CasePath = Annotated[str, PathParameter(pattern="^[0-9a-f]{32}$", description="The case's id.")]
Version = Annotated[str, HeaderParameter(name="If-Match", description='The version that was read, such as `"3"`.')]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Confirm or dismiss. `instead`: milder measures than the ladder's, as its rows are written. `by`: who decides."""

    confirm: bool
    by: Line
    why: Text
    clauses: tuple[ClauseId, ...] = ()
    instead: str | None = None


class CaseDecided(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    case: CaseId
    statement: DecisionId | None


class Lifting(msgspec.Struct, frozen=True, kw_only=True):
    by: Line
    why: Text


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A case that waits for a decision. `version` goes into `If-Match`."""

    id: CaseId
    account: AccountId
    kind: str
    why: str
    version: int
    since: datetime


def case_routes(queue: Queue, clock: Clock) -> list[ControllerRouterHandler]:
    @get("/v1/cases")
    async def cases() -> list[Waiting]:
        """The cases that wait for a decision, the longest waiting first."""
        return await queue.read(_waiting)

    @post("/v1/cases/{case:str}/decision", status_code=HTTPStatus.OK)
    async def decide(case: CasePath, data: JSONBody[Decision], version: Version) -> CaseDecided:
        """Decide a case, as it was read: 412 if it has changed since, and nothing is done."""
        read = _version(version)
        deciding = Deciding(case=CaseId(case), version=read, by=ReviewerId(data.by), why=data.why)
        return await queue.act(lambda running: _decided(running, deciding, data, clock.now()))

    @post("/v1/statements/{statement:str}/lift", status_code=HTTPStatus.NO_CONTENT)
    async def lift(statement: Statement, data: JSONBody[Lifting]) -> None:
        """End a statement's measures before their time."""
        by, now = ReviewerId(data.by), clock.now()
        await queue.act(lambda running: amend.lift(running, DecisionId(statement), by, data.why, now))

    return [cases, decide, lift]


def _waiting(running: Proceedings) -> list[Waiting]:
    found = ((running.record(account), id_) for id_, account in running.store.waiting())
    return [_row(record, case) for record, id_ in found if (case := record.case(CaseId(id_))) is not None]


def _row(record: Record, case: Case) -> Waiting:
    return Waiting(
        id=case.id,
        account=record.account,
        kind=str(case.opened.kind),
        why=case.opened.why,
        version=case.version,
        since=case.since,
    )


def _version(header: str) -> int:
    written = header.strip().strip('"')
    if not written.isascii() or not written.isdigit() or len(written) > 9:
        detail = f'`If-Match` is {header[:80]!r}, not the version of a case such as `"3"`.'
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail)
    return int(written)


def _decided(running: Proceedings, deciding: Deciding, given: Decision, at: datetime) -> CaseDecided:
    known = running.record(review.account_of(running, deciding.case)).case(deciding.case)
    if known is not None and known.version != deciding.version:
        detail = f"The case has changed: it is at version {known.version}. Read it again, then decide."
        raise RaceError(detail)
    if given.confirm:
        facts = review.confirm(running, deciding, at, clauses=given.clauses, instead=given.instead)
    else:
        facts = review.dismiss(running, deciding, at)
    statement = next((fact.decision for fact in reversed(facts) if isinstance(fact, Decided)), None)
    return CaseDecided(case=deciding.case, statement=statement)
