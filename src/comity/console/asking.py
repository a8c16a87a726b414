"""How pages ask the record: the desk at which acts take turns, and a reader of its own for what takes long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Protocol, TypeVar

from comity.flow.message import Proceedings
from comity.ports import Store

ResultT = TypeVar("ResultT")


class Asks(Protocol):
    """The desk, asked from many requests at once."""

    async def act(self, work: Callable[[Proceedings], ResultT]) -> ResultT:
        """Do what changes the record. Raises what `work` raises, and `StoreError`: nothing was kept."""

    async def read(self, work: Callable[[Proceedings], ResultT]) -> ResultT:
        """Look at the record as it is now."""


class Reader:
    """The store on a connection and a thread of its own, so that nothing waits for whoever reads much of it."""

    def __init__(self, store: Store) -> None:
        self._store, self._thread = store, ThreadPoolExecutor(1, thread_name_prefix="pages")
        self._over = Event()

    def begin(self, work: Callable[[Store], object]) -> None:
        """Read it before all that is asked for later; what is wrong is told to whoever asks for it then."""
        self._thread.submit(work, self._store)

    async def look(self, work: Callable[[Store], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._store)

    def is_over(self) -> bool:
        """Whether what is being read is of no use any more."""
        return self._over.is_set()

    def close(self) -> None:
        """After what is being read, which ends early if it asks `is_over`."""
        self._over.set()
        self._thread.shutdown(cancel_futures=True)
