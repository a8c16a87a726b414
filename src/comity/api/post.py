"""Statements leave by e-mail while the service runs, in one thread, which is not the one that decides."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from comity.api.desk import Queue
from comity.api.watch import Watch
from comity.casework.facts import How
from comity.casework.refused import RefusedError
from comity.flow import amend
from comity.flow.mail import Postman
from comity.ledger.note import NoteError
from comity.model.ids import DecisionId
from comity.ports import Clock, StoreError

_LOOK: Final = 1.0
"""Seconds after which it is looked for what is due, told or not."""


class Post:
    """Begin it with `start` in the running event loop; `stop` waits for the mail that is being sent."""

    def __init__(self, postman: Postman, queue: Queue, watch: Watch, clock: Clock) -> None:
        self._postman, self._queue, self._watch, self._clock = postman, queue, watch, clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="post")
        self._looking: asyncio.Task[None] | None = None
        self._ends = False

    async def start(self) -> None:
        self._looking = asyncio.get_running_loop().create_task(self._look())

    async def stop(self) -> None:
        self._ends = True
        if self._looking is not None:
            await self._looking
        self._thread.shutdown()

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()

        def accepted(statement: DecisionId) -> None:
            asyncio.run_coroutine_threadsafe(self._delivered(statement), loop).result()

        while not self._ends:
            with suppress(StoreError, NoteError, OSError):  # what is due stays due
                while await loop.run_in_executor(self._thread, self._postman.round, accepted, self._is_over):
                    pass
            if not await self._watch.wait(_LOOK):
                return

    def _is_over(self) -> bool:
        return self._ends

    async def _delivered(self, statement: DecisionId) -> None:
        """Unless it was erased meanwhile."""
        now = self._clock.now()
        with suppress(RefusedError):
            await self._queue.act(lambda running: amend.deliver(running, statement, How.MAIL, now))
