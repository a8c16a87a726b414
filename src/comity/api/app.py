"""The HTTP API as one ASGI application: its routes, who may ask for them, and how it begins and ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from litestar import Litestar, Response, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ControllerRouterHandler, ExceptionHandlersMap

from comity.api.access import guard
from comity.api.agreements import agreement_routes
from comity.api.appeals import appeal_routes
from comity.api.cases import case_routes
from comity.api.claims import claim_routes
from comity.api.conditional import UnchangedError, unchanged
from comity.api.desk import Queue
from comity.api.documented import COMPONENTS, documented
from comity.api.ending import Ending
from comity.api.events import event_routes
from comity.api.heads import with_head
from comity.api.health import health_routes
from comity.api.mail import mail_routes
from comity.api.messages import Parse, message_routes
from comity.api.metrics import Metrics, State, metric_routes
from comity.api.notices import notice_routes
from comity.api.once import Once
from comity.api.operators import operator_routes
from comity.api.outbox import Outbox
from comity.api.post import Post
from comity.api.problems import ANSWERED, AnyRequest, Page, Problem, answered, failed, shown
from comity.api.proofs import proof_routes
from comity.api.public import public_routes
from comity.api.room import MOST_HELD, Room, bounded
from comity.api.snapshots import Snapshots
from comity.api.sources import source_routes
from comity.api.standings import standing_routes
from comity.api.statements import statement_routes
from comity.api.timed import Tell, route_of, timed, told_of
from comity.api.watch import Watch
from comity.api.webhooks import webhook_routes
from comity.casework.recorded import Recorded
from comity.flow import subject
from comity.flow.desk import Desk
from comity.flow.feed import FeedSource
from comity.flow.links import Links, Purpose
from comity.flow.mail import Postman
from comity.flow.news import Addresses
from comity.flow.webhooks import Courier
from comity.model.ids import DecisionId
from comity.ports import NO_SPANS, Clock, GateAcks, Mails, PublishedLog, Replies, Spans, Store, Tokens, Webhooks

LARGEST_BODY = 1 << 20
_LAST_ANSWERS = 5
"""Seconds for which mail servers and webhooks are waited for at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the service is made of.

    `reading` is the store with a connection of its own, `apart` another, for what takes long; `secret` is of the hashes
    under which requests are known; `url` is where it is reached; `postman` is None where no mail server is named;
    `tell` writes to the log; `warnings` are what `/readyz` says could be safer; `give_up` ends all waiting for
    those outside.
    """

    desk: Desk
    reading: Store
    apart: Store
    log: PublishedLog
    tokens: Tokens
    acks: GateAcks
    replies: Replies
    hooks: Webhooks
    courier: Courier
    mails: Mails
    postman: Postman | None
    secret: bytes
    links: Links
    clock: Clock
    parse: Parse
    zone: ZoneInfo
    url: str
    ending: Ending
    tell: Tell
    warnings: tuple[str, ...]
    give_up: Callable[[], None] = lambda: None
    spans: Spans = NO_SPANS


def make_app(
    parts: Parts,
    version: str,
    pages: Callable[[Queue], Sequence[Router]] = lambda _: (),
    page: Page | None = None,
    most_held: int = MOST_HELD,
) -> Litestar:
    """`pages`: what people see, with guards of its own. `page`: on which they read what went wrong.

    `most_held`: bytes of bodies at once.
    """
    watch = Watch(parts.reading, FeedSource(parts.reading, parts.log, _refusal_link(parts)), parts.clock, parts.spans)
    snapshots = Snapshots(FeedSource(parts.apart, parts.log, _refusal_link(parts)))
    queue = Queue(parts.desk, watch.tell, heard=watch.heard)
    once = Once(queue, parts.replies, parts.clock, parts.secret)

    async def statement_of(token: str) -> DecisionId | None:
        told = await queue.read(lambda running: subject.told(running, parts.links, Purpose.STATEMENT, token))
        return told.one.id if told else None

    metrics = Metrics()
    outward = parts.hooks, parts.mails
    metrics.also(State(parts.reading, parts.log, parts.acks, *outward, parts.clock, lambda: queue.waiting))
    routes = [
        *_of_feeds(parts, queue, watch, snapshots, once, metrics),
        *_of_record(parts, queue, once),
        *metric_routes(metrics, watch),
    ]
    admitted = guard(parts.tokens, statement_of, parts.clock)
    machines = Router("/", route_handlers=documented(routes), middleware=[admitted])
    parts.ending.tell(watch.end)
    parts.ending.tell(lambda: _later(parts.give_up))
    runs: list[Runs] = [queue, watch, snapshots, Outbox(parts.courier, watch)]
    if parts.postman is not None:
        runs.append(Post(parts.postman, queue, watch, parts.clock))
    app = Litestar(
        [machines, *pages(queue)],
        exception_handlers=_handled(parts.tell, page),
        lifespan=[_running(runs)],
        request_max_body_size=LARGEST_BODY,
        openapi_config=OpenAPIConfig(
            title="Comity",
            version=version,
            path="/openapi.json",
            render_plugins=[JsonRenderPlugin(path="/")],
            components=COMPONENTS,
        ),
        logging_config=None,
    )
    app.asgi_handler = timed(bounded(with_head(app.asgi_handler), Room(most_held)), metrics, parts.spans)
    return app


def _handled(tell: Tell, page: Page | None) -> ExceptionHandlersMap:
    """Every error is answered with problem details, or on a page; what nobody foresaw is told to the log alone."""

    def told(request: AnyRequest, response: Response[Problem]) -> Response[Problem] | Response[str]:
        return shown(request, response, page) if page else response

    def foreseen(request: AnyRequest, error: Exception) -> Response[Problem] | Response[str]:
        return told(request, answered(request, error))

    def unforeseen(request: AnyRequest, error: Exception) -> Response[Problem] | Response[str]:
        tell("an error that nobody foresaw", {"route": route_of(request.scope), **told_of(error)})
        return told(request, failed())

    return {**dict.fromkeys(ANSWERED, foreseen), UnchangedError: unchanged, 500: unforeseen}


class Runs(Protocol):
    """What works beside the requests, from the first to the last."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


def _later(give_up: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(_LAST_ANSWERS, give_up)


def _running(every: Sequence[Runs]) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """They start in order, and end in the order turned round."""

    @asynccontextmanager
    async def running(_: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as started:
            for each in every:
                await each.start()
                started.push_async_callback(each.stop)
            yield

    return running


def own_link(links: Links, url: str) -> Callable[[Recorded], str]:
    """Makes the address of a statement's page for its account, below that of the service."""
    return lambda one: url + subject.path(links, Purpose.STATEMENT, one)


def addresses(links: Links, url: str) -> Addresses:
    """Of a statement's pages below the service's own address."""
    return Addresses(
        own=own_link(links, url), refusal=lambda statement: f"{url}/r/{links.token(Purpose.REFUSAL, statement)}"
    )


def _refusal_link(parts: Parts) -> Callable[[DecisionId], str]:
    return addresses(parts.links, parts.url).refusal


def _of_feeds(
    parts: Parts, queue: Queue, watch: Watch, snapshots: Snapshots, once: Once, metrics: Metrics
) -> list[ControllerRouterHandler]:
    """The routes by which messages come in, and what is decided goes out."""
    link, clock = _refusal_link(parts), parts.clock

    return [
        *message_routes(queue, parts.parse, link, metrics.judged, parts.ending),
        *standing_routes(queue, watch, snapshots, parts.acks, clock, link),
        *event_routes(watch, once, clock, addresses(parts.links, parts.url)),
        *proof_routes(watch, parts.log),
    ]


def _of_record(parts: Parts, queue: Queue, once: Once) -> list[ControllerRouterHandler]:
    """The routes that only read the record or act on it."""
    clock = parts.clock
    return [
        *source_routes(once, clock),
        *agreement_routes(queue, once, clock),
        *notice_routes(queue, once, parts.parse, clock),
        *case_routes(queue, once, clock),
        *claim_routes(queue, once, clock),
        *statement_routes(queue, once, clock),
        *appeal_routes(queue, once, clock),
        *operator_routes(queue, once, clock),
        *webhook_routes(parts.hooks, clock),
        *mail_routes(parts.mails, clock),
        *public_routes(parts.log),
        *health_routes(queue, parts.log, parts.warnings),
    ]
