"""Appeals: filed by the account, with its statement's link, and decided by somebody who took no part."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter
from litestar.types import ControllerRouterHandler

from comity.api.access import TokenRequest
from comity.api.cases import After, Text, place
from comity.api.conditional import LIMIT, UNCHANGED, Limit, NotModified, conditional, next_page
from comity.api.desk import Queue
from comity.api.once import Key, Once
from comity.api.sources import Line, Statement
from comity.casework.appeal import LONGEST_TEXT, MOST_ATTACHMENTS
from comity.casework.facts import Appealed, AppealOutcome, Party, Recomputed
from comity.flow import appeal as flow
from comity.flow.appeal import Complaint
from comity.flow.message import Proceedings
from comity.model.ids import AccountId, AppealId, DecisionId, ReviewerId
from comity.ports import Clock

LARGEST_APPEAL: Final = 70 << 20
"""Five files of 10 MB, as base64."""
AppealPath = Annotated[str, PathParameter(pattern="^[0-9a-f]{32}$", description="The appeal's id.")]


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


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An appeal that waits for its outcome. `text`: what its party says."""

    id: AppealId
    statement: DecisionId
    account: AccountId
    party: Party
    text: str
    files: tuple[str, ...]
    since: datetime


def appeal_routes(queue: Queue, once: Once, clock: Clock) -> list[ControllerRouterHandler]:
    return [*_waiting_routes(queue), *_act_routes(once, clock)]


def _waiting_routes(queue: Queue) -> list[ControllerRouterHandler]:
    @get("/v1/appeals", responses=UNCHANGED)
    async def appeals(after: After = None, limit: Limit = LIMIT, known: NotModified = None) -> Response[list[Waiting]]:
        """The appeals that wait, the longest waiting first; `Link` names the next page.

        Of a notifier's appeal `statement` is the decision that it is against, which may be a dismissal.
        """
        waiting = await queue.read(_waiting)
        rest = [each for each in waiting if after is None or place(each) > after]
        more = next_page("/v1/appeals", place(rest[limit - 1]), limit) if len(rest) > limit else None
        return conditional(rest[:limit], known, next_=more)

    return [appeals]


def _waiting(running: Proceedings) -> list[Waiting]:
    found = ((running.record(account), AppealId(id_)) for id_, account in running.store.waiting())
    rows = (_row(appeal.filed) for record, id_ in found if (appeal := record.appeal(id_)) is not None)
    return sorted(rows, key=place)


def _row(filed: Appealed) -> Waiting:
    return Waiting(
        id=filed.appeal,
        statement=filed.decision,
        account=filed.account,
        party=filed.party,
        text=filed.text,
        files=tuple(each.name for each in filed.attachments),
        since=filed.at,
    )


def _act_routes(once: Once, clock: Clock) -> list[ControllerRouterHandler]:
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
            fact = flow.file(running, given, clock.now())
            return Filed(appeal=fact.appeal, statement=fact.decision)

        return await once.act(request, key, act, Filed)

    @post("/v1/appeals/{appeal:str}/outcome", status_code=HTTPStatus.OK)
    async def decide(request: TokenRequest, appeal: AppealPath, data: JSONBody[Outcome], key: Key = None) -> OutcomeNow:
        """Decide an appeal: 403 for whoever took part in the decision that it is against."""
        id_ = AppealId(appeal)
        return await once.act(request, key, lambda running: _decided(running, id_, data, clock), OutcomeNow)

    return [file, decide]


def _decided(running: Proceedings, id_: AppealId, given: Outcome, clock: Clock) -> OutcomeNow:
    by, now = ReviewerId(given.by), clock.now()
    facts = flow.give_outcome(running, id_, given.outcome, by, given.why, now, instead=given.instead)
    again = sum(isinstance(fact, Recomputed) for fact in facts)
    return OutcomeNow(appeal=id_, outcome=given.outcome, recomputed=again)
