"""A statement after it was issued: read, corrected, lifted."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from comity.api.access import TokenRequest
from comity.api.cases import Lifting, Text
from comity.api.conditional import UNCHANGED, NotModified, conditional
from comity.api.desk import Queue
from comity.api.once import Key, Once
from comity.api.problems import ProblemError
from comity.api.sources import Line, Statement
from comity.casework.telling import Told, told_of
from comity.flow import amend
from comity.flow.message import Proceedings
from comity.model.ids import DecisionId, ReviewerId
from comity.ports import Clock


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What it should have said. `instead`: milder measures, as the ladder's rows are written."""

    by: Line
    note: Text
    instead: str | None = None


class CorrectedNow(msgspec.Struct, frozen=True, kw_only=True):
    """How many versions the statement has now, the first one included."""

    statement: DecisionId
    versions: int


def statement_routes(queue: Queue, once: Once, clock: Clock) -> list[ControllerRouterHandler]:
    @get("/v1/statements/{statement:str}", responses=UNCHANGED)
    async def read(statement: Statement, known: NotModified = None) -> Response[Told]:
        """All that its account is told: as issued, every version since, how its measures stand."""
        told = await queue.read(lambda running: _told(running, DecisionId(statement)))
        return conditional(told, known, cache="no-store")

    @post("/v1/statements/{statement:str}/corrections", status_code=HTTPStatus.CREATED)
    async def correct(
        request: TokenRequest, statement: Statement, data: JSONBody[Correction], key: Key = None
    ) -> CorrectedNow:
        """A new version of the statement; the old ones stay readable."""
        id_, by, now = DecisionId(statement), ReviewerId(data.by), clock.now()

        def act(running: Proceedings) -> CorrectedNow:
            amend.correct(running, id_, by, data.note, now, instead=data.instead)
            return CorrectedNow(statement=id_, versions=len(_told(running, id_).versions))

        return await once.act(request, key, act, CorrectedNow)

    @post("/v1/statements/{statement:str}/lift", status_code=HTTPStatus.NO_CONTENT)
    async def lift(request: TokenRequest, statement: Statement, data: JSONBody[Lifting], key: Key = None) -> None:
        """End a statement's measures before their time."""
        by, now = ReviewerId(data.by), clock.now()

        def act(running: Proceedings) -> None:
            amend.lift(running, DecisionId(statement), by, data.why, now)

        await once.act(request, key, act, type(None))

    return [read, correct, lift]


def _told(running: Proceedings, statement: DecisionId) -> Told:
    account = running.store.account_of(statement)
    one = running.record(account).decision(statement) if account else None
    if one is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no statement {statement}, or it was erased.")
    return told_of(one)
