"""The `postfix` gate, as far as it says who may send: Postfix asks it about each mail before it takes it.

Postfix keeps a connection for many requests. A connection that brings what is no request is closed after an answer that
lets the mail come again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from comity.gates.answers import Deny
from comity.gates.delegation import LARGEST_REQUEST, Manner, RequestError, answered, read_request
from comity.gates.following import Clock, Follower
from comity.gates.rates import Rates
from comity.gates.replica import Replica

_MANNER: Final = Manner()
_UNREAD: Final = "451 4.3.5 This gate could not read what it was asked: try again later."


@dataclass(slots=True, kw_only=True)
class PolicyGate:
    """Makes a connection's protocol; `asyncio` calls it once for each.

    `addresses`: who may ask (none: a unix socket's peers).
    """

    replica: Replica
    follower: Follower
    clock: Clock
    addresses: frozenset[str]
    channel: str = "mail"
    manner: Manner = _MANNER
    rates: Rates = field(default_factory=Rates)

    def __call__(self) -> asyncio.Protocol:
        return _Connection(self)

    def answer(self, content: bytes) -> str:
        """The action for a request. Raises `RequestError`."""
        now = self.clock.now()
        said, answer = answered(
            read_request(content),
            lambda name: self.replica.check(self.channel, name, now),
            self.manner,
            self.rates,
            now,
        )
        if isinstance(answer, Deny):
            self.follower.show(answer.statement)
        return said


class _Connection(asyncio.Protocol):
    """One connection of Postfix: requests one after the other, each answered at once."""

    def __init__(self, gate: PolicyGate) -> None:
        self._gate = gate
        self._transport: asyncio.Transport | None = None
        self._unread = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple) and peer[0] not in self._gate.addresses:
            warning = f"{peer[0]} asked this gate, which was not told to trust it: see --trust"
            self._gate.replica.warn("untrusted", warning)
            transport.close()

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._unread += data
        if b"\n\n" in self._unread[-len(data) - 1 :]:
            *requests, self._unread = self._unread.split(b"\n\n")
            if not all(self._is_answered(transport, bytes(each)) for each in requests):
                return
        if len(self._unread) > LARGEST_REQUEST:
            self._end(transport, f"it is longer than {LARGEST_REQUEST:,} bytes")

    def pause_writing(self) -> None:
        """Who does not read its answers is not read from."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def _is_answered(self, transport: asyncio.Transport, content: bytes) -> bool:
        try:
            transport.write(f"action={self._gate.answer(content)}\n\n".encode("ascii"))
        except RequestError as error:
            self._end(transport, str(error))
            return False
        return True

    def _end(self, transport: asyncio.Transport, why: str) -> None:
        self._gate.replica.warn("request", f"a request could not be read: {why}")
        transport.write(f"action={_UNREAD}\n\n".encode("ascii"))
        transport.close()
