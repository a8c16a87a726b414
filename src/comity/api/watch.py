"""The feed's followers: whatever is recorded, here or by another program, reaches each of them in milliseconds.

One thread reads the store, with a connection of its own. Changes that several gates wait for are read and proved once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

from comity.flow.feed import Channels, FeedSource, scoped
from comity.ledger.feed import FeedEntry, encode_line
from comity.ports import NO_SPANS, Clock, Spans, Store

ResultT = TypeVar("ResultT")
HEARTBEAT: Final = 0.5
"""Seconds between two heartbeats."""
_LOOK: Final = 0.005
"""Seconds after which it is seen that another program has written."""
_AT_ONCE: Final = 500
_MOST_AT_HAND: Final = 20_000


class Watch:
    """Begin it with `start` in the running event loop."""

    def __init__(self, store: Store, source: FeedSource, clock: Clock, spans: Spans = NO_SPANS) -> None:
        """`store` is only read, and by nobody else."""
        self._store, self._source, self._clock, self._spans = store, source, clock, spans
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._at_hand: dict[int, FeedEntry] = {}
        self._epoch = ""
        self._told, self._moved = asyncio.Event(), asyncio.Condition()
        self._looking: asyncio.Task[None] | None = None
        self._ends = False

    async def start(self) -> None:
        self._looking = asyncio.get_running_loop().create_task(self._look())

    def end(self) -> None:
        """Streams end with a whole line, within a heartbeat."""
        self._ends = True

    async def stop(self) -> None:
        self.end()
        if self._looking is not None:
            self._looking.cancel()
        async with self._moved:
            self._moved.notify_all()
        self._thread.shutdown()

    def tell(self) -> None:
        """Something was recorded in this program."""
        self._told.set()

    async def ask(self, work: Callable[[Store], ResultT]) -> ResultT:
        """Look something up, away from the thread that decides."""
        return await self._in_thread(lambda: work(self._store))

    async def stream(self, epoch: str, after: int, channels: Channels) -> AsyncIterator[bytes]:
        """Lines from the change after `after` on, without end. Raises `GoneError` before the first."""
        changes = await self._after(epoch, after)
        return self._lines(epoch, after, changes, channels)

    async def _lines(
        self, epoch: str, after: int, changes: list[FeedEntry], channels: Channels
    ) -> AsyncIterator[bytes]:
        yield await self._heartbeat(channels)
        due = self._now() + HEARTBEAT
        while not self._ends:
            if changes:
                after = changes[-1].seq
                yield b"".join(map(encode_line, scoped(changes, channels)))
            else:
                await self.wait(due - self._now())
            if self._now() >= due:
                yield await self._heartbeat(channels)
                due = self._now() + HEARTBEAT
            changes = await self._after(epoch, after)

    async def _after(self, epoch: str, after: int) -> list[FeedEntry]:
        return self._run(epoch, after) or await self._in_thread(lambda: self._read(epoch, after))

    def _run(self, epoch: str, after: int) -> list[FeedEntry]:
        """What is at hand."""
        found: list[FeedEntry] = []
        known = self._at_hand if self._epoch == epoch else {}
        while len(found) < _AT_ONCE and (entry := known.get(after + 1 + len(found))) is not None:
            found.append(entry)
        return found

    def _read(self, epoch: str, after: int) -> list[FeedEntry]:
        if found := self._run(epoch, after):  # it was read for another follower meanwhile
            return found
        with self._spans.span("feed"):
            changes = list(islice(self._source.changes(epoch, after), _AT_ONCE))
        if epoch != self._epoch or len(self._at_hand) > _MOST_AT_HAND:
            self._epoch, self._at_hand = epoch, {}
        self._at_hand |= {each.seq: each for each in changes}
        return changes

    async def _heartbeat(self, channels: Channels) -> bytes:
        return await self._in_thread(lambda: encode_line(self._source.heartbeat(self._clock.now(), channels)))

    async def _look(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_LOOK):
                    await self._told.wait()
            except TimeoutError:
                if not await self._in_thread(self._store.was_changed):
                    continue
            self._told.clear()
            async with self._moved:
                self._moved.notify_all()

    async def wait(self, seconds: float) -> bool:
        """Until something was recorded, at most that long. False: this is the end."""
        try:
            async with asyncio.timeout(max(seconds, 0)), self._moved:
                if not self._ends:
                    await self._moved.wait()
        except TimeoutError:
            pass
        return not self._ends

    async def _in_thread(self, work: Callable[[], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
