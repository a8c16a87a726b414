"""What it costs `comity serve` that accounts change while four gates follow, one a channel; and what it costs at rest.

The service runs as a process of its own on a record on the disk. A source sends messages that breach, each of another
account, which is cut off on four channels; four followers read the feed and acknowledge as gates do. What counts is the
service's own processor time, as the system reports it: gates and the source are on the same machine.
python benchmarks/serve_changes.py [ACCOUNTS-A-SECOND [SECONDS]]
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx

from common import COMITY, comity, expect, part, report
from gate_snapshot import RULES
from serve_messages import processor_seconds

_GIVEN = [int(one) for one in sys.argv[1:]]
RATE, SECONDS = *_GIVEN, *(400, 8)[len(_GIVEN) :]
CHANNELS = ("posts", "mail", "chat", "network")
BATCH, IN_FLIGHT, REST = 10, 10, 4
BETWEEN_REPORTS = 0.5
NDJSON = {"Content-Type": "application/x-ndjson"}


class Follower:
    """A gate that believes what it reads, since only the centre is measured. `known`: changes that it has read."""

    def __init__(self, centre: httpx.AsyncClient) -> None:
        self._centre, self.known = centre, 0
        self._points: list[dict[str, object]] = []

    async def follow(self) -> None:
        head = (await self._centre.get("/v1/standings/snapshot")).json()
        query = {"epoch": head["epoch"], "after": head["cursor"]}
        async with self._centre.stream("GET", "/v1/standings", params=query) as answer:
            async for line in answer.aiter_lines():
                change = json.loads(line)
                if "row" in change:
                    self.known += 1
                    self._points.append({"cursor": change["seq"], "applied_at": datetime.now(UTC).isoformat()})

    async def acknowledge(self) -> None:
        while True:
            await asyncio.sleep(BETWEEN_REPORTS)
            if points := self._points[:1_000]:
                del self._points[:1_000]
                told = await self._centre.post("/v1/gates/ack", json={**points[-1], "earlier": points[:-1]})
                expect(told.is_success, told.text)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        comity("init", "house", "--from", "forum", folder=folder)
        place = folder / "house"
        (place / "agreement.md").write_bytes(RULES.replace(b"[posts]", b"[posts, mail, chat, network]"))
        comity("publish", folder=place)
        process = subprocess.Popen([COMITY, "serve", "--port", "0"], cwd=place, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            used = asyncio.run(measured(place, url, process.pid))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
    report(used * 1e6, "us", target="<= 1200 us of the service's processor an account, on four channels")


async def measured(place: Path, url: str, pid: int) -> float:
    """Seconds of processor an account that changes."""
    async with AsyncExitStack() as held:
        source = await held.enter_async_context(client(place, url, "--role", "source"))
        tasks = await held.enter_async_context(asyncio.TaskGroup())
        gates = [
            Follower(await held.enter_async_context(client(place, url, "--role", "gate", "--channel", each)))
            for each in CHANNELS
        ]
        running = [tasks.create_task(work()) for gate in gates for work in (gate.follow, gate.acknowledge)]
        await cut(source, gates, 0, RATE)
        before = processor_seconds(pid)
        await asyncio.sleep(REST)
        part("at rest, of one processor", (processor_seconds(pid) - before) / REST * 100, "%", target="<= 5 %")
        before, start = processor_seconds(pid), time.monotonic()
        await cut(source, gates, RATE, RATE * SECONDS)
        used = processor_seconds(pid) - before
        part("accounts that changed", RATE * SECONDS / (time.monotonic() - start), "/s")
        for one in running:
            one.cancel()
    return used / (RATE * SECONDS)


def client(place: Path, url: str, *role: str) -> httpx.AsyncClient:
    token = comity("token", "new", role[-1], *role, folder=place).strip()
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=30)


async def cut(source: httpx.AsyncClient, gates: list[Follower], first: int, count: int) -> None:
    """So many accounts, until every gate knows of each."""
    start = time.monotonic()
    numbers = iter(range(first, first + count, BATCH))

    async def send() -> None:
        for number in numbers:
            await asyncio.sleep(max(0.0, start + (number - first) / RATE - time.monotonic()))
            answer = await source.post("/v1/messages", content=batch(number), headers=NDJSON)
            expect(answer.text.count("suspend") == BATCH, answer.text)

    await asyncio.gather(*(send() for _ in range(IN_FLIGHT)))
    while min(gate.known for gate in gates) < first + count:
        await asyncio.sleep(0.01)


def batch(number: int) -> str:
    same = {"channel": "posts", "text": "buy now", "sent": datetime.now(UTC).isoformat()}
    return "".join(json.dumps({"id": f"c{n}", "author": f"a{n}", **same}) + "\n" for n in range(number, number + BATCH))


if __name__ == "__main__":
    main()
