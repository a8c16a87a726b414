"""A statement after it was issued: read, corrected, lifted, appealed against; and its proof."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

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
from comity.casework.appeal import LONGEST_TEXT, MOST_ATTACHMENTS
from comity.casework.facts import AppealOutcome, Recomputed
from comity.casework.telling import Told, told_of
from comity.flow import amend, appeal
from comity.flow.appeal import Complaint
from comity.flow.message import Proceedings
from comity.model.ids import AppealId, DecisionId, ReviewerId
from comity.ports import Clock

LARGEST_APPEAL = 70 << 20
"""Five files of 10 MB, as base64."""
AppealPath = Statement


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What it should have said. `instead`: milder measures, as the ladder's rows are written."""

    by: Line
    note: Text
    instead: str | None = None


class CorrectedNow(msgspec.Struct, frozen=True, kw_only=True):
    """How many versions the statement has now, the first one included."""

    statement: DecisionId
    versions: int


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file that comes with an appeal. `content` is base64."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    content: bytes


class Appealing(msgspec.Struct, frozen=True, kw_only=True):
    """Why the decision is wrong, in the account's own words."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TEXT)]
    files: Annotated[tuple[File, ...], msgspec.Meta(max_length=MOST_ATTACHMENTS)] = ()


class Filed(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who took no part decides it."""

    appeal: AppealId
    statement: DecisionId


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How an appeal ends. `instead`: of `varied`, the milder measures, as the ladder's rows are written."""

    outcome: AppealOutcome
    by: Line
    why: Text
    instead: str | None = None


class OutcomeNow(msgspec.Struct, frozen=True, kw_only=True):
    """`recomputed`: how many later decisions became milder because of it."""

    appeal: AppealId
    outcome: AppealOutcome
    recomputed: int


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

    @post(
        "/v1/statements/{statement:str}/appeals",
        status_code=HTTPStatus.CREATED,
        request_max_body_size=LARGEST_APPEAL,
    )
    async def file(request: TokenRequest, statement: Statement, data: JSONBody[Appealing], key: Key = None) -> Filed:
        """Appeal, with the statement's own link as `Authorization: Link TOKEN`."""
        files = [(each.name, each.content) for each in data.files]
        given = Complaint(decision=DecisionId(statement), text=data.text, files=files)

        def act(running: Proceedings) -> Filed:
            fact = appeal.file(running, given, clock.now())
            return Filed(appeal=fact.appeal, statement=fact.decision)

        return await once.act(request, key, act, Filed)

    @post("/v1/appeals/{appeal:str}/outcome", status_code=HTTPStatus.OK)
    async def decide(request: TokenRequest, appeal: AppealPath, data: JSONBody[Outcome], key: Key = None) -> OutcomeNow:
        """Decide an appeal: 403 for whoever took part in the decision that it is against."""
        id_ = AppealId(appeal)
        return await once.act(request, key, lambda running: _decided(running, id_, data, clock), OutcomeNow)

    return [read, correct, lift, file, decide]


def _decided(running: Proceedings, id_: AppealId, given: Outcome, clock: Clock) -> OutcomeNow:
    by, now = ReviewerId(given.by), clock.now()
    facts = appeal.give_outcome(running, id_, given.outcome, by, given.why, now, instead=given.instead)
    again = sum(isinstance(fact, Recomputed) for fact in facts)
    return OutcomeNow(appeal=id_, outcome=given.outcome, recomputed=again)


def _told(running: Proceedings, statement: DecisionId) -> Told:
    account = running.store.account_of(statement)
    one = running.record(account).decision(statement) if account else None
    if one is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no statement {statement}, or it was erased.")
    return told_of(one)
