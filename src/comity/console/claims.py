"""Reports of messages of which nothing is known here: those that somebody has read are dismissed together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from itertools import islice
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from comity.casework.cases import Case
from comity.console.case import Desk
from comity.console.sent import Sent, Several, several
from comity.console.shell import onward
from comity.console.visit import PageRequest
from comity.flow.claims import AT_ONCE, dismiss, is_claimed
from comity.flow.queue import Waiting
from comity.model.ids import CaseId


class Dismissing(Sent, frozen=True):
    """`read`: of each that is dismissed its id and version, with a colon between."""

    read: Several = ()
    why: Annotated[str, msgspec.Meta(max_length=10_000)] = ""


def claim_routes(of: Desk) -> list[ControllerRouterHandler]:
    @get("/console/claims")
    async def shown(request: PageRequest) -> Response[str]:
        now, by = of.clock.now(), request.auth.name
        waiting = await of.reader.look(lambda store: of.queue.look(store, now))
        cases = [case for case in _cases(waiting) if is_claimed(case, by, now)]
        return of.shell.answer(request, "claims", cases=cases[:AT_ONCE], count=len(cases))

    @post("/console/claims", status_code=HTTPStatus.OK)
    async def dismissed(request: PageRequest, data: URLEncodedBody[Dismissing]) -> Redirect:
        now, by = of.clock.now(), request.auth.name
        read, why = dict(islice(_read(data.read), AT_ONCE)), data.why.replace("\r\n", "\n").strip()
        count = await of.asks.act(lambda running: dismiss(running, read, by, why, now))
        return onward(f"/console/queue?done=bulk&count={count}")

    return [shown, dismissed]


def _cases(waiting: Iterable[Waiting]) -> Iterator[Case]:
    return (each.what for each in waiting if isinstance(each.what, Case))


def _read(sent: Several) -> Iterator[tuple[CaseId, int]]:
    for each in several(sent):
        id_, _, version = each.partition(":")
        if version.isdecimal() and len(version) < 10:
            yield CaseId(id_), int(version)
