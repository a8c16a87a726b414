"""How much work a page of the console is for the server, over a record of a million facts in which 1,000 cases wait.

Measured in processor time of the whole process, from the request to the page, each page many times; before each look
somebody has decided something, so that nothing can be taken from the look before. The slowest page counts.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from litestar import Litestar
from litestar.testing import TestClient

from comity.api.desk import Queue
from comity.console.app import Parts, console
from comity.console.asking import Reader
from comity.console.pages import Pages
from comity.flow.desk import Desk
from comity.flow.sign_in import SignIn
from comity.model.access import Role
from comity.model.ids import ReviewerId
from comity.model.user import User
from comity.stores.log_folder import LogFolder
from comity.stores.passwords import Argon2
from comity.stores.sqlite import SqliteStore
from comity.stores.users import UserFile
from comity.stores.world import CountedEntropy, FixedClock
from common import START, expect, report, seconds
from million import DECISIONS, FACTS, KEY, fill, proceedings, spam

WAITING = 1_000
RUNS = 7
NOW = START + timedelta(days=366)
VERA = ReviewerId("vera")
CASE = f"/console/cases/c{DECISIONS - 1}"
PAGES = ("/console/queue", "/console/queue?clause=spam&who=all", CASE, "/console/appeals", "/console/waiting")


def served(folder: Path) -> tuple[Litestar, Desk, str]:
    """The console over the record, its desk, and the cookie of somebody who is signed in."""
    store, reading = SqliteStore(folder / "comity.db", shares=True), SqliteStore(folder / "comity.db", writes=False)
    users = UserFile(folder / "access.db")
    users.put(User(name=VERA, roles=frozenset({Role.REVIEWER, Role.APPEALS_REVIEWER}), created=NOW))
    sign_in = SignIn(users, Argon2(), CountedEntropy("sessions"))
    desk = Desk(store, lambda: proceedings(store, folder))
    asks = Queue(desk, lambda: None)
    parts = Parts(
        pages=Pages(ZoneInfo("UTC")),
        asks=asks,
        reader=Reader(reading),
        sign_in=sign_in,
        clock=FixedClock(NOW),
        entropy=CountedEntropy("cookies"),
        zone=ZoneInfo("UTC"),
        is_secure=False,
        blurs=True,
    )
    app = Litestar([console(parts)], on_startup=[asks.start], on_shutdown=[asks.stop], openapi_config=None)
    return app, desk, sign_in.by_link(sign_in.make_link(VERA, NOW), NOW)


def processor_time(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def measured(folder: Path) -> float:
    """The slowest page's median, in milliseconds."""
    app, desk, cookie = served(folder)
    logging.disable()  # of the client
    slowest = 0.0
    with TestClient(app, cookies={"comity": cookie}) as client:

        def look(path: str) -> None:
            told = client.get(path)
            expect(told.status_code == 200, f"{path}: {told.status_code} {told.text[:200]}")

        print(f"first look: {seconds(lambda: look(PAGES[0])):.2f} s", flush=True)
        for path in PAGES:
            times = []
            for _ in range(RUNS):
                desk.act(lambda running: running.take([spam(DECISIONS + running.store.position, NOW)]))
                times.append(processor_time(lambda path=path: look(path)))
            took = statistics.median(times) * 1_000
            print(f"{path.split('?')[0][:16]}: {took:.1f} ms (longest {max(times) * 1_000:.1f})", flush=True)
            slowest = max(slowest, took)
    return slowest


with tempfile.TemporaryDirectory() as name:
    place = Path(name)
    (place / "log").mkdir()
    LogFolder(place / "log").write_vkey(KEY.verifier)
    filled = SqliteStore(place / "comity.db")
    print(f"filled in {seconds(lambda: fill(filled, place, waiting=WAITING)):.0f} s", flush=True)
    expect(filled.position >= FACTS, f"{filled.position} facts")
    filled.close()
    slowest = measured(place)

report(slowest, "ms", target="< 100 ms")
