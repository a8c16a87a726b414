"""What happened, in order (`flow.news`); and what a source has to take down or put back until it says that it has."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from comity.api.access import TokenRequest
from comity.api.conditional import LIMIT, Limit
from comity.api.once import Key, Once
from comity.api.sources import Line
from comity.api.watch import Watch
from comity.casework.facts import Treatment
from comity.casework.removals import Due
from comity.flow import news, removals
from comity.flow.message import Proceedings
from comity.flow.news import Addresses, Page, Reader
from comity.model.access import Role, Token
from comity.model.ids import MessageId
from comity.ports import Clock, Store

_LOOK = 1.0
"""Seconds after which a reader who waits is looked after, told or not."""
After = Annotated[int, QueryParameter(ge=0, le=2**53 - 1, description="`next` of the page before; 0: from the start.")]
Wait = Annotated[int, QueryParameter(ge=0, le=25, description="Seconds to wait for an event if there is none yet.")]


class Treated(msgspec.Struct, frozen=True, kw_only=True):
    """The source has taken the message down, or put it back."""

    message: Line
    treatment: Treatment


def event_routes(watch: Watch, once: Once, clock: Clock, addresses: Addresses) -> list[ControllerRouterHandler]:
    @get("/v1/events")
    async def events(request: TokenRequest, after: After = 0, limit: Limit = LIMIT, wait: Wait = 0) -> Page:
        """What happened after a position, in order; each event at least once, under the same id.

        Both are told of each version of the agreement when it is published (`agreement.published`), with its digest and
        from when it is in force. An auditor is told what anybody may know. A source is told of decisions on its own
        messages, with the account and the statement's link, and what to do with messages that waited or that were sent
        before; of those that nobody may see, which clauses they breach, and the link that may be shown to anybody who
        meets with that.
        """
        reader, until = _reader(request.auth), asyncio.get_running_loop().time() + wait

        def read(store: Store) -> Page:
            return news.page(store, after, limit, reader, addresses)

        page = await watch.ask(read)
        while not page.events and page.is_last and (left := until - asyncio.get_running_loop().time()) > 0:
            if not await watch.wait(min(left, _LOOK)):
                break
            page = await watch.ask(read)
        return page

    @get("/v1/removals")
    async def removed(request: TokenRequest) -> list[Due]:
        """All that the source has still to take down or put back."""
        name, now = request.auth.name, clock.now()
        return await watch.ask(lambda store: list(removals.due(store, now, source=name)))

    @post("/v1/removals", status_code=HTTPStatus.NO_CONTENT)
    async def treated(request: TokenRequest, data: JSONBody[Treated], key: Key = None) -> None:
        """Say that a message was taken down, or put back: 409 if something else is due."""
        named, now = (request.auth.name, MessageId(data.message)), clock.now()

        def act(running: Proceedings) -> None:
            account = removals.account_of(running.store, named, now)
            removals.acknowledge(running, account, named, data.treatment, now)

        await once.act(request, key, act, type(None))

    return [events, removed, treated]


def _reader(token: Token) -> Reader:
    return Reader(source=token.name, channels=token.channels) if token.role is Role.SOURCE else Reader()
