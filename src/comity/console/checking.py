"""The server checks its own ledger when somebody asks: whole, one at a time, and not again while nothing was added."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from comity.ledger.log import CHECKPOINT_PATH
from comity.ledger.report import Report
from comity.ledger.verify import verify
from comity.ports import PublishedLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How a check ended."""

    at: datetime
    report: Report


class Checks:
    """Reads in a thread of its own, so that nobody waits for it who did not ask."""

    def __init__(self, log: PublishedLog) -> None:
        self._log, self._thread = log, ThreadPoolExecutor(1, thread_name_prefix="verify")
        self._turn = asyncio.Lock()
        self._seen: bytes | None = None
        self.last: Checked | None = None

    async def check(self, at: datetime) -> Checked:
        async with self._turn:
            checkpoint = self._log.read(CHECKPOINT_PATH)
            if self.last is None or checkpoint != self._seen:
                loop = asyncio.get_running_loop()
                report = await loop.run_in_executor(self._thread, verify, self._log.read)
                self._seen, self.last = checkpoint, Checked(at=at, report=report)
            return self.last

    def close(self) -> None:
        self._thread.shutdown()
