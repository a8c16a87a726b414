"""Every request is timed, and what went wrong inside is told to the log: by route, never by what was in the request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from comity.api.metrics import Metrics
from comity.ports import Spans

Tell = Callable[[str, dict[str, object]], None]
"""`tell(what, fields)`: a line of the log."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})


def timed(app: ASGIApp, metrics: Metrics, spans: Spans) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] is ScopeType.WEBSOCKET:
            await app(scope, receive, send)
            return
        method, start, status = scope["method"], time.perf_counter(), [500]

        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            await send(message)

        with spans.request(scope["headers"]) as request:
            try:
                await app(scope, receive, seen)
            finally:
                named, route = method if method in _METHODS else "other", route_of(scope)
                metrics.answered(named, route, status[0], time.perf_counter() - start)
                request.answered(named, route, status[0])

    return answer


def route_of(scope: Scope) -> str:
    """The route's pattern; `other` for a path that leads nowhere."""
    return str(scope.get("path_template") or "other")


def told_of(error: BaseException) -> dict[str, object]:
    """Where an error came from. What it says is left out: it may name people."""
    places = []
    at = error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        places.append(f"{code.co_filename}:{at.tb_lineno} {code.co_name}")
        at = at.tb_next
    return {"error": type(error).__name__, "where": places[-12:]}
