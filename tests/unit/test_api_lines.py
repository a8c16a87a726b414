"""Lines that come in a request's body while others go out: what is together, what waits, and how it ends."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable

import pytest
from litestar.types import HTTPReceiveMessage

from comity.api.lines import Incoming, TooLongError
from comity.api.room import Lease, Room

PATIENCE = 30


class Sender:
    """The other end of a request: what it sends, and whether anybody waits for more."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[HTTPReceiveMessage] = asyncio.Queue()
        self.asked = asyncio.Event()

    def send(self, *chunks: bytes, more: bool = True) -> None:
        for chunk in chunks:
            self.sent.put_nowait({"type": "http.request", "body": chunk, "more_body": True})
        if not more:
            self.sent.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    def hang_up(self) -> None:
        self.sent.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> HTTPReceiveMessage:
        self.asked.set()
        return await self.sent.get()


def talk(work: Callable[[Sender, Incoming], Awaitable[None]], *, ahead: int = 1_000, room: Room | None = None) -> None:
    async def within() -> None:
        async with asyncio.timeout(PATIENCE):
            sender, incoming = Sender(), Incoming(ahead, Lease(room or Room(1 << 30)))
            await incoming.begin(sender.receive)
            await work(sender, incoming)

    asyncio.run(within())


async def rest(incoming: Incoming, at_once: int = 10) -> list[list[bytes]]:
    return [lines async for lines in incoming.batches(at_once)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_however_the_body_is_cut_its_lines_are_the_same(size: int) -> None:
    body = b"one\n\nthree\r\nfour"

    async def work(sender: Sender, incoming: Incoming) -> None:
        sender.send(*(body[at : at + size] for at in range(0, len(body), size)), more=False)
        assert [line for lines in await rest(incoming) for line in lines] == [b"one", b"", b"three\r", b"four"]

    talk(work)


def test_no_more_come_together_than_asked_for() -> None:
    async def work(sender: Sender, incoming: Incoming) -> None:
        sender.send(b"1\n2\n3\n4\n5\n", more=False)
        assert await rest(incoming, 2) == [[b"1", b"2"], [b"3", b"4"], [b"5", b""]]

    talk(work)


def test_the_first_is_there_while_the_second_has_not_been_sent() -> None:
    async def work(sender: Sender, incoming: Incoming) -> None:
        batches = incoming.batches(10)
        sender.send(b"1\n2")
        assert await anext(batches) == [b"1"]
        sender.send(b"2\n")
        assert await anext(batches) == [b"22"]
        sender.send(more=False)
        assert [lines async for lines in batches] == [[b""]]

    talk(work)


def test_no_more_is_read_than_the_bound_while_nobody_asks() -> None:
    async def work(sender: Sender, incoming: Incoming) -> None:
        for _ in range(5):
            sender.send(b"x" * 9 + b"\n")
        sender.send(more=False)
        while sender.sent.qsize() > 2:
            await asyncio.sleep(0)
        sender.asked.clear()
        for _ in range(100):
            await asyncio.sleep(0)
        assert not sender.asked.is_set()
        assert sum(map(len, await rest(incoming, 1))) == 6
        assert sender.sent.empty()

    talk(work, ahead=25)


def test_a_line_longer_than_the_bound_ends_it_after_what_came_before() -> None:
    async def work(sender: Sender, incoming: Incoming) -> None:
        sender.send(b"1\n", b"x" * 20, b"x" * 20)
        batches = incoming.batches(10)
        assert await anext(batches) == [b"1"]
        with pytest.raises(TooLongError):
            await anext(batches)

    talk(work, ahead=25)


def test_line_ends_alone_take_as_much_memory_as_they_are_bytes() -> None:
    async def work(sender: Sender, incoming: Incoming) -> None:
        sender.send(*[b"\n" * 65_536] * 16)
        tracemalloc.start()
        while not sender.sent.empty():
            await asyncio.sleep(0)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < 2 << 20
        incoming.end()

    talk(work, ahead=1 << 21)


def test_a_line_that_breaks_off_is_none() -> None:
    async def work(sender: Sender, incoming: Incoming) -> None:
        sender.send(b"1\n2")
        sender.hang_up()
        assert await rest(incoming) == [[b"1"]]

    talk(work)


def test_told_to_end_it_reads_no_more_and_gives_what_was_read() -> None:
    async def work(sender: Sender, incoming: Incoming) -> None:
        batches = incoming.batches(1)
        sender.send(b"1\n2\n3")
        assert await anext(batches) == [b"1"]
        incoming.end()
        assert [lines async for lines in batches] == [[b"2"]]

    talk(work)


def test_while_others_hold_most_of_the_room_nothing_is_read_ahead() -> None:
    room = Room(1_000)
    room.take(600)

    async def work(sender: Sender, incoming: Incoming) -> None:
        sender.send(b"one\n", b"two\n", b"three\n", more=False)
        batches = incoming.batches(10)
        assert await anext(batches) == [b"one"]
        assert sender.sent.qsize() >= 1  # one that was read waits, and no more are
        others = [line for lines in [each async for each in batches] for line in lines if line]
        assert others == [b"two", b"three"]

    talk(work, room=room)


def test_told_to_end_before_it_has_begun_to_read_it_ends() -> None:
    async def ended() -> None:
        async with asyncio.timeout(PATIENCE):
            incoming = Incoming(1_000, Lease(Room(1_000)))
            beginning = asyncio.create_task(incoming.begin(Sender().receive))
            asyncio.get_running_loop().call_soon(incoming.end)  # right behind the step that begins, before the reader's
            await beginning
            assert await rest(incoming) == []

    asyncio.run(ended())
