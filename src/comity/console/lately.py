"""What takes long to find out, as it was last found out: a page waits a moment for something newer, and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from comity.casework.quality import Quality
from comity.console.asking import Reader
from comity.flow.quality import UNMEASURED, measured
from comity.ports import Store

ResultT = TypeVar("ResultT")
_PATIENCE: Final = 0.05
"""Seconds."""


class Lately(Generic[ResultT]):
    """One such thing. `reader` is for those alone: whoever else reads would wait behind them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._running: asyncio.Task[ResultT] | None = None
        self._last: ResultT | None = None

    async def found(self, work: Callable[[Store], ResultT]) -> ResultT | None:
        """What `work` finds, if it is quick; else what was found last, or None. It goes on meanwhile."""
        if self._running is None:
            self._running = asyncio.ensure_future(self._reader.look(work))
        running = self._running
        done, _ = await asyncio.wait({running}, timeout=_PATIENCE)
        if done:
            if self._running is running:
                self._running = None
            self._last = running.result()
        return self._last


class Measuring:
    """The quality of decisions over the whole record; only what was added since the last time is looked at."""

    def __init__(self, reader: Reader) -> None:
        self._lately, self._measured = Lately[Quality](reader), UNMEASURED

    async def quality(self) -> Quality | None:
        return await self._lately.found(self._now)

    def _now(self, store: Store) -> Quality:
        self._measured = measured(store, self._measured)
        return self._measured.quality
