"""The pages of a record in memory, asked as a browser asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from api_parts import LINKS, current
from litestar import Litestar, Router
from litestar.testing import TestClient
from test_flow_record import KEY, World

from comity.api.desk import Queue
from comity.console.asking import Asks, Reader
from comity.console.assets import asset_routes
from comity.console.pages import Pages
from comity.console.subject import Subject, subject_pages
from comity.flow import subject
from comity.flow.desk import Desk
from comity.flow.links import Purpose
from comity.ledger.log import VKEY_PATH
from comity.model.ids import DecisionId


def routers(world: World, asks: Asks, reader: Reader) -> list[Router]:
    of = Subject(
        asks=asks,
        reader=reader,
        links=LINKS,
        log=world.log,
        clock=world.clock,
        zone=ZoneInfo("UTC"),
        pages=Pages(),
    )
    return [asset_routes(), *subject_pages(of)]


@contextmanager
def browsing(world: World) -> Iterator[TestClient[Litestar]]:
    world.log.files[VKEY_PATH] = f"{KEY.verifier}\n".encode()
    queue, reader = Queue(Desk(world.store, lambda: current(world)), lambda: None), Reader(world.store)
    app = Litestar(
        routers(world, queue, reader), on_startup=[queue.start], on_shutdown=[queue.stop], openapi_config=None
    )
    with TestClient(app, raise_server_exceptions=True) as client:
        yield client
    reader.close()


def link(world: World, decision: DecisionId, purpose: Purpose = Purpose.STATEMENT) -> str:
    account = world.store.account_of(decision)
    assert account is not None
    one = world.proceedings.record(account).decision(decision)
    assert one is not None
    return subject.path(LINKS, purpose, one)
