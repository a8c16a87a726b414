"""People's acts at the service's desk: one after the other, and many that wait at once and are kept together.

Each act accepts the agreement for one of fifty accounts and has an entry of its own in the ledger, on SQLite and in a
folder, both durable. Taken by the clock, since it is the disk that is waited for; the two ways take turns.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from comity.agreement import load
from comity.api.desk import Queue
from comity.casework.facts import Accepted
from comity.flow.agreement import version_of
from comity.flow.desk import Desk
from comity.flow.message import Proceedings
from comity.flow.publish import Recorder
from comity.flow.terms import Terms
from comity.ledger.note import SigningKey
from comity.ledger.verify import verify
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, Digest
from comity.stores.log_folder import LogFolder
from comity.stores.sqlite import SqliteStore
from comity.stores.world import CountedEntropy, FixedClock
from common import START, expect, part, report

ACTS, ROUNDS = 200, 5
KEY = SigningKey(name="example.org/log", seed=b"7" * 32)
RULES = b"""---
comity: 1
title: Rules
channels: [posts]
---

# Rules

## Spam {#spam}

Do not advertise.

```rule
text.says("buy now")
```

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
"""
SEEDS, NUMBERS = itertools.count(), itertools.count()


def proceedings(store: SqliteStore, log: LogFolder) -> Proceedings:
    entropy = CountedEntropy(str(next(SEEDS)))
    recorder = Recorder(store, log, KEY, entropy)
    if not store.versions():
        recorder.begin(mode="replay", operator="benchmark", at=START)
        agreement = load("rules.md", RULES, lambda _: None).agreement
        assert agreement is not None
        recorder.publish_version(version_of(agreement, name="rules.md", effective=START), START)
    terms = Terms(mode="replay", delivery=Duration(count=1, unit=Unit.MINUTE), history_key=b"h" * 32)
    return Proceedings(store, recorder, FixedClock(START), entropy, terms)


def accept(running: Proceedings) -> None:
    digest = Digest(running.versions.every[0].agreement.digest)
    running.note(Accepted(account=AccountId(f"a{next(NUMBERS) % 50}"), at=START, agreement=digest, language="en"))


async def timed(act: Awaitable[None], waits: list[float]) -> None:
    start = time.perf_counter()
    await act
    waits.append(time.perf_counter() - start)


async def one_by_one(queue: Queue, waits: list[float]) -> None:
    for _ in range(ACTS):
        await timed(queue.act(accept), waits)


async def at_once(queue: Queue, waits: list[float]) -> None:
    await asyncio.gather(*(timed(queue.act(accept), waits) for _ in range(ACTS)))


async def compared(desk: Desk) -> dict[str, tuple[float, list[float]]]:
    queue, ways = Queue(desk, lambda: None), {"one": one_by_one, "many": at_once}
    await queue.start()
    found: dict[str, tuple[float, list[float]]] = {name: (0.0, []) for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            found[name] = await round_of(way, queue, *found[name])
    await queue.stop()
    return found


async def round_of(
    way: Callable[[Queue, list[float]], Awaitable[None]], queue: Queue, taken: float, waits: list[float]
) -> tuple[float, list[float]]:
    start = time.perf_counter()
    await way(queue, waits)
    return taken + time.perf_counter() - start, waits


with tempfile.TemporaryDirectory() as name:
    log = LogFolder(Path(name) / "log")
    log.write_vkey(KEY.verifier)
    with closing(SqliteStore(Path(name) / "comity.db")) as store:
        found = asyncio.run(compared(Desk(store, lambda: proceedings(store, log))))
        size = store.size
    report_of_log = verify(log.read)
expect(report_of_log.is_fine and report_of_log.size == size == 2 * ACTS * ROUNDS + 2, "the ledger has other entries")
(alone, waits), (together, _) = found["one"], found["many"]
part("one after the other", ACTS * ROUNDS / alone, "acts/s")
part("half of these wait less than", sorted(waits)[len(waits) // 2] * 1e3, "ms")
part(f"{ACTS} that wait at once", ACTS * ROUNDS / together, "acts/s")
report(alone / together, "x", target="> 1: what waits is kept together")
