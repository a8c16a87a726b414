"""The whole way, with programs alone: `comity serve`, two gates, nginx and Caddy, and a decision on the command line.

One decision stops a person's posts at both web servers, lifting opens both, and between them the centre is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "unit"))

from test_gate_process import Process  # noqa: E402
from test_gate_web_servers import SERVERS, Web, demand, free_port, web  # noqa: E402

COMITY = str(Path(sys.executable).with_name("comity"))
PATIENCE = 60.0
MESSAGE = {"id": "1", "author": "ann", "channel": "posts", "text": "I know where you live."}


@dataclass(frozen=True)
class Record:
    """A folder with a record, and the port that its centre has."""

    folder: Path
    port: int
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def comity(self, *arguments: str) -> str:
        process = await self.started(*arguments)
        said, errors = await process.communicate()
        assert process.returncode == 0, f"{arguments}: {errors.decode()}"
        return said.decode()

    async def started(self, *arguments: str) -> asyncio.subprocess.Process:
        environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            COMITY, *arguments, cwd=self.folder, env=environment, stdout=pipe, stderr=pipe
        )

    @asynccontextmanager
    async def running(self, *arguments: str) -> AsyncIterator[Process]:
        """A command that serves, and what it says on which port."""
        process = await self.started(*arguments)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(PATIENCE):
                line = (await process.stdout.readline()).decode()
            found = re.search(r"[0-9.]{7,}:([0-9]+)", line)
            assert found, line + (await process.communicate())[1].decode()
            yield Process(process, int(found[1]))
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    def serving(self) -> AsyncIterator[Process]:
        return self.running("serve", "--host", self.host, "--port", str(self.port))

    @asynccontextmanager
    async def gate(self, name: str) -> AsyncIterator[Process]:
        token = self.folder / f"{name}.token"
        made = json.loads(await self.comity("token", "new", name, "--role", "gate", "--json"))
        token.write_text(made["token"])
        where = ("--listen", "127.0.0.1:0", "--folder", f"gate-{name}")
        async with self.running("gate", "http", "--centre", self.url, "--token-file", str(token), *where) as process:
            yield process

    async def reached(self, state: str) -> str:
        """Wait until both gates have reported so."""
        async with asyncio.timeout(PATIENCE):
            while f"{state} at 2 of 2 gates" not in (said := await self.comity("standing", "ann", "--gates")):
                pass
        return said


async def a_record(folder: Path) -> Record:
    record = Record(folder, free_port())
    await record.comity("init", ".")
    await record.comity("publish", "agreement.md")
    return record


async def cut_off(record: Record) -> str:
    """One decision, by a person, on the command line."""
    message = {**MESSAGE, "sent": datetime.now(UTC).isoformat()}
    (record.folder / "message.json").write_text(json.dumps(message))
    reported = ("--where", "here", "--why", "A threat", "--good-faith", "--name", "bob", "--contact", "b@example.org")
    said = await record.comity("notice", "message.json", *reported)
    (case,) = re.findall(r"in case ([0-9a-f]{32})", said)
    decision = ("--confirm", "--clause", "threats", "--by", "mara", "--why", "It threatens.", "--yes")
    (statement,) = re.findall(r"statement is ([0-9a-f]{32})", await record.comity("case", case, *decision))
    return statement


async def statuses(servers: list[Web]) -> list[int]:
    return [(await each.post("ann")).status_code for each in servers]


def test_one_decision_stops_and_lifting_opens_everywhere_whatever_becomes_of_the_centre(tmp_path: Path) -> None:
    demand("nginx")

    async def told() -> None:
        record = await a_record(tmp_path)
        async with record.serving() as centre, record.gate("one") as one, record.gate("two") as two:
            nginx, caddy, *_ = SERVERS
            async with web(nginx, tmp_path / nginx, one) as first, web(caddy, tmp_path / caddy, two) as second:
                servers = [first, second]
                async with asyncio.timeout(PATIENCE):  # until both have taken their first snapshot
                    while await statuses(servers) != [201, 201]:
                        pass
                statement = await cut_off(record)
                said = await record.reached("cut off")
                assert re.search(r"cut off at 2 of 2 gates, slowest [0-9]+ ms", said)
                refused = await first.post("ann")
                assert (refused.status_code, refused.json()["statement"]) == (403, statement)
                assert await statuses(servers) == [403, 403]
                page = await first.client.get(refused.json()["link"])
                assert (page.status_code, page.headers["referrer-policy"]) == (200, "no-referrer")
                assert await centre.end(signal.SIGKILL) != 0
                assert await statuses(servers) == [403, 403]
                await record.comity("lift", statement, "--by", "mara", "--why", "A mistake.")
                assert await statuses(servers) == [403, 403]
                async with record.serving():
                    await record.reached("open")
                    assert await statuses(servers) == [201, 201]
                    assert [await each.end(signal.SIGTERM) for each in (one, two)] == [0, 0]

    asyncio.run(told())
