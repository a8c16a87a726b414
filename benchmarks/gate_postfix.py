"""What the `postfix` gate adds to a mail, and how soon after a decision Postfix refuses: real ones, and a real centre.

Three run at once, alike but for the gate: none, asked who may send, and shown each mail to be judged besides. Mails are
sent to each in turn, over a connection that stays open, so that whatever else the machine does meets all of them. Then
one account is cut off and restored many times, while it tries to send all the time: what counts is the time until its
first refused recipient, from the moment at which the centre is sent the message that brings the decision, and from its
answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from common import COMITY, comity, expect, leave_out, part, report

sys.path.append(str(Path(__file__).parents[1] / "tests" / "e2e"))

from real_postfix import POSTFIX, Mailbox, Postfix, Session, postfix, snippets

MAILS = 300
FLIPS = 100
MOST_LATE = 10_000
"""Attempts that may pass; more, and the gate does not work."""
RULES = """---
comity: 1
title: Rules
channels: [mail]
review_within: 5 days
---

# Rules

## Spam {#spam}

No advertising.

```rule
text.says("buy now")
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | suspend | all | 30 days |
"""
PATIENT = "smtpd_soft_error_limit = 1000000\nsmtpd_hard_error_limit = 1000000\n"
"""With somebody who tries again and again; else Postfix makes them wait."""
KINDS = ("no gate", "asked who may send", "and shown what is sent")


@dataclass
class Served:
    """One Postfix, somebody signed in there, and how long mails took."""

    session: Session
    took: list[float] = field(default_factory=list)

    async def send(self, number: int) -> None:
        start = time.perf_counter()
        code = await self.session.send(f"mail {number}")
        self.took.append(time.perf_counter() - start)
        expect(code == 250, self.session.last)

    async def passes(self) -> bool:
        """Whether a recipient may be named."""
        await self.session.say(b"RSET")
        await self.session.say(b"MAIL FROM:<bob@example.org>")
        return await self.session.say(b"RCPT TO:<eve@example.com>") == 250


@contextmanager
def started(*command: str | Path, folder: Path) -> Iterator[tuple[str, int]]:
    """A command that serves; the first line that it says, and its process."""
    arguments = [str(each) for each in (COMITY, *command)]
    with subprocess.Popen(
        arguments, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, umask=0
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline(), process.pid
        finally:
            process.terminate()


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def token(name: str, role: str, folder: Path) -> str:
    made: str = json.loads(comity("token", "new", name, "--role", role, "--json", folder=folder))["token"]
    (folder / f"{name}.token").write_text(made)
    return made


def gate(number: int, server: Postfix, url: str, folder: Path) -> tuple[str, ...]:
    """The command for the gate of that kind."""
    token(f"gate-{number}", "gate", folder)
    where = ("--listen", f"127.0.0.1:{server.gate}", "--folder", f"gate-{number}", "--name", f"gate-{number}")
    command = ("gate", "postfix", "--centre", url, "--token-file", f"gate-{number}.token", *where)
    if number == 1:
        return command
    (server.folder / "queue" / "comity").mkdir()
    milter = f"unix:{server.folder}/queue/comity/milter.sock"
    return (*command, "--milter", milter, "--source-token-file", "source.token")


@asynccontextmanager
async def served(server: Postfix, login: bytes) -> AsyncIterator[Served]:
    """Once the gate has been told of everything."""
    async with (
        await asyncio.start_server(Mailbox().take, "127.0.0.1", server.mailbox),
        server.session(login) as session,
    ):
        one = Served(session)
        while not await one.passes():
            pass
        yield one


async def measure(all_of_them: list[Served]) -> None:
    for number in range(MAILS + 5):
        if number == 5:  # the first ones do not count
            for each in all_of_them:
                each.took.clear()
        for each in all_of_them:
            await each.send(number)


async def flipped(one: Served, url: str, source: str, reviewer: str) -> list[tuple[float, float, int]]:
    """Seconds from the message that breaches, and from its answer; attempts that passed after the answer."""
    found = []
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        for number in range(FLIPS):
            message = {"id": f"flip {number}", "author": "bob", "channel": "mail", "text": "buy now"}
            message["sent"] = datetime.now(UTC).isoformat()
            start = time.perf_counter()
            telling = asyncio.create_task(client.post("/v1/messages", json=message, headers=bearer(source)))
            answered: list[float] = []
            telling.add_done_callback(lambda _, answered=answered: answered.append(time.perf_counter()))
            late = 0
            while await one.passes():
                late += bool(answered)
                expect(late < MOST_LATE, "who is cut off is refused at some time")
            refused, statement = time.perf_counter(), (await telling).json()["statement"]
            found.append((refused - start, max(0.0, refused - answered[0]), late))
            read = f"/v1/statements/{statement}/delivered"  # nobody climbs for what they sent before they read it
            expect((await client.post(read, json={}, headers=bearer(source))).is_success, "it is delivered")
            why = {"by": "mara", "why": "A mistake."}
            lifted = await client.post(f"/v1/statements/{statement}/lift", json=why, headers=bearer(reviewer))
            expect(lifted.is_success, lifted.text)
            while not await one.passes():
                pass
    return found


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def told(all_of_them: list[Served]) -> None:
    for kind, each in zip(KINDS, all_of_them, strict=True):
        part(f"{kind}: a client waits for a mail, p50", statistics.median(each.took) * 1e3, "ms")
        part(f"{kind}: p95", statistics.quantiles(each.took, n=20)[18] * 1e3, "ms")
    plain, asked, shown = (statistics.median(each.took) * 1e3 for each in all_of_them)
    part("asking adds, p50", asked - plain, "ms", target="+0.2 ms in a prototype that asked once; this asks twice")
    part("judging adds to that, p50", shown - asked, "ms", target="+0.7 ms in a prototype")


def told_of_flips(flips: list[tuple[float, float, int]]) -> float:
    for name, which in (("the message that breaches", 0), ("the centre's answer to it", 1)):
        took = sorted(each[which] * 1e3 for each in flips)
        part(f"first refusal after {name}, p50", statistics.median(took), "ms")
        part(f"first refusal after {name}, p95", statistics.quantiles(took, n=20)[18], "ms")
        part(f"first refusal after {name}, max of {len(took)}", took[-1], "ms")
    part("attempts that passed after the answer", sum(each[2] for each in flips), "attempts")
    return statistics.quantiles((each[1] * 1e3 for each in flips), n=20)[18]


async def measured(servers: list[Postfix], url: str, tokens: tuple[str, str], pids: dict[str, int]) -> float:
    async with AsyncExitStack() as held:
        names = (b"ann", b"bob", b"joe")
        all_of_them = [
            await held.enter_async_context(served(server, name)) for server, name in zip(servers, names, strict=True)
        ]
        before = {name: processor_seconds(pid) for name, pid in pids.items()}
        await measure(all_of_them)
        told(all_of_them)
        for name, pid in pids.items():
            part(f"processor time of {name}", (processor_seconds(pid) - before[name]) / MAILS * 1e3, "ms a mail")
        return told_of_flips(await flipped(all_of_them[1], url, *tokens))


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as held:
        folder = Path(name)
        (folder / "agreement.md").write_text(RULES)
        comity("publish", "agreement.md", folder=folder)
        tokens = token("source", "source", folder), token("mara", "reviewer", folder)
        line, pid = held.enter_context(started("serve", "--port", "0", folder=folder))
        pids = {"the centre": pid}
        found = re.search(r"http://127\.0\.0\.1:[0-9]+", line)
        expect(found is not None, f"the centre runs: {line}")
        url = found[0] if found else ""
        servers = [held.enter_context(postfix(PATIENT, *snippets()[:number])) for number in range(len(KINDS))]
        for number, server in enumerate(servers):
            if number:
                said, pid = held.enter_context(started(*gate(number, server, url, folder), folder=folder))
                pids[f"the gate that is {KINDS[number].removeprefix('and ')}"] = pid
                expect("follows" in said, f"the gate runs: {said}")
        p95 = asyncio.run(measured(servers, url, tokens, pids))
    report(p95, "ms", target="from the centre's answer to the first refusal, p95: at most 50 ms")


if __name__ == "__main__":
    if POSTFIX is None or os.geteuid() != 0:
        leave_out("it needs Postfix, and root to start it: apt install postfix")
    main()
