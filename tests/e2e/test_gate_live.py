"""What is open already ends when its account is cut off: an application behind a real web server follows its gate.

The application does as docs/gates.md says: what is run here is the page's own program.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from test_gate_web_servers import ROOT, SERVERS, Web, demand, free_port, web

sys.path.append(str(ROOT / "tests" / "unit"))

from gate_centre import PATIENCE, Centre
from test_gate_process import running, with_centre

Follow = Callable[[str, str, Callable[[], Iterable[str]], Callable[[str], None]], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\nConnection: close\r\n\r\n"


def the_pages_program() -> Follow:
    page = (ROOT / "docs" / "gates.md").read_text()
    (program,) = re.findall(r"^```python\n(import asyncio\n.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Follow] = {}
    exec(compile(program, "docs/gates.md", "exec"), names)
    return names["follow"]


class Live:
    """Sends an event to each user a hundred times a second, for as long as they listen."""

    def __init__(self) -> None:
        self.open: dict[str, set[asyncio.Task[None]]] = defaultdict(set)

    def end(self, name: str) -> None:
        for task in self.open.pop(name, ()):
            task.cancel()

    @asynccontextmanager
    async def behind(self, _: list[str]) -> AsyncIterator[int]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                (name,) = re.findall(r"/post/live/([a-z]+)", head)
                task = asyncio.create_task(self._tell(writer))
                self.open[name].add(task)
                await asyncio.wait([task])
            finally:
                writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        with suppress(ConnectionError):
            while True:
                writer.write(b"data: news\n\n")
                await writer.drain()
                await asyncio.sleep(0.01)


class Listener:
    """A user with an open stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def hears(self) -> bool:
        """Whether one more event comes before the end."""
        async with asyncio.timeout(PATIENCE):
            async for line in self._lines:
                if line.startswith("data: "):
                    return True
        return False

    async def ends(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.hears():
                pass


@asynccontextmanager
async def listening(front: Web, name: str) -> AsyncIterator[Listener]:
    login = {"Authorization": front.login(name)}
    async with front.client.stream("GET", f"{front.url}/post/live/{name}", headers=login) as answer:
        assert answer.status_code == 200
        listener = Listener(answer)
        assert await listener.hears()
        yield listener


@asynccontextmanager
async def following(live: Live, port: int) -> AsyncIterator[None]:
    gate = f"http://127.0.0.1:{port}"
    task = asyncio.create_task(the_pages_program()(gate, "posts", lambda: live.open, live.end))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def cut(centre: Centre, name: str, cursor: int) -> None:
    centre.world.say("spam", author=name)
    centre.tell()
    await centre.acked(cursor)


@pytest.mark.parametrize("server", SERVERS)
def test_what_is_open_ends_when_its_account_is_cut_off_and_no_other_does(server: str, tmp_path: Path) -> None:
    demand(server)

    async def told(centre: Centre) -> None:
        live = Live()
        async with (
            running(tmp_path, centre.url) as gate,
            web(server, tmp_path / server, gate, live.behind) as front,
            following(live, gate.port),
        ):
            await centre.acked(0)
            async with listening(front, "ann") as ann, listening(front, "ann") as also, listening(front, "bob") as bob:
                await cut(centre, "ann", 2)
                await ann.ends()
                await also.ends()
                assert (await front.post("ann")).status_code == 403
                assert await bob.hears()
                assert await bob.hears()

    asyncio.run(with_centre(told))


def test_what_was_decided_while_the_gate_was_away_ends_it_when_it_is_back(tmp_path: Path) -> None:
    demand("nginx")

    async def told(centre: Centre) -> None:
        live, listen = Live(), ("--listen", f"127.0.0.1:{free_port()}")
        async with (
            running(tmp_path, centre.url, *listen) as gate,
            web("nginx", tmp_path / "nginx", gate, live.behind) as front,
            following(live, gate.port),
        ):
            await centre.acked(0)
            async with listening(front, "ann") as ann, listening(front, "bob") as bob:
                await gate.end(signal.SIGKILL)
                centre.world.say("spam")
                async with running(tmp_path, centre.url, *listen):
                    await ann.ends()
                    assert await bob.hears()

    asyncio.run(with_centre(told))
