"""Events leave for webhooks while the service runs: one thread a webhook, none of them the one that decides."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from comity.api.watch import Watch
from comity.flow.webhooks import Courier
from comity.model.webhook import WebhookId
from comity.ports import StoreError

_LOOK: Final = 1.0
"""Seconds after which it is looked for what is due, told or not."""
_MOST: Final = 8


class Outbox:
    """Begin it with `start` in the running event loop; `stop` waits for what is being delivered."""

    def __init__(self, courier: Courier, watch: Watch) -> None:
        self._courier, self._watch = courier, watch
        self._threads = ThreadPoolExecutor(_MOST, thread_name_prefix="webhook")
        self._busy: dict[WebhookId, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._looking = asyncio.get_running_loop().create_task(self._look())

    async def stop(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)
        self._threads.shutdown()

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            hooks: tuple[WebhookId, ...] = ()
            with suppress(StoreError, OSError):  # what is due stays due
                hooks = await loop.run_in_executor(self._threads, self._courier.hooks)
            for hook in hooks:
                if hook not in self._busy:
                    self._busy[hook] = loop.create_task(self._send(hook))
            if not hooks:
                await asyncio.sleep(_LOOK)
            elif not await self._watch.wait(_LOOK):
                return  # what came since the end stays due

    async def _send(self, hook: WebhookId) -> None:
        """Until it is reached no more, or has all."""
        try:
            with suppress(StoreError, OSError):
                while await asyncio.get_running_loop().run_in_executor(self._threads, self._courier.send, hook):
                    pass
        finally:
            del self._busy[hook]
