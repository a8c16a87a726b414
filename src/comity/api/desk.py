"""The record's desk, asked from many requests at once: one thread acts, and messages that wait are taken together.

Nothing is answered before it is durable. When too many messages wait, the next is refused with a time to come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar

from comity.api.problems import ProblemError
from comity.flow.accounts import by_account
from comity.flow.desk import Desk
from comity.flow.message import Proceedings
from comity.flow.retention import daily
from comity.ledger.note import NoteError
from comity.model.message import Message
from comity.ports import Answer, StoreError

ResultT = TypeVar("ResultT")
_AT_ONCE: Final = 1_000
_MOST_WAITING: Final = 20_000
_HOUR: Final = 3_600


@dataclass(frozen=True, slots=True)
class _Waiting:
    messages: Sequence[Message]
    answers: asyncio.Future[Sequence[Answer]]


class Queue:
    """Begin it with `start` in the running event loop; `stop` waits until all that was taken is answered."""

    def __init__(self, desk: Desk, told: Callable[[], None]) -> None:
        """`told` is called after anything was recorded."""
        self._desk, self._told = desk, told
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="desk")
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue()
        self._waiting = 0
        self._worker: asyncio.Task[None] | None = None
        self._upkeep: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._worker = asyncio.get_running_loop().create_task(self._work())
        self._upkeep = asyncio.get_running_loop().create_task(self._keep_up())

    async def stop(self) -> None:
        if self._upkeep is not None:
            self._upkeep.cancel()
        await self._queue.put(None)
        if self._worker is not None:
            await self._worker
        self._thread.shutdown()

    async def act(self, work: Callable[[Proceedings], ResultT]) -> ResultT:
        """Raises what `work` raises."""
        result = await asyncio.get_running_loop().run_in_executor(self._thread, self._desk.act, work)
        self._told()
        return result

    async def read(self, work: Callable[[Proceedings], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._desk.read, work)

    async def take(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Raises `ProblemError` when too many wait, or what the store raises when it kept nothing."""
        if self._waiting + len(messages) > _MOST_WAITING:
            detail = f"More than {_MOST_WAITING} messages wait to be judged. Send these again in a second."
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, retry_after=1)
        self._waiting += len(messages)
        waiting = _Waiting(messages, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        return await waiting.answers

    async def try_out(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """What each would be answered if it came next; nothing is kept."""
        return await self.read(lambda running: [running.try_out(one) for one in by_account(running, messages)])

    async def _keep_up(self) -> None:
        """What nobody's message or act brings about, such as texts that are no longer needed; done again each hour."""
        while True:
            with suppress(StoreError, NoteError, OSError):  # the next hour does it
                await self.act(_upkeep)
            await asyncio.sleep(_HOUR)

    async def _work(self) -> None:
        while (first := await self._queue.get()) is not None:
            together, ends = self._gathered(first)
            await self._answer(together)
            if ends:
                return

    def _gathered(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        """What waits now, as far as it fits one transaction; and whether the end was among it."""
        together, size = [first], len(first.messages)
        while not self._queue.empty() and size < _AT_ONCE:
            following = self._queue.get_nowait()
            if following is None:
                return together, True
            together.append(following)
            size += len(following.messages)
        return together, False

    async def _answer(self, together: Sequence[_Waiting]) -> None:
        messages = [message for one in together for message in one.messages]
        self._waiting -= len(messages)
        taking = asyncio.ensure_future(self.act(lambda running: running.take(by_account(running, messages))))
        await asyncio.wait([taking])
        error, start = taking.exception(), 0
        for one in together:
            if one.answers.cancelled():  # whoever asked is gone; the message is in the record
                pass
            elif error is not None:
                one.answers.set_exception(error)
            else:
                one.answers.set_result(taking.result()[start : start + len(one.messages)])
            start += len(one.messages)


def _upkeep(running: Proceedings) -> None:
    if running.mode == "live":
        daily(running, running.now())
