"""A client that costs little, so that a service on the same machine can be measured: plain sockets, one thread.

Each connection is kept, and asks again when it has been answered; nothing is sent ahead.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from selectors import EVENT_READ, DefaultSelector

import httptools

from common import expect


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`took`: seconds for each answer, from when it was to be asked for; `seconds`: for all of them."""

    took: list[float]
    bodies: list[bytes]
    seconds: float


class _Connection:
    """Asks for its share in turn. Every answer must be of status 200."""

    def __init__(self, port: int, requests: Sequence[bytes], pause: float, due: float) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = due
        self.took: list[float] = []
        self.bodies: list[bytes] = []
        self._requests, self._pause = iter(requests), pause
        self._started, self._body, self._is_answered = 0.0, b"", True
        self._parser = httptools.HttpResponseParser(self)

    def ask(self) -> bool:
        """False: it has no more to ask."""
        request = next(self._requests, None)
        if request is None:
            return False
        self._started = self.due if self._pause else time.perf_counter()
        self.due += self._pause
        self._body, self._is_answered = b"", False
        self.socket.sendall(request)
        return True

    def read(self) -> bool:
        """Whether the answer is whole."""
        self._parser.feed_data(self.socket.recv(1 << 20))
        return self._is_answered

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        expect(self._parser.get_status_code() == 200, self._body.decode())
        self.took.append(time.perf_counter() - self._started)
        self.bodies.append(self._body)
        self._is_answered = True


def ask(port: int, requests: Sequence[bytes], connections: int, *, a_second: float = 0) -> Asked:
    """All requests, over so many connections; `a_second`: no more than so many."""
    pause, start = connections / a_second if a_second else 0.0, time.perf_counter()
    every = [
        _Connection(port, requests[n::connections], pause, start + pause * n / connections) for n in range(connections)
    ]
    with DefaultSelector() as selector:
        for one in every:
            selector.register(one.socket, EVENT_READ, one)
        _go_on(selector, every)
    took, bodies = [each for one in every for each in one.took], [each for one in every for each in one.bodies]
    return Asked(took=took, bodies=bodies, seconds=time.perf_counter() - start)


def _go_on(selector: DefaultSelector, idle: list[_Connection]) -> None:
    """Until nobody has more to ask."""
    while True:
        now = time.perf_counter()
        due = [one for one in idle if one.due <= now]
        idle = [one for one in idle if one.due > now]
        for one in due:
            if not one.ask():
                selector.unregister(one.socket)
                one.socket.close()
        if not selector.get_map():
            return
        left = min((one.due for one in idle), default=now) - now
        for key, _ in selector.select(left if idle else None):
            if key.data.read():
                idle.append(key.data)
