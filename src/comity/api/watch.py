"""The feed's followers: whatever is recorded, here or by another program, reaches each of them in milliseconds.

One thread looks for what is new, reads and proves it once for all who follow, and wakes the event loop only then. What
is asked beside goes through another; the store, a connection of its own, is used by one of them at a time.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
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
_MOST_LOOKS: Final = 4
"""Looks after which it is not waited any more until what was recorded is published: of an erasure nothing is."""
_LONGEST: Final = 0.05
"""Seconds that the next acts wait at most for who follows."""
_AT_ONCE: Final = 500
_MOST_AT_HAND: Final = 20_000


class Watch:
    """Begin it with `start` in the running event loop."""

    def __init__(self, store: Store, source: FeedSource, clock: Clock, spans: Spans = NO_SPANS) -> None:
        """`store` is only read, and by nobody else."""
        self._store, self._source, self._clock, self._spans = store, source, clock, spans
        self._lock, self._told, self._seen = threading.Lock(), threading.Event(), threading.Event()
        self._asked = ThreadPoolExecutor(1, thread_name_prefix="asked")
        self._feed = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._at_hand: dict[int, FeedEntry] = {}
        self._read_to = "", 0, False  # the epoch; the last change that was read; whether that is all there is
        self._lags = False  # what another program recorded was seen before that had published it
        self._streams = self._beats = 0
        self._recorded, self._turned = asyncio.Event(), asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._ends = False

    async def start(self) -> None:
        self._looking = asyncio.get_running_loop().create_task(self._look())

    def end(self) -> None:
        """Streams end with a whole line, at once."""
        self._ends = True
        self._told.set()

    async def stop(self) -> None:
        self.end()
        if self._looking is not None:
            await self._looking
        self._feed.shutdown()
        self._asked.shutdown()

    def tell(self) -> None:
        """Something was recorded in this program."""
        self._seen.clear()
        self._told.set()

    def heard(self) -> None:
        """Wait until what was told last was written to who follows, but not for long.

        Who decides more meanwhile would have them wait, for both need the interpreter.
        """
        if self._streams:
            self._seen.wait(_LONGEST)

    async def ask(self, work: Callable[[Store], ResultT]) -> ResultT:
        """Look something up, away from the thread that decides."""
        return await self._in_turn(lambda: work(self._store))

    async def wait(self, seconds: float) -> bool:
        """Until something was recorded, at most that long. False: this is the end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0)):
                if not self._ends:
                    await self._recorded.wait()
        return not self._ends

    async def stream(self, epoch: str, after: int, channels: Channels) -> AsyncIterator[bytes]:
        """Lines from the change after `after` on, without end. Raises `GoneError` before the first."""
        changes = await self._after(epoch, after)
        return self._lines(epoch, after, changes, channels)

    async def _lines(
        self, epoch: str, after: int, changes: Sequence[FeedEntry], channels: Channels
    ) -> AsyncIterator[bytes]:
        self._streams += 1
        try:
            beats = self._beats
            yield await self._heartbeat(channels)
            while not self._ends:
                turned = self._turned  # before it is asked what there is, so that nothing comes between unheard
                if changes := changes or await self._after(epoch, after):
                    after = changes[-1].seq
                    yield b"".join(map(encode_line, scoped(changes, channels)))
                    changes = ()
                else:
                    await turned.wait()
                if beats != self._beats:
                    beats = self._beats
                    yield await self._heartbeat(channels)
        finally:
            self._streams -= 1

    async def _after(self, epoch: str, after: int) -> Sequence[FeedEntry]:
        """What is at hand; else it is read, unless it is known that there is nothing."""
        if (found := self._run(epoch, after)) or self._read_to == (epoch, after, True):
            return found
        return await self._in_turn(lambda: self._run(epoch, after) or self._read(epoch, after))

    def _run(self, epoch: str, after: int) -> Sequence[FeedEntry]:
        """What is at hand."""
        found: list[FeedEntry] = []
        known = self._at_hand if self._read_to[0] == epoch else {}
        while len(found) < _AT_ONCE and (entry := known.get(after + 1 + len(found))) is not None:
            found.append(entry)
        return found

    def _read(self, epoch: str, after: int) -> Sequence[FeedEntry]:
        """What was published. It is at hand for the next who asks. Hold the lock."""
        with self._spans.span("feed"):
            changes = list(islice(self._source.changes(epoch, after), _AT_ONCE))
        if epoch != self._read_to[0]:
            self._read_to, self._at_hand = ("", 0, False), {}
        elif len(self._at_hand) > _MOST_AT_HAND:
            self._at_hand = {}
        self._at_hand |= {each.seq: each for each in changes}
        last = changes[-1].seq if changes else after
        if last >= self._read_to[1]:
            self._read_to = epoch, last, len(changes) < _AT_ONCE
        return changes

    async def _heartbeat(self, channels: Channels) -> bytes:
        return await self._in_turn(lambda: encode_line(self._source.heartbeat(self._clock.now(), channels)))

    async def _look(self) -> None:
        due = time.monotonic() + HEARTBEAT
        while not self._ends:
            looking = asyncio.get_running_loop().run_in_executor(self._feed, self._see, due)
            await asyncio.wait([looking])
            if time.monotonic() >= due:
                self._beats, due = self._beats + 1, time.monotonic() + HEARTBEAT
            self._wake(is_new=looking.exception() is not None or looking.result())  # who follows hears what is wrong
            await asyncio.sleep(0)  # and writes it
            if not self._told.is_set():
                self._seen.set()

    def _see(self, due: float) -> bool:
        """Whether something was recorded before a heartbeat is due. What the feed has of it is at hand then.

        What another thread or program recorded a moment ago is published a moment later, and cannot be told before.
        """
        is_new, looks = False, 0
        while not is_new and not self._ends and (left := due - time.monotonic()) > 0:
            if is_told := self._told.wait(min(left, _LOOK)):
                self._told.clear()
            with self._lock:
                looks += self._store.was_changed() or looks > 0
                is_new = is_told or looks > _MOST_LOOKS or ((looks > 0 or self._lags) and self._source.was_published())
        with self._lock:
            self._read_on()
        return is_new or looks > 0

    def _read_on(self) -> None:
        epoch, after, _ = self._read_to
        self._read_to = epoch, after, False
        if self._streams:
            self._read(epoch, after)
            self._lags = self._read_to[1] < self._store.feed.cursor

    def _wake(self, *, is_new: bool) -> None:
        self._turned.set()
        self._turned = asyncio.Event()
        if is_new:
            self._recorded.set()
            self._recorded = asyncio.Event()

    async def _in_turn(self, work: Callable[[], ResultT]) -> ResultT:
        def alone() -> ResultT:
            with self._lock:
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._asked, alone)
