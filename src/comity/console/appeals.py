"""Appeals: what waits for somebody who took no part, what the account says, and the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from comity.agreement.ladders import ChoiceError
from comity.casework.appeal import took_part
from comity.casework.facts import Appealed, AppealOutcome, Fact
from comity.casework.refused import RefusedError
from comity.console.case import Desk, Shown
from comity.console.queue import since
from comity.console.refusals import PageError
from comity.console.sent import Sent
from comity.console.shell import onward
from comity.console.told import told
from comity.console.visit import PageRequest
from comity.flow import appeal as flow
from comity.flow import preview, review
from comity.flow.account import Offers
from comity.flow.agreement import Versions
from comity.flow.dossier import AppealDossier, appeal_dossier
from comity.flow.message import Proceedings
from comity.flow.preview import Statement
from comity.flow.queue import Queue
from comity.model.ids import AppealId, Digest, ReviewerId
from comity.ports import Store

_BACK: Final = ("/console/appeals", "To the appeals")
_EXCERPT: Final = 240

Done = Annotated[str, QueryParameter(max_length=20)]
AppealPath = Annotated[str, PathParameter(max_length=100)]


class Answering(Sent, frozen=True):
    outcome: AppealOutcome
    own: Annotated[str, msgspec.Meta(max_length=1_000)] = ""
    why: Annotated[str, msgspec.Meta(max_length=10_000)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One appeal that waits. `is_barred`: whoever looks took part, so that somebody else has to decide it."""

    id: str
    account: str
    party: str
    excerpt: str
    waits: str
    is_barred: bool


def appeal_routes(of: Desk) -> list[ControllerRouterHandler]:
    return [*_reading(of), *_answering(of)]


def _reading(of: Desk) -> list[ControllerRouterHandler]:
    offers = Offers()

    @get("/console/appeals")
    async def appeals(request: PageRequest, done: Done = "") -> Response[str]:
        now, name = of.clock.now(), request.auth.name
        lines = await of.reader.look(lambda store: _lines(store, of.queue, name, now))
        offered = len(await of.reader.look(offers.now))
        return of.shell.answer(request, "appeals", lines=lines, offered=offered, done=done)

    @get("/console/appeals/{appeal:str}")
    async def appeal(request: PageRequest, appeal: AppealPath) -> Response[str]:
        return await _page(of, request, AppealId(appeal))

    @get("/console/appeals/{appeal:str}/files/{number:int}")
    async def file(request: PageRequest, appeal: AppealPath, number: FromPath[int]) -> Response[bytes]:
        """To be kept, never shown: what a file of somebody else's does when opened here is nobody's to say."""
        name, content = await of.reader.look(lambda store: _file(store, AppealId(appeal), number))
        return of.shell.download(content, name)

    return [appeals, appeal, file]


def _answering(of: Desk) -> list[ControllerRouterHandler]:
    @post("/console/appeals/{appeal:str}/preview", status_code=HTTPStatus.OK)
    async def previewed(request: PageRequest, appeal: AppealPath, data: URLEncodedBody[Answering]) -> Response[str]:
        shown = await _preview(of, request.auth.name, AppealId(appeal), data)
        if request.headers.get("hx-request"):
            return of.shell.answer(request, "appeal_preview", id=appeal, shown=shown, said=data)
        return await _page(of, request, AppealId(appeal), shown=shown, said=data)

    @post("/console/appeals/{appeal:str}/outcome", status_code=HTTPStatus.OK)
    async def answer(request: PageRequest, appeal: AppealPath, data: URLEncodedBody[Answering]) -> Redirect:
        given, now = _given(AppealId(appeal), request.auth.name, data), of.clock.now()
        await of.asks.act(lambda running: _answered(running, given, now))
        return onward(f"/console/appeals?done={data.outcome}")

    return [previewed, answer]


def _given(appeal: AppealId, by: ReviewerId, data: Answering) -> flow.Given:
    instead = data.own if data.outcome is AppealOutcome.VARIED else None
    why = data.why.replace("\r\n", "\n").strip()
    return flow.Given(appeal=appeal, outcome=data.outcome, by=by, why=why, instead=instead)


def _answered(running: Proceedings, given: flow.Given, now: datetime) -> tuple[Fact, ...]:
    """Raises `PageError`, 412, that says who was first."""
    known = running.record(review.account_of(running, given.appeal)).appeal(given.appeal)
    if known is not None and known.outcome is not None:
        said = f"{known.outcome.by} decided this appeal {since(known.outcome.at, now)} ago: {known.outcome.outcome}."
        detail = f"{said} Nothing of yours was sent."
        raise PageError(HTTPStatus.PRECONDITION_FAILED, "Somebody was first", detail, back=_BACK)
    return flow.give_outcome(running, given.appeal, given.outcome, given.by, given.why, now, instead=given.instead)


async def _page(
    of: Desk, request: PageRequest, id_: AppealId, *, shown: Shown | None = None, said: Answering | None = None
) -> Response[str]:
    now, by = of.clock.now(), request.auth.name
    found = await of.reader.look(lambda store: _dossier(store, of.queue.versions(store), id_, now))
    if found is None:
        raise PageError(HTTPStatus.NOT_FOUND, "There is no such appeal", "It may have been erased.", back=_BACK)
    dossier, statement = found
    return of.shell.answer(
        request,
        "appeal",
        found=dossier,
        told=told([statement], of.shell.zone) if statement else (),
        is_barred=by in took_part(dossier.whose.record, dossier.appeal.filed.decision),
        waits=since(dossier.appeal.filed.at, now),
        is_late=dossier.due is not None and dossier.due <= now,
        shown=shown,
        said=said or Answering(outcome=AppealOutcome.UPHELD),
    )


def _dossier(
    store: Store, versions: Versions, id_: AppealId, now: datetime
) -> tuple[AppealDossier, Statement | None] | None:
    found = appeal_dossier(store, versions, id_, now)
    if found is None:
        return None
    if found.one is None:
        return found, None
    agreement = versions.agreement(found.one.decided.statement.agreement)
    return found, Statement(one=found.one, agreement=agreement)


async def _preview(of: Desk, by: ReviewerId, id_: AppealId, data: Answering) -> Shown:
    given, now = _given(id_, by, data), of.clock.now()
    if not given.why:
        return Shown(problem="Write your reasons: whoever appealed will read them.")
    try:
        found = await of.asks.read(lambda running: preview.decided(running, given, now))
    except ChoiceError as error:
        return Shown(problem=f"The measures cannot be read: {error}")
    except RefusedError as error:
        return Shown(problem=f"This cannot be sent: {error}.")
    return Shown(told=told(found, of.shell.zone), is_ready=True)


def _lines(store: Store, queue: Queue, by: ReviewerId, now: datetime) -> tuple[Line, ...]:
    return tuple(
        Line(
            id=each.id,
            account=each.account,
            party=each.what.party,
            excerpt=each.what.text[:_EXCERPT],
            waits=since(each.what.at, now),
            is_barred=by in took_part(each.record, each.what.decision),
        )
        for each in queue.look(store, now)
        if isinstance(each.what, Appealed)
    )


def _file(store: Store, id_: AppealId, number: int) -> tuple[str, bytes]:
    account = store.account_of(id_)
    facts = store.facts_of(account) if account else ()
    filed = next((each for each in facts if isinstance(each, Appealed) and each.appeal == id_), None)
    kept = filed.attachments[number : number + 1] if filed and number >= 0 else ()
    content = store.attachment(account, Digest(kept[0].digest)) if account and kept else None
    if content is None:
        raise PageError(HTTPStatus.NOT_FOUND, "There is no such file", "It may have been erased.", back=_BACK)
    return kept[0].name, content
