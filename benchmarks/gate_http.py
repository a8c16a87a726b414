"""How many attempts a second the `http` gate answers with one core, at a million cuts, and how long one takes.

`comity gate http` runs as a process of its own from a folder that knows a million cuts; its centre is not there, which
is no matter to it. Several connections ask at once, as a web server would, one in ten about somebody who is cut off.
What counts is the gate's own processor time, as the system reports it, since the clients run on the same machine. Then
one connection asks alone, for the time that a request waits.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import COMITY, expect, leave_out, part, report
from gate_replica import CUTS, make, name

CONNECTIONS = 16
ASKED = 5_000
"""By each connection."""
ALONE = 2_000
TICK = os.sysconf("SC_CLK_TCK")


def request(account: str) -> bytes:
    return b"GET /authz?channel=posts HTTP/1.1\r\nHost: gate\r\nX-Comity-Account: %s\r\n\r\n" % account.encode()


def processor_seconds(pid: int) -> float:
    """Of user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


async def ask(port: int, accounts: list[str]) -> list[float]:
    """Asks for each in turn over one connection; how long each took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took = list[float]()
    for account in accounts:
        start = time.perf_counter()
        writer.write(request(account))
        head = await reader.readuntil(b"\r\n\r\n")
        if length := int(head.rpartition(b"Content-Length: ")[2]):
            await reader.readexactly(length)
        took.append(time.perf_counter() - start)
        expect(head[9:12] == (b"403" if int(account[8:]) <= CUTS else b"200"), f"{account}: {head!r}")
    writer.close()
    return took


def drawn(chance: random.Random, count: int) -> list[str]:
    return [name(chance.randrange(1000, CUTS) + (CUTS if chance.random() < 0.9 else 0)) for _ in range(count)]


async def measure(pid: int, port: int) -> float:
    chance = random.Random(7)
    await ask(port, drawn(chance, 500))
    before = processor_seconds(pid)
    await asyncio.gather(*(ask(port, drawn(chance, ASKED)) for _ in range(CONNECTIONS)))
    spent = processor_seconds(pid) - before
    alone = await ask(port, drawn(chance, ALONE))
    part("one request alone, p50", statistics.median(alone) * 1e3, "ms", target="nginx waited 0.11 ms in a prototype")
    part("one request alone, p99", statistics.quantiles(alone, n=100)[98] * 1e3, "ms")
    return CONNECTIONS * ASKED / spent


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        command = [
            COMITY,
            "gate",
            "http",
            "--centre",
            "http://127.0.0.1:9",
            "--folder",
            folder,
            "--listen",
            "127.0.0.1:0",
        ]
        environment = {**os.environ, "COMITY_GATE_TOKEN": "none"}
        with subprocess.Popen(
            [*command, "--policy", str(policy(Path(folder)))],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as gate:
            try:
                assert gate.stdout is not None
                found = re.search(r"on 127\.0\.0\.1:([0-9]+)", gate.stdout.readline())
                expect(found is not None, "the gate runs")
                rate = asyncio.run(measure(gate.pid, int(found[1]))) if found else 0
            finally:
                gate.terminate()
    report(rate, "attempts/s", target=">= 10,000 a second with one core")


def policy(folder: Path) -> Path:
    """Of nobody: there is nothing to prove here."""
    file = folder / "policy"
    file.write_text("quorum none\n")
    return file


if __name__ == "__main__":
    if sys.platform != "linux":
        leave_out("the processor time of another process is only read on Linux")
    main()
