"""What takes long to find out, as it was last found out: a page waits a moment for something newer, and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from comity.casework.quality import Quality
from comity.console.asking import Reader
from comity.flow.quality import measured
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
    """The quality of decisions over the whole record, found out anew when something was added."""

    def __init__(self, reader: Reader) -> None:
        self._lately, self._position, self._measured = Lately[Quality](reader), -1, measured_nothing()

    async def quality(self) -> Quality | None:
        return await self._lately.found(self._now)

    def _now(self, store: Store) -> Quality:
        position = store.position
        if position != self._position:
            self._measured, self._position = measured(store), position
        return self._measured


def measured_nothing() -> Quality:
    return Quality(second_reviews=0, agreed=0, appealed=0, reversed=0, rules={}, sampled=0, missed={})
