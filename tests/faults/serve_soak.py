"""`comity serve` at load for long: `python serve_soak.py FOLDER --minutes M`.

Sources send many messages at once and one at a time, gates ask for standings; the client writes down what it was told.
At the end all of that must be in the record as it was told, the ledger must verify, and the service must not hold more
memory in the last quarter of the time than in the first, not counting the warm-up, in which its caches and windows
fill: a window is kept for as long as it reaches and as messages may be late, so both are short here. Prints what was
seen, a line each, then one JSON object; `violations` must be empty.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count, islice
from pathlib import Path
from urllib.parse import urlsplit

from serve_lives import SOURCE, Served, comity, message, token

from comity.model.ids import MessageId
from comity.stores.database import Database
from comity.stores.sqlite import SqliteStore

IN_BATCH = 500
BATCHES, SINGLES, STANDINGS = 6, 300, 500
"""A second: 3,000 lines and so on, about half of what two cores reach."""
CONNECTIONS = 4
GROWTH = 1.1
WARM_UP = 150
AT_ONCE = 5_000
RULES = """---
comity: 1
title: Rules
channels: [posts]
lateness: 1 minute
---

# Rules

## Spam {#spam}

Do not advertise.

```rule
text.says("buy now") || author.messages(minutes(1)) > 10000
```

```examples
breach: Buy now
fine: Hello
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | remove, suspend | same | 1 minute |
"""


@dataclass(slots=True)
class Log:
    """What the client was told of its messages: a line each, in a file."""

    path: Path
    sent: int = 0
    told: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, count: int) -> None:
        with self.lock:
            self.sent += count

    def write(self, answers: list[dict[str, object]]) -> None:
        lines = [json.dumps([each["id"], each["outcome"], each["statement"]]) for each in answers]
        with self.lock, self.path.open("a") as file:
            file.write("\n".join(lines) + "\n")
            self.told += len(lines)


@dataclass(slots=True, kw_only=True)
class Soak:
    """One service and those who ask it."""

    served: Served
    source: dict[str, str]
    log: Log
    numbers: Iterator[int] = field(default_factory=count)
    violations: list[str] = field(default_factory=list)
    ends: threading.Event = field(default_factory=threading.Event)

    def run(self, seconds: float) -> list[int]:
        """The service's memory, in KiB, a sample a second."""
        works = [(self._lines, BATCHES / 2)] * 2
        works += [(self._single, SINGLES / CONNECTIONS)] * CONNECTIONS
        works += [(self._standing, STANDINGS / CONNECTIONS)] * CONNECTIONS
        threads = [threading.Thread(target=self._paced, args=work) for work in works]
        for thread in threads:
            thread.start()
        memory, end = list[int](), time.monotonic() + seconds
        while time.monotonic() < end and self.served.process.poll() is None:
            memory.append(resident(self.served.process.pid))
            self.ends.wait(1)
        self.ends.set()
        for thread in threads:
            thread.join(timeout=60)
        return memory

    def _paced(self, work: Callable[[HTTPConnection], None], a_second: float) -> None:
        """At most so often; when the service is slower, as often as it answers."""
        connection, due = HTTPConnection(urlsplit(self.served.url).netloc, timeout=60), time.monotonic()
        try:
            while not self.ends.wait(max(0, due - time.monotonic())):
                due = max(due + 1 / a_second, time.monotonic() - 1)
                work(connection)
        except (OSError, HTTPException, ValueError) as error:
            self.violations.append(f"a connection broke, or what came cannot be read: {error!r}")
        finally:
            connection.close()

    def _lines(self, connection: HTTPConnection) -> None:
        lines = "\n".join(json.dumps(self._drawn()) for _ in range(IN_BATCH))
        self.log.send(IN_BATCH)
        body = self._asked(connection, "POST", "/v1/messages", lines, "application/x-ndjson")
        self._told([json.loads(line) for line in body.splitlines()], IN_BATCH)

    def _single(self, connection: HTTPConnection) -> None:
        self.log.send(1)
        body = self._asked(connection, "POST", "/v1/messages", json.dumps(self._drawn()), "application/json")
        self._told([json.loads(body)], 1)

    def _standing(self, connection: HTTPConnection) -> None:
        body = self._asked(connection, "GET", f"/v1/standing?account=a{next(self.numbers) % 1_000}&channel=posts")
        if b'"state"' not in body:
            self.violations.append(f"a standing was answered with {body[:200]!r}")

    def _asked(self, connection: HTTPConnection, method: str, path: str, body: str = "", kind: str = "") -> bytes:
        connection.request(method, path, body or None, {**self.source, **({"Content-Type": kind} if kind else {})})
        return connection.getresponse().read()

    def _drawn(self) -> dict[str, str]:
        number = next(self.numbers)
        return message(number, "buy now" if number % 997 == 0 else f"hello {number}", f"a{number % 1_000}")

    def _told(self, answers: list[dict[str, object]], wanted: int) -> None:
        answered = [each for each in answers if "answer" in each]
        if len(answered) < wanted:
            self.violations.append(f"{wanted - len(answered)} messages were not taken: {answers[-1]}")
        self.log.write(answered)


def resident(pid: int) -> int:
    """KiB in memory; 0 where the system does not say it."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def lost(folder: Path, log: Log) -> Iterator[str]:
    """What the client was told, and is not in the record so."""
    store = SqliteStore(folder / ".comity" / "comity.db", writes=False)
    with log.path.open() as lines:
        while some := [json.loads(line) for line in islice(lines, AT_ONCE)]:
            kept = store.answers(SOURCE, [MessageId(id_) for id_, _, _ in some])
            for id_, outcome, statement in some:
                one = kept.get(MessageId(id_))
                if one is None or (str(one.outcome), one.statement) != (outcome, statement):
                    yield f"message {id_}: told {outcome} {statement}, kept {one}"
    store.close()


def recorded(folder: Path) -> int:
    """How many messages the record has."""
    with closing(Database(folder / ".comity" / "comity.db", creates=False)) as db:
        return db.number("select count(*) from messages")


def after_warm_up(memory: list[int]) -> list[int]:
    """What comes once caches and windows are full: two minutes and a half, at most half of the time."""
    return memory[max(len(memory) // 5, min(WARM_UP, len(memory) // 2)) :]


def grown(memory: list[int]) -> float:
    """The last quarter's middle, of the first's."""
    counted = after_warm_up(memory)
    quarter = max(1, len(counted) // 4)
    return statistics.median(counted[-quarter:]) / (statistics.median(counted[:quarter]) or 1)


def slope(memory: list[int]) -> float:
    """MiB an hour, by the line that fits best; a sample a second."""
    counted = after_warm_up(memory)
    return statistics.linear_regression(range(len(counted)), counted).slope * 3_600 / 1_024 if counted[1:] else 0.0


def soak(folder: Path, seconds: float, most: float = GROWTH) -> dict[str, object]:
    """In a new folder. `most`: that the memory may grow, as a factor."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "agreement.md").write_text(RULES)
    comity(folder, "publish")
    served = Served(folder)
    one = Soak(served=served, source=token(folder, "source"), log=Log(folder / "told.jsonl"))
    memory = one.run(seconds)
    if served.process.poll() is not None:
        one.violations.append(f"it ended by itself, with {served.process.returncode}")
    elif served.end(signal.SIGTERM) != 0:
        one.violations.append("it did not end when it was told to")
    one.violations += islice(lost(folder, one.log), 20)
    if "verified" not in comity(folder, "verify"):
        one.violations.append("the ledger does not verify")
    growth = grown(memory) if memory else 1.0
    if growth > most:
        one.violations.append(f"the memory grew {growth:.2f} times")
    warm = after_warm_up(memory) or [0]
    return {
        "seconds": round(seconds),
        "messages sent": one.log.sent,
        "acknowledged": one.log.told,
        "in the record": recorded(folder),
        "acknowledged a second": round(one.log.told / seconds),
        "MiB at the start": memory[0] >> 10 if memory else 0,
        "MiB after warm-up": warm[0] >> 10,
        "MiB at the end": warm[-1] >> 10,
        "MiB more an hour": round(slope(memory), 1),
        "growth, last quarter to first": round(growth, 3),
        "MiB in between": [each >> 10 for each in memory[:: max(1, len(memory) // 12)]],
        "violations": one.violations[:50],
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=15)
    wanted = parser.parse_args()
    told = soak(wanted.folder, wanted.minutes * 60)
    for name, value in told.items():
        print(f"{name:>30}  {value}")
    print(json.dumps(told))
    return 1 if told["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
