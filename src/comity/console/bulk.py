"""What one rule alone put before people, decided at once after a sample of it was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from comity.casework.cases import Case
from comity.casework.record import fold
from comity.console.case import DISMISS, LADDER, OWN, Desk
from comity.console.queue import titles
from comity.console.refusals import PageError
from comity.console.sent import Sent, Several, several
from comity.console.shell import onward
from comity.console.visit import PageRequest
from comity.flow import bulk as flow
from comity.flow.case_texts import texts_of
from comity.flow.message import Proceedings
from comity.model.ids import CaseId, ClauseId
from comity.model.message import Message
from comity.ports import Store

_LOT: Final = 16
_ACTS: Final = (LADDER, OWN, DISMISS)

Name = Annotated[str, QueryParameter(max_length=200)]


class Deciding(Sent, frozen=True):
    """`lot` and `read`: of the sample that was shown, so that nothing else is decided than what it was drawn from."""

    clause: Annotated[str, msgspec.Meta(max_length=200)]
    lot: Annotated[str, msgspec.Meta(max_length=64)]
    choice: str
    read: Several = ()
    own: Annotated[str, msgspec.Meta(max_length=1_000)] = ""
    why: Annotated[str, msgspec.Meta(max_length=10_000)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    case: Case
    messages: tuple[Message, ...]


def bulk_routes(of: Desk) -> list[ControllerRouterHandler]:
    @get("/console/bulk")
    async def sample(request: PageRequest, clause: Name) -> Response[str]:
        now, by = of.clock.now(), request.auth.name

        def drawn(running: Proceedings) -> tuple[flow.Bulk, tuple[Sampled, ...], str]:
            found = flow.found_by(running.store, ClauseId(clause), running.fresh()[:_LOT], by, now)
            return found, tuple(_sampled(running.store, found)), titles(running.versions).get(found.clause, clause)

        found, cases, title = await of.asks.read(drawn)
        return of.shell.answer(request, "bulk", found=found, cases=cases, clause=title)

    @post("/console/bulk", status_code=HTTPStatus.OK)
    async def decide(request: PageRequest, data: URLEncodedBody[Deciding]) -> Redirect:
        now, by = of.clock.now(), request.auth.name
        if data.choice not in _ACTS:
            raise PageError(HTTPStatus.BAD_REQUEST, "This cannot be done", "Choose what follows.")
        instead = data.own if data.choice == OWN else None
        why = data.why.replace("\r\n", "\n").strip()
        said = flow.Decision(by=by, why=why, confirms=data.choice != DISMISS, instead=instead)
        read = [CaseId(each) for each in several(data.read)]

        def act(running: Proceedings) -> int:
            found = flow.found_by(running.store, ClauseId(data.clause), data.lot, by, now)
            flow.decide(running, found, read, said, now)
            return len(found.cases)

        return onward(f"/console/queue?done=bulk&count={await of.asks.act(act)}")

    return [sample, decide]


def _sampled(store: Store, found: flow.Bulk) -> Iterator[Sampled]:
    for case in found.sample:
        account = case.opened.account
        record = fold(account, store.facts_of(account))
        yield Sampled(case=case, messages=texts_of(store, record, case))
