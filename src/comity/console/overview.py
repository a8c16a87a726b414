"""How it goes: quality, numbers as they are, and the ledger with its gates."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import QueryParameter, URLEncodedBody
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from comity.console.case import Desk
from comity.console.public import Public, ledger
from comity.console.sent import Sent
from comity.console.shell import onward
from comity.console.visit import PageRequest
from comity.flow import quality as flow
from comity.flow.message import Proceedings
from comity.model.ids import ClauseId
from comity.ports import GateAcks, Store

_MOST_DRAWN = 100
Drawn = Annotated[int, QueryParameter(ge=-1, le=10_000)]


class Drawing(Sent, frozen=True):
    """How many decisions are put before a second reviewer."""

    count: Annotated[int, msgspec.Meta(ge=1, le=_MOST_DRAWN)]


def overview_routes(of: Desk, public: Public, gates: GateAcks) -> list[ControllerRouterHandler]:
    return [*_quality(of, public), *_reports(of, public), *_ledger(of, public, gates)]


def _quality(of: Desk, public: Public) -> list[ControllerRouterHandler]:
    @get("/console/quality")
    async def quality(request: PageRequest, drawn: Drawn = -1) -> Response[str]:
        """Whether reviewers agree, and whether the rules are right."""
        titles = await of.asks.read(_titles)
        found = await public.measuring.quality()
        return of.shell.answer(request, "quality", found=found, titles=titles, drawn=drawn, most=_MOST_DRAWN)

    @post("/console/quality", status_code=HTTPStatus.OK)
    async def draw(request: PageRequest, data: URLEncodedBody[Drawing]) -> Redirect:
        """Put decisions before a second reviewer, who does not see the first one's."""
        now = of.clock.now()
        drawn = await of.asks.act(lambda running: flow.draw(running, data.count, now))
        return onward(f"/console/quality?drawn={len(drawn)}")

    return [quality, draw]


def _reports(of: Desk, public: Public) -> list[ControllerRouterHandler]:
    @get("/console/reports")
    async def reports(request: PageRequest) -> Response[str]:
        """The public's numbers as they are, small ones too."""
        titles = await of.asks.read(_titles)
        shown = await public.counting.numbers(titles, of.clock.now(), is_exact=True)
        return of.shell.answer(request, "reports", shown=shown)

    return [reports]


def _ledger(of: Desk, public: Public, gates: GateAcks) -> list[ControllerRouterHandler]:
    @get("/console/ledger")
    async def own(request: PageRequest) -> Response[str]:
        """Checkpoint, witnesses, the last check, and how far each gate has come."""
        cursor = await of.reader.look(_cursor)
        acks, now = gates.every(), of.clock.now()
        return of.shell.answer(request, "console_ledger", ledger=ledger(public), acks=acks, cursor=cursor, now=now)

    @post("/console/ledger", status_code=HTTPStatus.OK)
    async def check(request: PageRequest, data: URLEncodedBody[Sent]) -> Redirect:
        """Read the whole ledger now; not again while nothing was added."""
        await public.checks.check(of.clock.now())
        return onward("/console/ledger#checked")

    return [own, check]


def _titles(running: Proceedings) -> dict[ClauseId, str]:
    return {clause.id: clause.title for one in running.versions.every for clause in one.agreement.clauses}


def _cursor(store: Store) -> int:
    return store.feed.cursor
