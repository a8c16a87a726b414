"""The pages of a record in memory, asked as a browser asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from zoneinfo import ZoneInfo

from api_parts import LINKS, current
from litestar import Litestar, Router
from litestar.testing import TestClient
from test_flow_record import KEY, World

from comity.api.desk import Queue
from comity.api.heads import with_head
from comity.console.asking import Asks, Reader
from comity.console.assets import asset_routes
from comity.console.checking import Checks
from comity.console.lately import Measuring
from comity.console.notices import notice_pages
from comity.console.numbers import Counting
from comity.console.pages import Pages
from comity.console.public import Public, public_pages
from comity.console.subject import Subject, subject_pages
from comity.flow import subject
from comity.flow.desk import Desk
from comity.flow.links import Purpose
from comity.ledger.log import VKEY_PATH
from comity.model.ids import DecisionId
from comity.stores.world import MemoryCounts


def routers(world: World, asks: Asks, reader: Reader) -> list[Router]:
    of = Subject(
        asks=asks,
        reader=reader,
        links=LINKS,
        log=world.log,
        clock=world.clock,
        zone=ZoneInfo("UTC"),
        pages=Pages(ZoneInfo("UTC")),
    )
    public = Public(
        asks=asks,
        log=world.log,
        clock=world.clock,
        zone=of.zone,
        pages=of.pages,
        url="https://example.org",
        checks=Checks(world.log),
        counting=Counting(reader, MemoryCounts()),
        measuring=Measuring(reader, MemoryCounts()),
    )
    return [asset_routes(), *subject_pages(of), public_pages(public), notice_pages(public)]


@contextmanager
def browsing(world: World) -> Iterator[TestClient[Litestar]]:
    world.log.files[VKEY_PATH] = f"{KEY.verifier}\n".encode()
    queue, reader = Queue(Desk(world.store, lambda: current(world)), lambda: None), Reader(world.store)
    app = Litestar(
        routers(world, queue, reader), on_startup=[queue.start], on_shutdown=[queue.stop], openapi_config=None
    )
    app.asgi_handler = with_head(app.asgi_handler)
    with TestClient(app, raise_server_exceptions=True) as client:
        yield client
    reader.close()


def link(world: World, decision: DecisionId, purpose: Purpose = Purpose.STATEMENT) -> str:
    account = world.store.account_of(decision)
    assert account is not None
    one = world.proceedings.record(account).decision(decision)
    assert one is not None
    return subject.path(LINKS, purpose, one)


def words_in(page: str) -> str:
    """What a reader reads, tags and line breaks aside."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.split("<body", 1)[1])).split())


def in_order(page: str, *texts: str) -> None:
    read, place = words_in(page), 0
    for text in texts:
        assert text in read[place:], (text, read[place:])
        place = read.index(text, place) + len(text)
