"""`comity serve`: the record as a service, over HTTP, in one process.

Other programs may go on acting on the same record, such as `comity case`: what they do reaches gates as soon.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import Final

import uvicorn
from litestar import Router

from comity.api.app import Parts, addresses, make_app
from comity.api.desk import Queue
from comity.api.ending import Ending
from comity.app.attempts import Attempts
from comity.app.errors import Exit, StopError
from comity.app.listening import listening, place_of, run
from comity.app.log_lines import ByPlaceAlone, told_to
from comity.app.postman import postman
from comity.app.serve_console import console_pages
from comity.app.settings import Settings
from comity.app.terminal import out
from comity.app.tracing import tracing
from comity.app.webhook_link import HttpsLink
from comity.app.wiring import (
    Opened,
    SystemClock,
    SystemEntropy,
    counts,
    gate_acks,
    mails,
    opened,
    put_aside,
    reading,
    replies,
    tokens,
    webhooks,
)
from comity.console.alike import Likeness
from comity.console.asking import Reader
from comity.console.assets import asset_routes
from comity.console.checking import Checks
from comity.console.lately import Measuring
from comity.console.notices import notice_pages
from comity.console.numbers import Counting
from comity.console.pages import Pages
from comity.console.problems import problem_page
from comity.console.public import Public, public_pages
from comity.console.subject import Subject, subject_pages
from comity.flow.anchor import unwatched
from comity.flow.desk import Desk
from comity.flow.links import Links
from comity.flow.webhooks import Courier
from comity.intake.columns import check
from comity.intake.json_lines import take_lines
from comity.intake.records import Origin
from comity.model.reading import Read, Unread

_MOST_CONNECTIONS: Final = 1_000
_PATIENCE: Final = 10
"""Seconds that requests may take to end after SIGTERM."""


def serve(
    settings: Settings, *, host: str | None, port: int | None, ready: Callable[[str], None] = lambda _: None
) -> Exit:
    """Until it is told to end (Ctrl-C, SIGTERM). `ready` is told where it listens, before the first request."""
    with ExitStack() as held:
        tell = told_to(sys.stderr, SystemClock())
        held.enter_context(ByPlaceAlone(tell))
        spans = held.enter_context(tracing(version("comity")))
        record = replace(held.enter_context(opened(settings, shares=True)), spans=spans)
        if record.mode is None:
            raise StopError("the record has no agreement yet", help="Publish one with `comity publish`.")
        where = host or settings["serve.host"], settings.serve_port if port is None else port
        listener = held.enter_context(listening(*where, backlog=_MOST_CONNECTIONS))
        for each in put_aside(settings):
            tell("a damaged file was put aside, and is begun anew", {"level": "warning", "kept": str(each)})
        url = settings["serve.url"].rstrip("/") or place_of(listener)
        parts = _parts(record, held, url)
        pages = Pages(parts.zone)
        app = make_app(
            parts,
            version("comity"),
            lambda queue: _pages(queue, parts, record, held, pages),
            partial(problem_page, pages),
        )
        out.print(f"serving {settings.folder} on {place_of(listener)}", markup=False, soft_wrap=True)
        out.file.flush()
        ready(place_of(listener))
        config = uvicorn.Config(
            app,
            lifespan="on",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.proxies),
            forwarded_allow_ips=list(settings.proxies),
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_PATIENCE,
        )
        gc.collect()
        gc.freeze()  # what serves stays: going through it again and again held up everybody for up to 140 ms
        run(config, listener, parts.ending)
    return Exit.FINE


def _parts(record: Opened, held: ExitStack, url: str) -> Parts:
    settings, links, clock, attempts = record.settings, Links(record.links_key), SystemClock(), Attempts()
    hooks = held.enter_context(closing(webhooks(settings)))
    kept = held.enter_context(reading(settings))
    post = held.enter_context(closing(mails(settings)))
    return Parts(
        desk=Desk(record.store, record.proceedings_anew, record.spans),
        reading=held.enter_context(reading(settings)),
        apart=held.enter_context(reading(settings)),
        log=record.log,
        tokens=held.enter_context(closing(tokens(settings))),
        acks=held.enter_context(closing(gate_acks(settings))),
        replies=held.enter_context(closing(replies(settings))),
        secret=record.links_key,
        hooks=hooks,
        courier=Courier(kept, hooks, HttpsLink(attempts=attempts), clock, SystemEntropy(), addresses(links, url)),
        mails=post,
        postman=postman(record, held, post, url, attempts),
        links=links,
        clock=clock,
        parse=parse,
        zone=settings.zone,
        url=url,
        ending=Ending(),
        give_up=attempts.give_up,
        tell=told_to(sys.stderr, clock),
        spans=record.spans,
        warnings=unwatched(has_anchor=settings.anchor is not None, has_witnesses=settings.policy is not None),
    )


def _pages(queue: Queue, parts: Parts, record: Opened, held: ExitStack, pages: Pages) -> list[Router]:
    kept = held.enter_context(closing(counts(record.settings)))
    reader, slow = (Reader(held.enter_context(reading(record.settings))) for _ in range(2))
    held.callback(reader.close)
    held.callback(slow.close)
    counting, measuring = Counting(slow, kept), Measuring(slow, kept)
    counting.take_up()
    measuring.take_up()
    counting.begin()
    measuring.begin()
    checks = Checks(parts.log)
    held.callback(checks.close)
    subject = Subject(
        asks=queue, reader=reader, links=parts.links, log=parts.log, clock=parts.clock, zone=parts.zone, pages=pages
    )
    public = Public(
        asks=queue,
        log=parts.log,
        clock=parts.clock,
        zone=parts.zone,
        pages=pages,
        url=parts.url,
        checks=checks,
        counting=counting,
        measuring=measuring,
        is_anchored=record.settings.anchor is not None,
        has_witnesses=record.settings.policy is not None,
    )
    open_to_all = [asset_routes(), *subject_pages(subject), public_pages(public), notice_pages(public)]
    return [*open_to_all, console_pages(subject, public, Likeness(slow), parts.acks, record, held)]


def parse(lines: Sequence[bytes], source: str) -> Read:
    """Lines of JSON as messages of that source."""
    taken = take_lines("", lines, 1, Origin(source=source, name="", columns=check({})))
    unread = (Unread(line=each.place.number, reason=each.reason, mend=_mend(each.mend)) for each in taken.rejects)
    return Read(messages=taken.messages, unread=tuple(unread))


def _mend(mend: str) -> str:
    """Archives can be mapped by an option; a request cannot."""
    return "a message has at least `id`, `author`, `channel`, `text` and `sent`" if "--map" in mend else mend
