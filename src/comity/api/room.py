"""Room for the bodies of requests: what all that are on their way hold together is bounded, not each alone."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Receive, Scope, Send, WebSocketReceiveMessage

from comity.api.problems import ProblemError

MOST_HELD: Final = 256 << 20
"""Bytes. The largest appeal, with its files, takes a bit more than a quarter."""
_KEY: Final = "comity.lease"


class Room:
    """How much is held now. For one event loop."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0

    def take(self, size: int) -> None:
        """Raises `ProblemError`: too much is held."""
        if self._held + size > self._most:
            detail = (
                f"Requests that are on their way hold more than {self._most:,} bytes together. Nothing was done: send"
                " this one again in a second, or send less at once."
            )
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after=1)
        self._held += size

    def give(self, size: int) -> None:
        self._held -= size

    @property
    def is_scarce(self) -> bool:
        """Whoever reads ahead stops."""
        return self._held * 2 > self._most


class Lease:
    """What one request holds of the room."""

    def __init__(self, room: Room) -> None:
        self._room, self._held = room, 0

    def take(self, size: int) -> None:
        """Raises `ProblemError`: too much is held."""
        self._room.take(size)
        self._held += size

    def give(self, size: int) -> None:
        """What was read is held no more."""
        given = min(size, self._held)
        self._room.give(given)
        self._held -= given

    def end(self) -> None:
        self.give(self._held)

    @property
    def is_scarce(self) -> bool:
        return self._room.is_scarce


def bounded(app: ASGIApp, room: Room) -> ASGIApp:
    """The application, whose requests hold what was read of their bodies until they are answered, or give it back."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] is ScopeType.WEBSOCKET:
            await app(scope, receive, send)
            return
        lease = Lease(room)
        scope.setdefault("state", {})[_KEY] = lease

        async def counted() -> HTTPReceiveMessage | WebSocketReceiveMessage:
            event = await receive()
            if event["type"] == "http.request":
                lease.take(len(event["body"]))
            return event

        try:
            await app(scope, counted, send)
        finally:
            lease.end()

    return answer


def lease_of(scope: Scope) -> Lease:
    """That of a request; of one that was not counted, one of its own."""
    lease = scope["state"].get(_KEY)
    return lease if isinstance(lease, Lease) else Lease(Room(MOST_HELD))
