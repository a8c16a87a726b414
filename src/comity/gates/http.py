"""The `http` gate: a local endpoint that a web server asks before it lets a request pass.

It believes the header that names the account only if it comes from an address that it was told to trust: whoever else
reaches the port could ask in any name. Who may ask may also listen to what changes: see sessions.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import httptools

from comity.gates.answers import Deny
from comity.gates.authz import Asked, Page, answered, channel_listened_to, response
from comity.gates.figures import PREFIX, figures
from comity.gates.following import Clock, Follower
from comity.gates.replica import Replica
from comity.gates.sessions import Sessions

_MOST_BYTES: Final = 64 << 10
"""Of one request, its body included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """From which addresses (none: a unix socket's peers) the header `name` is believed."""

    header: bytes
    addresses: frozenset[str]


@dataclass(slots=True)
class HttpGate:
    """Makes a connection's protocol; `asyncio` calls it once for each. `sessions`: who may listen; None: nobody."""

    replica: Replica
    follower: Follower
    clock: Clock
    trust: Trust
    sessions: Sessions | None = None
    pages: Mapping[str, Page] = field(init=False)

    def __post_init__(self) -> None:
        self.pages = {"/healthz": self._health, "/metrics": self._metrics}

    def __call__(self) -> asyncio.Protocol:
        return _Connection(self)

    def answer(self, asked: Asked) -> bytes:
        now = self.clock.now()
        content, answer = answered(asked, lambda channel, handle: self.replica.check(channel, handle, now), self.pages)
        if isinstance(answer, Deny):
            self.follower.show(answer.statement)
        return content

    def distrust(self, peer: str) -> bytes:
        self.replica.warn("untrusted", f"{peer} asked this gate, which was not told to trust it: see --trust")
        return response(HTTPStatus.FORBIDDEN, {"Connection": "close"}, b"This gate does not answer to you.\n")

    def _health(self) -> bytes:
        known, is_stale = self.replica.known, self.replica.is_stale(self.clock.now())
        status = HTTPStatus.SERVICE_UNAVAILABLE if known is None or is_stale else HTTPStatus.OK
        return response(status, {"Content-Type": "text/plain"}, b"stale\n" if known and is_stale else b"\n")

    def _metrics(self) -> bytes:
        counts = {f'events_total{{kind="{kind}"}}': count for kind, count in sorted(self.replica.counts.items())}
        told = {**figures(self.replica, self.clock.now()), **counts}
        lines = "".join(f"{PREFIX}{name} {float(value):.15g}\n" for name, value in told.items())
        return response(HTTPStatus.OK, {"Content-Type": "text/plain; version=0.0.4"}, lines.encode())


class _Connection(asyncio.Protocol):
    """One connection of a web server: requests one after the other, each answered at once."""

    def __init__(self, gate: HttpGate) -> None:
        self._gate = gate
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._listens = False
        self._begin()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple) and peer[0] not in self._gate.trust.addresses:
            transport.write(self._gate.distrust(peer[0]))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None and self._gate.sessions is not None:
            self._gate.sessions.forget(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing() or self._listens:
            return
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # it was answered as any other; nothing else is spoken here
            self._transport.close()
        except (httptools.HttpParserError, UnicodeDecodeError):
            self._end(HTTPStatus.BAD_REQUEST)
        if self._size > _MOST_BYTES:
            self._end(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == self._gate.trust.header:
            self._accounts.append(value.strip(b" \t"))  # the parser leaves what follows (RFC 9110, 5.5)
        elif name == b"accept":
            self._wants_page = b"text/html" in value

    def on_message_complete(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        path, _, query = self._url.decode("ascii").partition("?")
        asked = Asked(path=path, query=query, accounts=tuple(self._accounts), wants_page=self._wants_page)
        if self._gate.sessions is not None and (channel := channel_listened_to(asked)):
            self._gate.sessions.listen(self._transport, channel)
            self._listens = True
            return
        self._transport.write(self._gate.answer(asked))
        if not self._parser.should_keep_alive():
            self._transport.close()
        self._begin()

    def _begin(self) -> None:
        self._url, self._accounts, self._wants_page, self._size = b"", list[bytes](), False, 0

    def _end(self, status: HTTPStatus) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(response(status, {"Connection": "close"}, b""))
            self._transport.close()
