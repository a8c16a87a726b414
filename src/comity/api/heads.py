"""`HEAD` wherever `GET` is answered (RFC 9110, 9.3.2): the same status and headers, and no body."""

from __future__ import annotations

import asyncio

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from comity.model.routes import LOOKS_ONLY


def with_head(app: ASGIApp) -> ASGIApp:
    """An application that answers `HEAD` as it answers `GET`; what would follow, be it without end, is left out."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] is ScopeType.WEBSOCKET or scope["method"] != "HEAD":
            await app(scope, receive, send)
            return
        scope["method"] = "GET"
        scope.setdefault("state", {})[LOOKS_ONLY] = True
        answered = asyncio.Event()

        async def head(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
                return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            answered.set()
            await asyncio.Event().wait()  # until it is cancelled

        await _until(answered, asyncio.ensure_future(app(scope, receive, head)))

    return answer


async def _until(answered: asyncio.Event, answering: asyncio.Future[None]) -> None:
    async def told() -> None:
        await answered.wait()

    waiting = asyncio.ensure_future(told())
    try:
        await asyncio.wait([answering, waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        answering.cancel()
    if answering.done() and not answering.cancelled():
        answering.result()
