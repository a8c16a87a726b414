"""What takes long to find out, as it was last found out: a page waits a moment for something newer, and no longer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from comity.casework.quality import Quality
from comity.console.asking import Reader
from comity.flow.counts import Keeping
from comity.flow.quality import UNMEASURED, KeptMeasured, as_kept, as_measured, measured
from comity.ports import Counts, Store

ResultT = TypeVar("ResultT")
_PATIENCE: Final = 0.05
_AT_FIRST: Final = 1.0
"""Seconds: where there is something to show, and where there is nothing yet."""


class Lately(Generic[ResultT]):
    """One such thing. `reader` is for those alone: whoever else reads would wait behind them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._running: asyncio.Task[ResultT] | None = None
        self._last: ResultT | None = None

    async def found(self, work: Callable[[Store], ResultT], before: ResultT | None = None) -> ResultT | None:
        """What `work` finds, if it is quick; else what was found last, or `before`. It goes on meanwhile."""
        known = before if self._last is None else self._last
        if self._running is None:
            self._running = asyncio.ensure_future(self._reader.look(work))
            self._running.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody may ask again
        running = self._running
        done, _ = await asyncio.wait({running}, timeout=_AT_FIRST if known is None else _PATIENCE)
        if done:
            if self._running is running:
                self._running = None
            self._last = known = running.result()
        return known


class Measuring:
    """The quality of decisions over the whole record; only what was added since the last time is looked at."""

    def __init__(self, reader: Reader, counts: Counts) -> None:
        self._reader, self._keeping = reader, Keeping(counts, "quality")
        self._lately, self._measured = Lately[Quality](reader), UNMEASURED

    def take_up(self) -> None:
        """Go on from what was kept."""
        self._reader.begin(self._take_up)

    def begin(self) -> None:
        """Before anybody asks."""
        self._reader.begin(self._now)

    async def quality(self) -> Quality | None:
        known = self._measured
        return await self._lately.found(self._now, known.quality if known.position else None)

    def _take_up(self, store: Store) -> None:
        kept = self._keeping.taken_up(store, KeptMeasured)
        if kept is not None:
            self._measured = as_measured(kept)

    def _now(self, store: Store) -> Quality:
        self._measured = now = measured(store, self._measured, self._reader.is_over)
        self._keeping.keep(store, now.position, now.erasures, as_kept(now))
        return now.quality
