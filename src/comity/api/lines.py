"""Lines that come in a request while answers go out in its response.

The body is read ahead of the answers, as far as a bound goes: who sends up to that much may send it all and read then.
Beyond it nothing more is read before answers were taken, which holds back whoever sends quicker than is judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from litestar import Response
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import Receive, Send

from comity.api.room import Lease

LINES: Final = "application/x-ndjson"
_PAUSE: Final = 0.02
"""Seconds after which lines that have come do not wait for more."""


class TooLongError(Exception):
    """A line is longer than all that may be read ahead."""


class Incoming:
    """The lines of a request's body: those that were read and not yet asked for. `ahead` is in bytes of the `lease`."""

    def __init__(self, ahead: int, lease: Lease) -> None:
        self._most, self._lease = ahead, lease
        self._read_ahead = bytearray()  # as it came: cut into lines it would take a multiple where they are short
        self._whole = 0  # how many lines of it have come to their end
        self._line = 0  # how many bytes of one have come whose end has not
        self._came, self._went = asyncio.Event(), asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def begin(self, receive: Receive) -> None:
        """Before the response begins: some clients send nothing until they hear that the body is read."""
        self._reading = asyncio.create_task(self._read(receive))
        self._reading.add_done_callback(lambda _: self._came.set())  # also where it was ended before it began
        await asyncio.sleep(0)

    async def batches(self, at_once: int) -> AsyncIterator[list[bytes]]:
        """At most `at_once` lines together, none held back for long, until the body ends or the connection breaks off.

        A line that breaks off is none. Raises `TooLongError` for what cannot be read ahead, after all that came before.
        """
        try:
            while lines := await self._next(at_once):
                yield lines
        finally:
            self.end()
        await self._why()

    def end(self) -> None:
        """Read no more; what was read can still be asked for."""
        if self._reading is not None:
            self._reading.cancel()

    async def _why(self) -> None:
        """Raises what reading ended by, unless it ended as it should."""
        if self._reading is not None:
            if not self._reading.done():
                await asyncio.wait([self._reading])
            if not self._reading.cancelled():
                self._reading.result()

    async def _read(self, receive: Receive) -> None:
        while (event := await receive())["type"] == "http.request":
            is_last = not event["more_body"]
            await self._add(event["body"] + (b"\n" if is_last else b""))
            if is_last:
                return

    async def _add(self, chunk: bytes) -> None:
        while self._whole and not self._may_read_on:
            self._went.clear()
            await self._went.wait()
        end = chunk.find(b"\n")
        self._line += len(chunk) if end < 0 else end
        if self._line > self._most:
            raise TooLongError
        self._read_ahead += chunk
        if end >= 0:
            self._whole += chunk.count(b"\n")
            self._line = len(chunk) - chunk.rindex(b"\n") - 1
            self._came.set()

    @property
    def _may_read_on(self) -> bool:
        return len(self._read_ahead) < self._most and not self._lease.is_scarce

    @property
    def _has_ended(self) -> bool:
        return self._reading is None or self._reading.done()

    async def _next(self, at_once: int) -> list[bytes]:
        """Empty: that was all."""
        while not self._whole and not self._has_ended:
            await self._more()
        await self._fill(at_once)
        lines, start = list[bytes](), 0
        for _ in range(min(self._whole, at_once)):
            end = self._read_ahead.index(b"\n", start)
            lines.append(bytes(self._read_ahead[start:end]))
            start = end + 1
        self._whole -= len(lines)
        del self._read_ahead[:start]
        self._lease.give(start)
        self._went.set()
        return lines

    async def _more(self) -> None:
        self._came.clear()
        await self._came.wait()

    async def _fill(self, at_once: int) -> None:
        """Wait for more lines, while they keep coming."""
        try:
            while self._whole < at_once and not self._has_ended:
                async with asyncio.timeout(_PAUSE):
                    await self._more()
        except TimeoutError:
            return


class BothWays(Response[AsyncIterator[bytes]]):
    """Lines that go out while others come in."""

    def to_asgi_response(self, *_: object, **__: object) -> ASGIStreamingResponse:
        return _Answers(iterator=self.content, media_type=LINES, status_code=self.status_code)


class _Answers(ASGIStreamingResponse):
    """Leaves it to those who read the request to see that it breaks off: what is received has one reader."""

    async def send_body(self, send: Send, receive: Receive) -> None:
        async for line in self.iterator:
            body = line if isinstance(line, bytes) else line.encode()
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
