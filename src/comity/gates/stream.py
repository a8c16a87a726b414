"""An answer of the centre that does not end, read as it comes: by `h11` over `asyncio` alone.

The feed comes in many small pieces, to each gate. `httpx`, which asks for everything else, takes several times as long
over a piece, most of it for a time limit that can be cancelled in ways that nobody needs here.
"""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from socket import SOCK_STREAM
from ssl import SSLContext
from typing import Final

import h11
import httpx

from comity.ledger.feed import FeedError

_AT_ONCE: Final = 1 << 16


class Streamed:
    """The status of an answer, and its body in pieces, once. Either waits `silence` seconds at most for more."""

    def __init__(self, reader: StreamReader, connection: h11.Connection, silence: float) -> None:
        self._reader, self._connection, self._silence = reader, connection, silence

    async def status(self) -> int:
        """Asked first. Raises `FeedError`."""
        while not isinstance(event := await self._event(), h11.Response):
            pass
        return event.status_code

    async def pieces(self) -> AsyncIterator[bytes]:
        """Raises `FeedError`."""
        while isinstance(event := await self._event(), h11.Data):
            yield bytes(event.data)

    async def _event(self) -> object:
        with _as_broken():
            while (event := self._connection.next_event()) is h11.NEED_DATA:
                async with asyncio.timeout(self._silence):
                    self._connection.receive_data(await self._reader.read(_AT_ONCE))
        return event


@asynccontextmanager
async def streaming(request: httpx.Request, tls: SSLContext, silence: float) -> AsyncIterator[Streamed]:
    """The answer to a request that has no body. Raises `FeedError`."""
    url, connection = request.url, h11.Connection(h11.CLIENT)
    asked = h11.Request(method=request.method, target=url.raw_path, headers=request.headers.raw)
    reader, writer = await _connected(url, tls, silence)
    try:
        writer.write(connection.send(asked) + connection.send(h11.EndOfMessage()))
        yield Streamed(reader, connection, silence)
    finally:
        writer.close()


async def _connected(url: httpx.URL, tls: SSLContext, silence: float) -> tuple[StreamReader, StreamWriter]:
    """To the first of its name's addresses that answers: often the first does not, where IPv6 is broken."""
    host, is_secret = url.raw_host.decode("ascii"), url.scheme == "https"
    port = url.port or (443 if is_secret else 80)
    with _as_broken():
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    broken = FeedError(f"{host} has no address")
    for *_, address in found:
        try:
            with _as_broken():
                async with asyncio.timeout(silence):
                    return await asyncio.open_connection(
                        str(address[0]),
                        port,
                        ssl=tls if is_secret else None,
                        server_hostname=host if is_secret else None,
                    )
        except FeedError as error:
            broken = error
    raise broken


@contextmanager
def _as_broken() -> Iterator[None]:
    try:
        yield
    except (OSError, h11.RemoteProtocolError) as error:
        raise FeedError(str(error) or type(error).__name__) from error
