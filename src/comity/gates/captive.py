"""What somebody who is cut off from the network sees instead of a web page: why, until when, and where to read more.

Requests that were led here were meant for somebody else, so each is sent on to this machine's own page (302), which
devices that look for such a page open by themselves. That page answers 511 (RFC 6585, "Network Authentication
Required"): no program takes it for what it had asked for.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final

import msgspec

from comity.gates.answers import Deny
from comity.gates.authz import Problem, linked, page_of, refusal, response

PAGE: Final = "/comity"
_LONGEST_REQUEST: Final = 16 << 10
_PATIENCE: Final = 10.0
"""Seconds that a client may take."""
_MOST_AT_ONCE: Final = 500
_REQUEST: Final = re.compile(rb"[A-Z]{3,10} (\S{1,8000}) HTTP/1\.[01]\r\n")
_OPEN: Final = Problem(
    title="You are not cut off here",
    status=HTTPStatus.OK,
    detail="This device may use the network. If you were refused a moment ago, try again.",
)

Refused = Callable[[str], Awaitable[Deny | None]]
"""Why the address of a client is cut off; None: it is not."""


class Explanation:
    """What `asyncio.start_server` calls for each connection."""

    def __init__(self, refused: Refused) -> None:
        self._refused = refused
        self._at_once = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._at_once += 1
        try:
            if self._at_once <= _MOST_AT_ONCE:
                async with asyncio.timeout(_PATIENCE):
                    await self._explain(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked went away, or never asked
        finally:
            self._at_once -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _explain(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        found = _REQUEST.match(head)
        peer, own = writer.get_extra_info("peername")[0], writer.get_extra_info("sockname")
        refused = await self._refused(peer)
        wants_page = b"application/json" not in head.lower()
        if found is None or found[1] == PAGE.encode():
            writer.write(page(refused, wants_page=wants_page))
        else:
            writer.write(page(refused, wants_page=wants_page, at=f"http://{_host(own[0])}:{own[1]}{PAGE}"))
        await writer.drain()


def page(refused: Deny | None, *, wants_page: bool, at: str | None = None) -> bytes:
    """The response; with `at` it says that this is there."""
    problem = _OPEN if refused is None else refusal(refused)
    link = {} if refused is None else {"Comity-Statement": refused.statement, **linked(refused.link)}
    status = HTTPStatus.OK if refused is None else HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED
    problem = msgspec.structs.replace(problem, status=status)
    sort, body = ("text/html; charset=utf-8", page_of(problem)) if wants_page else ("application/problem+json", b"")
    moved = {} if at is None else {"Location": at}
    named = {"Content-Type": sort, "Connection": "close", **moved, **link}
    return response(HTTPStatus.FOUND if moved else status, named, body or msgspec.json.encode(problem))


def _host(address: str) -> str:
    return f"[{address.partition('%')[0]}]" if ":" in address else address


async def explaining(refused: Refused, port: int) -> asyncio.Server:
    """Listens wherever this machine is reached: clients are led to the address nearest to them. Raises `OSError`."""
    return await asyncio.start_server(Explanation(refused), None, port, limit=_LONGEST_REQUEST, backlog=200)
