"""The HTTP API as one ASGI application: its routes, who may ask for them, and how it begins and ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from litestar import Litestar, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from comity.api.access import guard
from comity.api.cases import case_routes
from comity.api.desk import Queue
from comity.api.messages import Parse, message_routes
from comity.api.problems import ANSWERED, answered
from comity.api.public import public_routes
from comity.api.sources import source_routes
from comity.api.standings import standing_routes
from comity.api.watch import Watch
from comity.flow.desk import Desk
from comity.flow.feed import FeedSource
from comity.flow.links import Links, Purpose
from comity.model.ids import DecisionId
from comity.ports import Clock, GateAcks, PublishedLog, Store, Tokens

LARGEST_BODY = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the service is made of. `reading` is the store with a connection of its own; `url` where it is reached."""

    desk: Desk
    reading: Store
    log: PublishedLog
    tokens: Tokens
    acks: GateAcks
    links: Links
    clock: Clock
    parse: Parse
    zone: ZoneInfo
    url: str


def make_app(parts: Parts, version: str, pages: Callable[[Queue], Sequence[Router]] = lambda _: ()) -> Litestar:
    """`pages`: what people see, with guards of its own."""

    def link(statement: DecisionId) -> str:
        return f"{parts.url}/r/{parts.links.token(Purpose.REFUSAL, statement)}"

    watch = Watch(parts.reading, FeedSource(parts.reading, parts.log, link), parts.clock)
    queue = Queue(parts.desk, watch.tell)

    @asynccontextmanager
    async def running(_: Litestar) -> AsyncIterator[None]:
        await queue.start()
        await watch.start()
        try:
            yield
        finally:
            await watch.stop()
            await queue.stop()

    machines = Router(
        "/",
        route_handlers=[
            *message_routes(queue, parts.parse, link),
            *standing_routes(queue, watch, parts.acks, parts.clock, link),
            *source_routes(queue, parts.clock),
            *case_routes(queue, parts.clock),
            *public_routes(queue, parts.log, parts.links, parts.zone),
        ],
        guards=[guard(parts.tokens, parts.clock)],
    )
    return Litestar(
        [machines, *pages(queue)],
        exception_handlers=dict.fromkeys(ANSWERED, answered),
        lifespan=[running],
        request_max_body_size=LARGEST_BODY,
        openapi_config=OpenAPIConfig(
            title="Comity", version=version, path="/", render_plugins=[JsonRenderPlugin(path="/openapi.json")]
        ),
        logging_config=None,
    )
