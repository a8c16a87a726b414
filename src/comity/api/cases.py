"""What reviewers decide: the cases that wait, a decision on one, a measure lifted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final, Protocol

import msgspec
from litestar import Response, get, post
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter
from litestar.types import ControllerRouterHandler

from comity.api.access import TokenRequest
from comity.api.conditional import LIMIT, UNCHANGED, Limit, NotModified, conditional, next_page, version_in
from comity.api.desk import Queue
from comity.api.once import Key, Once
from comity.api.problems import RaceError
from comity.api.sources import Line
from comity.casework.cases import Case
from comity.casework.facts import Decided
from comity.casework.record import Record
from comity.casework.review import Deciding
from comity.flow import review
from comity.flow.message import Proceedings
from comity.model.ids import AccountId, CaseId, ClauseId, DecisionId, ReviewerId
from comity.ports import Clock

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
CasePath = Annotated[str, PathParameter(pattern="^[0-9a-f]{32}$", description="The case's id.")]
After = Annotated[str | None, QueryParameter(max_length=100, description="Where the page before ended.")]
Version = Annotated[str, HeaderParameter(name="If-Match", description='The version that was read, such as `"3"`.')]


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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


def case_routes(queue: Queue, once: Once, clock: Clock) -> list[ControllerRouterHandler]:
    @get("/v1/cases", responses=UNCHANGED)
    async def cases(after: After = None, limit: Limit = LIMIT, known: NotModified = None) -> Response[list[Waiting]]:
        """The cases that wait for a decision, the longest waiting first; `Link` names the next page."""
        waiting = await queue.read(_waiting)
        rest = [each for each in waiting if after is None or place(each) > after]
        more = next_page("/v1/cases", place(rest[limit - 1]), limit) if len(rest) > limit else None
        return conditional(rest[:limit], known, next_=more)

    @post("/v1/cases/{case:str}/decision", status_code=HTTPStatus.OK)
    async def decide(
        request: TokenRequest, case: CasePath, data: JSONBody[Decision], version: Version, key: Key = None
    ) -> CaseDecided:
        """Decide a case, as it was read: 412 if it has changed since, and nothing is done."""
        read = version_in(version)
        deciding = Deciding(case=CaseId(case), version=read, by=ReviewerId(data.by), why=data.why)
        return await once.act(request, key, lambda running: _decided(running, deciding, data, clock.now()), CaseDecided)

    return [cases, decide]


def _waiting(running: Proceedings) -> list[Waiting]:
    found = ((running.record(account), id_) for id_, account in running.store.waiting())
    rows = (_row(record, case) for record, id_ in found if (case := record.case(CaseId(id_))) is not None)
    return sorted(rows, key=place)


class Waits(Protocol):
    """What waits since then, under that id."""

    @property
    def id(self) -> str: ...
    @property
    def since(self) -> datetime: ...


def place(one: Waits) -> str:
    """Where it stands in the list, and goes on standing while others come and go."""
    return f"{(one.since - _EPOCH) // timedelta(microseconds=1):020d}-{one.id}"


def _row(record: Record, case: Case) -> Waiting:
    return Waiting(
        id=case.id,
        account=record.account,
        kind=str(case.opened.kind),
        why=case.opened.why,
        version=case.version,
        since=case.since,
    )


def demand_version(running: Proceedings, case: CaseId, read: int) -> None:
    """Raises `RaceError` if the case is at another version than was read."""
    known = running.record(review.account_of(running, case)).case(case)
    if known is not None and known.version != read:
        raise RaceError(f"The case has changed: it is at version {known.version}. Read it again, then decide.")


def _decided(running: Proceedings, deciding: Deciding, given: Decision, at: datetime) -> CaseDecided:
    demand_version(running, deciding.case, deciding.version)
    if given.confirm:
        facts = review.confirm(running, deciding, at, clauses=given.clauses, instead=given.instead)
    else:
        facts = review.dismiss(running, deciding, at)
    statement = next((fact.decision for fact in reversed(facts) if isinstance(fact, Decided)), None)
    return CaseDecided(case=deciding.case, statement=statement)
