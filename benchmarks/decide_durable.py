"""Decisions a second that the record takes: breach found, decided, stated, sealed, entered into the ledger, published.

Each is one message's whole way, as a source's messages go: taken in, judged with its evidence, a statement, its
delivery, what gates are told. The first fifth are the first of their accounts, which get keys; nothing is prepared.
In memory, and durably on SQLite with the log in a folder, a hundred messages in each transaction, as `serve` groups
them when so many wait; each group is committed, synced and published before the next begins, so that one core works
while the other idles. In memory by CPU time, which is what one core alone does however busy the machine is, and by the
clock beside it; durably by the clock, for then much of the time is the disk's, and the CPU time of it beside.
Beside it, on the same disk: bare SQLite with the same durability given only the statements, as rows.
People's acts, many at once: `acts_together`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import apsw
import msgspec

from comity.agreement import load
from comity.app.wiring import SystemEntropy
from comity.casework.facts import Decided
from comity.engine.plan import plan
from comity.flow.agreement import version_of
from comity.flow.message import Proceedings
from comity.flow.publish import Recorder
from comity.flow.terms import Terms
from comity.ledger.note import SigningKey
from comity.ledger.verify import verify
from comity.model.agreement import Agreement
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message
from comity.ports import PublishedLog, Store
from comity.stores.log_folder import LogFolder
from comity.stores.memory import MemoryStore
from comity.stores.sqlite import SqliteStore
from comity.stores.world import FixedClock, MemoryLog
from common import START, expect, part, report, seconds

COUNT = 10_000
ACCOUNTS = 2_000
GROUP = 100
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

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | remove, warn | | |
| 4 | remove, limit reach | same | 1 hour |
"""


def rules() -> Agreement:
    agreement = load("rules.md", RULES, lambda _: None).agreement
    if agreement is None:
        sys.exit("the rules do not load")
    return agreement


def proceedings(store: Store, log: PublishedLog) -> Proceedings:
    """A record that replays, with one version of the rules."""
    entropy = SystemEntropy()
    recorder = Recorder(store, log, KEY, entropy)
    recorder.begin(mode="replay", operator="benchmark", at=START)
    recorder.publish_version(version_of(rules(), name="rules.md", effective=START), START)
    terms = Terms(mode="replay", delivery=Duration(count=1, unit=Unit.MINUTE), history_key=b"h" * 32)
    return Proceedings(store, recorder, FixedClock(START), entropy, terms)


def messages() -> list[Message]:
    """Each breaches; an account comes around every other day."""
    return [
        Message(
            id=MessageId(str(number)),
            source="benchmark",
            author=AccountId(f"account-{number % ACCOUNTS}"),
            channel=Channel("posts"),
            text=f"buy now, offer {number}",
            sent=START + timedelta(minutes=number * 2),
        )
        for number in range(COUNT)
    ]


def decide(running: Proceedings, sent: list[Message]) -> None:
    for start in range(0, len(sent), GROUP):
        running.take(sent[start : start + GROUP])


def judging(sent: list[Message]) -> float:
    """The CPU time of judging all messages alone, with evidence."""
    judge = plan(rules()).judge
    begun = time.process_time()
    found = sum(1 for message in sent if judge(message, {}))
    spent = time.process_time() - begun
    expect(found == len(sent), f"{found} findings in {len(sent)} messages")
    return spent


def took(store: Store, log: PublishedLog, read: Callable[[str], bytes | None]) -> tuple[float, float]:
    """How long all decisions took by the clock, and in CPU time; the answers are checked."""
    running, sent = proceedings(store, log), messages()
    begun = time.process_time()
    spent = seconds(lambda: decide(running, sent))
    of_core = time.process_time() - begun
    decided = sum(1 for _ in store.facts([Decided]))
    expect(decided == COUNT, f"{decided} decisions of {COUNT}")
    expect(verify(read).is_fine, "the ledger does not verify")
    return spent, of_core


def bare_sqlite(file: Path, statements: list[bytes]) -> None:
    """The statements as rows, with the record's durability and nothing else."""
    connection = apsw.Connection(str(file))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE statement (id INTEGER PRIMARY KEY, body BLOB)")
    for start in range(0, len(statements), GROUP):
        with connection:
            group = [(body,) for body in statements[start : start + GROUP]]
            connection.executemany("INSERT INTO statement (body) VALUES (?)", group)
    connection.close()


memory, memory_log = MemoryStore(), MemoryLog()
memory_log.files["vkey"] = f"{KEY.verifier}\n".encode()
by_clock, by_core = (COUNT / each for each in took(memory, memory_log, memory_log.read))
bodies = [msgspec.json.encode(fact) for fact in memory.facts([Decided])]
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    published = LogFolder(folder / "log")
    published.path.mkdir()
    published.write_vkey(KEY.verifier)
    durable = SqliteStore(folder / "comity.db")
    on_sqlite, sqlite_by_core = (COUNT / each for each in took(durable, published, published.read))
    durable.close()
    bare = COUNT / seconds(lambda: bare_sqlite(folder / "bare.db", bodies))

judged = judging(messages()) / COUNT * 1_000_000
part("in memory, of a message's whole way: judging with evidence, taken alone", judged, "us")
part("in memory, the rest: a decision, from its finding on", 1_000_000 / by_core - judged, "us")
print(f"in memory: {by_core:.0f} decisions/s of CPU time (target: > 10000), {by_clock:.0f} by the clock")
print(f"on SQLite: {on_sqlite:.0f} decisions/s, {sqlite_by_core:.0f} of CPU time")
print(f"bare SQLite: {bare:.0f} rows/s; ratio {on_sqlite / bare:.3f}")
report(on_sqlite, "decisions/s", target="> 2000 decisions/s")
