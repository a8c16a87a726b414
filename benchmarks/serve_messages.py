"""How many messages a second `comity serve` judges and keeps, as NDJSON and one at a time, and how many standings.

The service runs as a process of its own over the forum's agreement, on a record on the disk; each answer is awaited, so
it is durable. The client is on the same machine, so what counts for the figures is the service's own processor time, as
the system reports it; how long requests take is measured at half of what was reached, and says what the machine was
busy with too.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from asking import ask
from common import COMITY, comity, expect, messages, part, report

BATCHES, IN_BATCH = 20, 1_000
SINGLE, CONNECTIONS = 4_000, 16
STANDINGS = 8_000
TICK = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """Of user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Service:
    """`comity serve` on a free port, with a token for a source."""

    def __init__(self, folder: Path) -> None:
        comity("init", "forum", "--from", "forum", folder=folder)
        place = folder / "forum"
        comity("publish", folder=place)
        self.token = comity("token", "new", "bench", "--role", "source", folder=place).strip()
        words = [COMITY, "serve", "--port", "0"]
        self.process = subprocess.Popen(words, cwd=place, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def request(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.token}\r\nContent-Type: {kind}"
        return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def sent(count: int, first: int) -> list[bytes]:
    now = datetime.now(UTC).isoformat()
    every = messages(count, breach_every=500, breach="buy now", accounts=5_000)
    return [json.dumps({**one, "id": str(first + n), "sent": now}).encode() for n, one in enumerate(every)]


def measured(service: Service, name: str, requests: list[bytes], count: int, connections: int, target: str) -> float:
    """Answers a second of the service's processor time; and by the clock."""
    before = processor_seconds(service.process.pid)
    seconds = ask(service.port, requests, connections).seconds
    used = processor_seconds(service.process.pid) - before
    part(f"{name}, a second of processor", count / used, "/s", target=target)
    part(f"{name}, a second by the clock", count / seconds, "/s")
    return count / used


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        service = Service(Path(name))
        try:
            lines = sent(BATCHES * IN_BATCH, 0)
            bodies = [b"\n".join(lines[start : start + IN_BATCH]) for start in range(0, len(lines), IN_BATCH)]
            many = [service.request("POST", "/v1/messages", body, "application/x-ndjson") for body in bodies]
            (told,) = ask(service.port, many[:1], 1).bodies
            expect(len(told.splitlines()) == IN_BATCH, "not every line was answered")
            reached = measured(service, "NDJSON", many[1:], (BATCHES - 1) * IN_BATCH, 2, ">= 3000/s")
            single = [service.request("POST", "/v1/messages", each) for each in sent(SINGLE, 10_000_000)]
            rate = measured(service, "single", single, SINGLE, CONNECTIONS, ">= 1000/s")
            asked = [
                service.request("GET", f"/v1/standing?account=account-{n}&channel=posts") for n in range(STANDINGS)
            ]
            measured(service, "standings", asked, STANDINGS, CONNECTIONS, ">= 5000/s")
            paced = [service.request("POST", "/v1/messages", each) for each in sent(SINGLE // 2, 20_000_000)]
            took = ask(service.port, paced, CONNECTIONS, a_second=min(rate, 1_000) / 2).took
            part("single at half load, p50", statistics.median(took) * 1000, "ms")
            part("single at half load, p99", statistics.quantiles(took, n=100)[98] * 1000, "ms", target="< 50 ms")
        finally:
            service.process.send_signal(signal.SIGTERM)
            service.process.wait(timeout=30)
    report(reached, "messages/s", target=">= 3000 messages/s of processor time, as NDJSON, durable")


if __name__ == "__main__":
    sys.exit(main())
