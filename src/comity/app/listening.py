"""What commands share that serve over HTTP: a socket to listen on, and running until they are told to end."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from comity.app.errors import StopError


@contextmanager
def listening(host: str, port: int, *, backlog: int) -> Iterator[socket.socket]:
    """Raises `StopError` if nothing can listen there."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = _known_as_tcp(socket.create_server(address[:2], family=family, backlog=backlog))
    except OSError as error:
        help_ = "Name another place with --host and --port."
        raise StopError(f"nothing can listen on {host}:{port}: {error.strerror}", help=help_) from error
    with listener:
        yield listener


def _known_as_tcp(listener: socket.socket) -> socket.socket:
    """The same, with its protocol named: only then `asyncio` has answers sent at once (TCP_NODELAY), not 40 ms late."""
    return socket.socket(listener.family, listener.type, socket.IPPROTO_TCP, listener.detach())


def place_of(listener: socket.socket) -> str:
    """`http://` and where it listens."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Says that it ends before it waits for what is being answered."""

    def __init__(self, config: uvicorn.Config, ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending()
        await super().shutdown(sockets)


def run(config: uvicorn.Config, listener: socket.socket, ending: Callable[[], None] = lambda: None) -> None:
    """Until SIGINT or SIGTERM; `ending` is told then.

    Uvicorn ends what is being answered, then raises the signal again: that is no fault.
    """
    before = {one: signal.signal(one, lambda *_: None) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        _Server(config, ending).run(sockets=[listener])
    finally:
        for one, action in before.items():
            signal.signal(one, action)
