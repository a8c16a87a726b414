"""Whoever follows the feed hears of every change once and in order, and many cost little more than one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from threading import Event

import pytest
from test_flow_feed import MAIL, POSTS, Watched

from comity.api import watch
from comity.api.watch import Watch
from comity.flow.feed import FeedSource
from comity.ledger.feed import FeedEntry, Heartbeat, decode_line
from comity.model.ids import AccountId
from comity.stores.memory import MemoryStore
from comity.stores.world import FixedClock


@pytest.fixture(autouse=True)
def _no_heartbeat_mends_what_was_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "HEARTBEAT", 60)


class Counted(FeedSource):
    """How often the feed was read."""

    reads = 0

    def changes(self, epoch: str, after: int) -> Iterator[FeedEntry]:
        self.reads += 1
        return super().changes(epoch, after)


class Beside(MemoryStore):
    """A store that another program has written when it `was_written`. `looked` is called with each look at that."""

    was_written = False

    def __init__(self) -> None:
        super().__init__()
        self.looked: Callable[[], None] = lambda: None

    def was_changed(self) -> bool:
        self.looked()
        was_written, self.was_written = self.was_written, False
        return was_written


class Followed(Watched):
    """A record whose feed is followed, one account cut off on two channels at a time."""

    def __init__(self) -> None:
        self.beside = Beside()
        super().__init__(store=self.beside)
        self.source = Counted(self.store, self.log, str)
        self.watch = Watch(self.store, self.source, FixedClock(self.clock.at))
        self.cut_off = 0

    def cut(self, accounts: int = 1) -> None:
        self.cut_unheard(accounts)
        self.watch.tell()

    def cut_unheard(self, accounts: int = 1) -> None:
        for _ in range(accounts):
            self.cut_off += 1
            self.say("spam", author=f"a{self.cut_off}")

    @asynccontextmanager
    async def following(self, after: int, channels: frozenset | None = None) -> AsyncIterator[Callable]:
        """Told up to which change, it waits until it has heard of all that far; what it heard is in order."""
        stream = await self.watch.stream(self.store.feed.epoch, after, channels)
        heard = after

        async def until(change: int) -> None:
            nonlocal heard
            async for chunk in stream:
                for line in map(decode_line, chunk.splitlines()):
                    if not isinstance(line, Heartbeat):
                        assert line.since == heard + 1
                        heard = line.seq
                if heard == change:
                    return

        assert isinstance(decode_line(await anext(stream)), Heartbeat)
        yield until
        await stream.aclose()


def watched(told: Callable[[Followed], Awaitable[None]]) -> Followed:
    world = Followed()

    async def run() -> None:
        await world.watch.start()
        async with asyncio.timeout(5):
            await told(world)
        await world.watch.stop()

    asyncio.run(run())
    return world


def test_changes_are_read_once_for_all_who_follow() -> None:
    async def told(world: Followed) -> None:
        async with (
            world.following(0) as one,
            world.following(0, frozenset({POSTS})) as two,
            world.following(0, frozenset({MAIL})) as three,
            world.following(0) as four,
        ):
            for number in range(1, 41):
                world.cut()
                await asyncio.gather(*(until(2 * number) for until in (one, two, three, four)))

    assert watched(told).source.reads == 41


def test_more_than_is_read_at_once_is_heard_of_by_who_is_far_behind_and_by_who_is_not() -> None:
    async def told(world: Followed) -> None:
        world.cut(300)
        async with world.following(0) as behind, world.following(600) as at_the_end:
            world.cut(300)
            await at_the_end(1200)
            world.cut()
            await asyncio.gather(behind(1202), at_the_end(1202))

    watched(told)


def test_what_changed_while_nobody_followed_is_heard_of_by_the_next_who_does() -> None:
    async def told(world: Followed) -> None:
        async with world.following(0) as first:
            world.cut()
            await first(2)
        world.cut()
        await world.watch.wait(30)
        async with world.following(2) as second:
            await second(4)
            world.cut()
            await second(6)

    watched(told)


def test_what_is_published_after_it_was_seen_is_heard_of_without_another_change() -> None:
    async def told(world: Followed) -> None:
        async with world.following(0) as first:
            before = dict(world.log.files)
            world.cut()
            after, world.log.files = world.log.files, before
            await world.watch.wait(30)  # it was seen, and nothing of it could be told
            world.log.files = after
            await first(2)

    watched(told)


def test_what_another_program_recorded_is_read_once_when_that_has_published_it() -> None:
    async def told(world: Followed) -> None:
        async with world.following(0) as first:
            before, reads = dict(world.log.files), world.source.reads
            world.cut_unheard()
            published, world.log.files = world.log.files, before
            seen = 0

            def looked() -> None:
                nonlocal seen
                seen += not world.beside.was_written
                if seen == 2:
                    world.log.files = published

            world.beside.looked, world.beside.was_written = looked, True
            await first(2)
            assert world.source.reads == reads + 1

    watched(told)


def test_what_is_never_published_is_heard_of_all_the_same() -> None:
    async def told(world: Followed) -> None:
        async with world.following(0) as first:
            world.cut()
            await first(2)
            world.store.erase(AccountId("a1"))
            world.beside.was_written = True
            await first(4)

    watched(told)


def test_who_decides_more_waits_until_what_was_told_was_written_to_all_who_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "_LONGEST", 30)
    goes_on = Event()

    async def follow(world: Followed, ready: asyncio.Barrier, channels: frozenset | None) -> bool:
        """Whether who decides goes on while this is still at it."""
        async with world.following(0, channels) as heard:
            await heard(2)
            await ready.wait()
            await heard(4)
            return goes_on.wait(0.1)

    def decide(world: Followed) -> None:
        world.watch.heard()
        goes_on.set()

    async def told(world: Followed) -> None:
        every = (None, frozenset({POSTS}), None)
        ready = asyncio.Barrier(len(every) + 1)
        following = [asyncio.ensure_future(follow(world, ready, each)) for each in every]
        world.cut()
        await ready.wait()
        await asyncio.sleep(0)  # each waits for more
        world.cut()
        await asyncio.to_thread(decide, world)
        assert await asyncio.gather(*following) == [False] * len(every)

    watched(told)


def test_who_decides_more_waits_if_anybody_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "_LONGEST", 30)

    async def told(world: Followed) -> None:
        world.cut()
        await asyncio.to_thread(world.watch.heard)  # nobody follows, and nothing is read
        assert world.source.reads == 0
        async with world.following(2) as first:
            for number in range(2, 10):
                before = world.source.reads
                world.cut()
                await asyncio.to_thread(world.watch.heard)
                assert world.source.reads > before
                await first(2 * number)

    watched(told)


def test_at_the_end_streams_end_and_nobody_waits() -> None:
    async def told(world: Followed) -> None:
        async with world.following(0) as first:
            world.watch.end()
            await first(1)
        assert not await world.watch.wait(30)

    watched(told)
