"""An answer that does not end is read as it comes; whatever else comes instead is said, and soon."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from comity.gates.stream import streaming
from comity.ledger.feed import FeedError

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TLS = httpx.create_ssl_context()


def read(said: bytes, *, ends: bool = True, silence: float = 60) -> tuple[int, bytes, bytes]:
    """What was asked of a server that says this, the status, and what came; the server is silent then or `ends`."""

    async def story() -> tuple[int, bytes, bytes]:
        asked = asyncio.Queue[bytes]()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.put_nowait(await reader.readuntil(b"\r\n\r\n"))
            try:
                for place in range(len(said)):
                    writer.write(said[place : place + 1])
                    await writer.drain()
                if not ends:
                    await reader.read()
            except ConnectionError:
                pass
            finally:
                writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            request = httpx.Request("GET", f"http://127.0.0.1:{port}/v1/feed", params={"after": "7"})
            async with streaming(request, TLS, silence) as answered:
                status = await answered.status()
                came = b"".join([piece async for piece in answered.pieces()])
            return status, came, await asked.get()

    return asyncio.run(story())


def test_the_pieces_of_an_answer_are_read_however_they_were_cut() -> None:
    status, came, asked = read(HEAD + b"3\r\none\r\nA; more=so\r\n two\nthree\r\n0\r\n\r\n")
    assert (status, came) == (200, b"one two\nthree")
    assert asked.startswith(b"GET /v1/feed?after=7 HTTP/1.1\r\n")


def test_what_comes_before_the_answer_is_passed_over() -> None:
    status, came, _ = read(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 410 Gone\r\nContent-Length: 2\r\n\r\n{}")
    assert (status, came) == (410, b"{}")


@pytest.mark.parametrize(
    "said",
    [b"", b"SSH-2.0-OpenSSH\r\n\r\n", HEAD[:20], HEAD + b"5\r\non", HEAD + b"-1\r\n", HEAD[:-2] + 20_000 * b"a" + b":"],
    ids=["nothing", "another protocol", "half a head", "half a piece", "no length", "a head without end"],
)
def test_what_is_no_answer_is_said(said: bytes) -> None:
    with pytest.raises(FeedError):
        read(said)


@pytest.mark.parametrize("said", [b"", HEAD + b"3\r\none\r\n"], ids=["before the answer", "within it"])
def test_a_centre_that_falls_silent_is_given_up(said: bytes) -> None:
    with pytest.raises(FeedError, match="TimeoutError"):
        read(said, ends=False, silence=0.2)
