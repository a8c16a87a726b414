"""Everything at once, for a gate that is new: made beside the feed, so that no gate waits for another's snapshot.

It may have a million entries, so it is a file before it is sent: what is read is of one moment, however slowly the gate
takes it, and whether it adds up is known before its first byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, Final

from comity.flow.feed import Channels, FeedSource

_PIECE: Final = 1 << 18


class Snapshots:
    """One after the other. `source`: on a connection to the store that nobody else uses."""

    def __init__(self, source: FeedSource) -> None:
        self._source = source
        self._making: IO[bytes] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="snapshot")

    async def start(self) -> None:
        """There is nothing to begin."""

    async def stop(self) -> None:
        """What is being made is given up."""
        if self._making is not None:
            self._making.close()
        self._thread.shutdown(cancel_futures=True)

    async def pieces(self, channels: Channels) -> AsyncIterator[bytes]:
        """Raises `DamagedFeedError` before the first."""
        return _sent(*await asyncio.get_running_loop().run_in_executor(self._thread, self._made, channels))

    def _made(self, channels: Channels) -> tuple[bytes, IO[bytes], bytes]:
        with ExitStack() as held:
            entries = self._making = held.enter_context(TemporaryFile())
            head, tail = self._source.write_snapshot(entries, channels)
            held.pop_all()  # it is closed when it was sent
        self._making = None
        entries.seek(0)
        return head, entries, tail


async def _sent(head: bytes, entries: IO[bytes], tail: bytes) -> AsyncIterator[bytes]:
    with entries:
        for piece in chain((head,), iter(lambda: entries.read(_PIECE), b""), (tail,)):
            yield piece
