"""A centre for gates under test: a record in memory, its feed over HTTP on loopback, and what can go wrong with it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
from test_flow_feed import Watched, encode_snapshot
from test_flow_record import KEY, NOW

from comity.api.messages import judged
from comity.app import gate_trust
from comity.app.gate import VKEY
from comity.app.serve import parse
from comity.flow.feed import GoneError
from comity.ledger.feed import encode_line
from comity.ledger.note import SigningKey
from comity.model.plan import Planned

TOKEN = "secret"
PATIENCE = 60.0
COMITY = Path(sys.executable).with_name("comity")
ELSEWHERE = SigningKey(name="example.org/other", seed=b"o" * 32)
"""The key of a log that is not this centre's."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    cursor: int
    applied_at: datetime


class Ack(Point, frozen=True, kw_only=True):
    gate: str
    earlier: tuple[Point, ...]


@dataclass
class Rows:
    """Watches a replica: `heard` is called with each row that has changed."""

    heard: Callable[[int], object]

    def before(self, row: int, planned: Planned | None) -> None:
        pass

    def after(self, row: int) -> None:
        self.heard(row)

    def begin(self) -> None:
        pass


@dataclass
class Centre:
    """`spoil` changes what is streamed, `snapshot` what is sent as one; `status` refuses everything.

    `judged` changes the answer to a message, and its status; None: there is no answer.
    """

    world: Watched
    now: Callable[[], datetime]
    spoil: Callable[[bytes], bytes] = lambda line: line
    snapshot: Callable[[bytes], bytes] = lambda content: content
    status: int = 200
    judged: Callable[[bytes], tuple[int, bytes] | None] = lambda content: (200, content)
    acks: asyncio.Queue[Ack] = field(default_factory=asyncio.Queue)
    delivered: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    url: str = ""
    asked: list[str] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self) -> None:
        """Something was recorded: gates hear of it."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def acked(self, cursor: int) -> Ack:
        """Wait for a gate to have applied that change."""
        async with asyncio.timeout(PATIENCE):
            while (ack := await self.acks.get()).cursor < cursor:
                pass
        return ack

    async def heard(self) -> str:
        """Wait for a statement to have been delivered."""
        async with asyncio.timeout(PATIENCE):
            return await self.delivered.get()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                method, target, _ = head.split(" ", 2)
                headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.asked.append(f"{method} {target}")
                is_known = headers.get("authorization") == f"bearer {TOKEN}"
                is_public = target.startswith("/v1/log/")
                await self._route(writer, urlsplit(target), body, self.status if is_known or is_public else 401)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _route(self, writer: asyncio.StreamWriter, url, body: bytes, status: int) -> None:
        if status != 200:
            await _send(writer, status, b"{}")
        elif url.path == "/v1/standings/snapshot":
            await _send(writer, 200, self.snapshot(encode_snapshot(self.world.feed.snapshot())))
        elif url.path == "/v1/standings":
            query = parse_qs(url.query)
            await self._stream(writer, query["epoch"][0], int(query["after"][0]))
        elif url.path == "/v1/gates/ack":
            self.acks.put_nowait(msgspec.json.decode(body, type=Ack))
            await _send(writer, 204, b"")
        elif url.path == "/v1/messages":
            told = self.judged(self._judge(body))
            if told is not None:
                await _send(writer, *told)
        elif url.path.endswith("/delivered"):
            self.delivered.put_nowait(url.path.split("/")[3])
            await _send(writer, 204, b"")
        else:
            content = self.world.log.read(url.path.removeprefix("/v1/log/"))
            await _send(writer, 404 if content is None else 200, content or b"")

    def _judge(self, body: bytes) -> bytes:
        read = parse([body], "gate")
        assert not read.unread, read.unread
        message = msgspec.structs.replace(read.messages[0], sent=self.now())
        (answer,) = self.world.proceedings.take([message])
        self.tell()
        told = self.world.proceedings.told(answer, message)
        return msgspec.json.encode(judged(told, lambda statement: f"https://example.org/r/{statement}"))

    async def _stream(self, writer: asyncio.StreamWriter, epoch: str, after: int) -> None:
        try:
            self.world.feed.heartbeat(self.now())
            list(self.world.feed.changes(epoch, after))
        except GoneError:
            await _send(writer, 410, b"")
            return
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n")
        while self.status == 200:
            changed = self._changed
            for change in self.world.feed.changes(epoch, after):
                _chunk(writer, self.spoil(encode_line(change)))
                after = change.seq
            _chunk(writer, self.spoil(encode_line(self.world.feed.heartbeat(self.now()))))
            await writer.drain()
            try:
                await asyncio.wait_for(changed.wait(), 0.5)
            except TimeoutError:
                continue
        raise ConnectionAbortedError


async def damage(folder: Path) -> None:
    """A bit of all that a gate has written; wait for that."""
    async with asyncio.timeout(PATIENCE):
        while not (bases := list(folder.glob("base-*[0-9]"))):
            await asyncio.sleep(0.02)
    for base in bases:
        content = bytearray(base.read_bytes())
        content[len(content) // 2] ^= 1
        base.write_bytes(content)


async def trust(folder: Path) -> None:
    """As the operator of a gate does when a new log was begun."""
    await asyncio.to_thread(gate_trust.trust, folder, VKEY, str(KEY.verifier))


async def _send(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body))
    await writer.drain()


def _chunk(writer: asyncio.StreamWriter, content: bytes) -> None:
    if content:
        writer.write(b"%x\r\n%s\r\n" % (len(content), content))


@asynccontextmanager
async def serving(world: Watched, now: Callable[[], datetime]) -> AsyncIterator[Centre]:
    """The centre of `world` on a free port of loopback."""
    centre = Centre(world=world, now=now)
    server = await asyncio.start_server(centre.answer, "127.0.0.1", 0)
    centre.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield centre
        centre.status = 503
        centre.tell()


class Told:
    """A centre that runs in another thread, told from this one what to do."""

    def __init__(self, centre: Centre, loop: asyncio.AbstractEventLoop) -> None:
        self.centre, self._loop = centre, loop

    def do(self, work: Callable[[], object]) -> None:
        async def done() -> None:
            work()
            self.centre.tell()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(PATIENCE)

    def say(self, text: str, author: str = "ann") -> None:
        self.do(lambda: self.centre.world.say(text, author=author))

    def acked(self, cursor: int) -> None:
        asyncio.run_coroutine_threadsafe(self.centre.acked(cursor), self._loop).result(PATIENCE)

    def heard(self) -> str:
        return asyncio.run_coroutine_threadsafe(self.centre.heard(), self._loop).result(PATIENCE)


@contextmanager
def beside(world: Watched) -> Iterator[Told]:
    """The centre of `world` in a thread of its own, for tests that wait."""
    started, ended = threading.Event(), asyncio.Event()
    found: list[Told] = []

    async def serve() -> None:
        async with serving(world, lambda: NOW) as one:
            found.append(Told(one, asyncio.get_running_loop()))
            started.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    assert started.wait(PATIENCE)
    try:
        yield found[0]
    finally:
        found[0].do(ended.set)
        thread.join()
