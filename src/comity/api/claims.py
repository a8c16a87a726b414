"""Who works on a case: claimed, given back, handed over, put before somebody with more say; and the case, read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from comity.api.access import TokenRequest
from comity.api.cases import CasePath, Text, Version, demand_version
from comity.api.conditional import UNCHANGED, NotModified, conditional, version_in, version_tag
from comity.api.desk import Queue
from comity.api.once import Key, Once
from comity.api.problems import ProblemError
from comity.api.sources import Line
from comity.casework.case_facts import Known, Noticed
from comity.casework.cases import Case
from comity.flow import review
from comity.flow.case_texts import texts_of
from comity.flow.message import Proceedings
from comity.model.ids import AccountId, CaseId, ClauseId, MessageId, NoticeId, ReviewerId
from comity.model.message import Message
from comity.model.statement import Breach, Origin
from comity.ports import Clock


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """What a notice says; who sent it is not told here.

    `known`: what the record has of its message. `quote`: what its sender says that the message says.
    """

    notice: NoticeId
    at: datetime
    origin: Origin
    where: str
    why: str
    clause: ClauseId | None
    source: str
    message: MessageId
    quote: str
    known: Known


class CaseNow(msgspec.Struct, frozen=True, kw_only=True):
    """A case as a reviewer reads it. `version` goes into `If-Match`. `messages`: those whose texts are kept."""

    id: CaseId
    account: AccountId
    kind: str
    why: str
    version: int
    since: datetime
    holder: ReviewerId | None
    is_escalated: bool
    is_closed: bool
    found: tuple[Breach, ...]
    notices: tuple[Reported, ...]
    messages: tuple[Message, ...]


class CaseVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The version that the case has come to."""

    case: CaseId
    version: int


class By(msgspec.Struct, frozen=True, kw_only=True):
    """Who does it."""

    by: Line


class HandOver(msgspec.Struct, frozen=True, kw_only=True):
    by: Line
    to: Line


class Escalation(msgspec.Struct, frozen=True, kw_only=True):
    by: Line
    why: Text


Work = Callable[[Proceedings, CaseId], object]


def claim_routes(queue: Queue, once: Once, clock: Clock) -> list[ControllerRouterHandler]:
    @get("/v1/cases/{case:str}", responses=UNCHANGED)
    async def read(case: CasePath, known: NotModified = None) -> Response[CaseNow]:
        """One case, closed or not."""
        shown = await queue.read(lambda running: _shown(running, CaseId(case), clock.now()))
        return conditional(shown, known, tag=None if shown.holder else version_tag(shown.version))

    return [read, *_acts(once, clock)]


def _acts(once: Once, clock: Clock) -> list[ControllerRouterHandler]:
    @post("/v1/cases/{case:str}/claim", status_code=HTTPStatus.OK)
    async def claim(
        request: TokenRequest, case: CasePath, data: JSONBody[By], version: Version, key: Key = None
    ) -> Response[CaseVersion]:
        """Work on the case for half an hour; claiming again extends it."""
        by = ReviewerId(data.by)
        return await _done(once, request, key, case, version, lambda run, id_: review.claim(run, id_, by, clock.now()))

    @post("/v1/cases/{case:str}/release", status_code=HTTPStatus.OK)
    async def release(
        request: TokenRequest, case: CasePath, data: JSONBody[By], version: Version, key: Key = None
    ) -> Response[CaseVersion]:
        """Give the case back to the queue."""
        by = ReviewerId(data.by)
        return await _done(
            once, request, key, case, version, lambda run, id_: review.release(run, id_, by, clock.now())
        )

    @post("/v1/cases/{case:str}/hand-over", status_code=HTTPStatus.OK)
    async def hand_over(
        request: TokenRequest, case: CasePath, data: JSONBody[HandOver], version: Version, key: Key = None
    ) -> Response[CaseVersion]:
        """The case is somebody else's from now on."""
        by, to = ReviewerId(data.by), ReviewerId(data.to)
        return await _done(
            once, request, key, case, version, lambda run, id_: review.hand_over(run, id_, by, to, clock.now())
        )

    @post("/v1/cases/{case:str}/escalate", status_code=HTTPStatus.OK)
    async def escalate(
        request: TokenRequest, case: CasePath, data: JSONBody[Escalation], version: Version, key: Key = None
    ) -> Response[CaseVersion]:
        """Put the case before somebody with more say."""
        by, why = ReviewerId(data.by), data.why
        return await _done(
            once, request, key, case, version, lambda run, id_: review.escalate(run, id_, by, why, clock.now())
        )

    return [claim, release, hand_over, escalate]


async def _done(
    once: Once, request: TokenRequest, key: str | None, case: str, version: str, work: Work
) -> Response[CaseVersion]:
    """Does it if the case is as it was read. Raises `RaceError`."""
    read, id_ = version_in(version), CaseId(case)

    def act(running: Proceedings) -> CaseVersion:
        demand_version(running, id_, read)
        work(running, id_)
        return CaseVersion(case=id_, version=_case(running, id_).version)

    answer = await once.act(request, key, act, CaseVersion)
    return Response(answer, headers={"ETag": version_tag(answer.version)}, status_code=HTTPStatus.OK)


def _case(running: Proceedings, case: CaseId) -> Case:
    account = running.store.account_of(case)
    found = running.record(account).case(case) if account else None
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no case {case}.")
    return found


def _shown(running: Proceedings, id_: CaseId, now: datetime) -> CaseNow:
    case = _case(running, id_)
    return CaseNow(
        id=case.id,
        account=case.opened.account,
        kind=str(case.opened.kind),
        why=case.opened.why,
        version=case.version,
        since=case.since,
        holder=case.holder(now),
        is_escalated=case.escalated is not None,
        is_closed=case.closed is not None,
        found=case.breaches,
        notices=tuple(map(_reported, case.notices)),
        messages=texts_of(running.store, running.record(case.opened.account), case),
    )


def _reported(notice: Noticed) -> Reported:
    return Reported(
        notice=notice.notice,
        at=notice.at,
        origin=notice.origin,
        where=notice.where,
        why=notice.why,
        clause=notice.clause,
        source=notice.message.source,
        message=notice.message.id,
        quote=notice.quote,
        known=notice.known,
    )
