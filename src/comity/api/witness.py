"""The witness over HTTP (ASGI), as C2SP tlog-witness has it.

`POST /add-checkpoint` asks for a cosignature; `GET /SHA-256-OF-ORIGIN/checkpoint` gives what was cosigned last.

One request at a time: answering takes less than a millisecond and one write to the disk.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final

from comity.flow.witness import Witness
from comity.ledger.witness import LARGEST_REQUEST, SIZE_TYPE, RefusedError
from comity.ports import Reply, StoreError

PATH: Final = "/add-checkpoint"
SLOWEST: Final = 5
"""Seconds that a request's body may take to arrive."""
_LATEST: Final = re.compile(r"/([0-9a-f]{64})/checkpoint")
_TEXT: Final = "text/plain; charset=utf-8"

Scope = Mapping[str, object]
Receive = Callable[[], Awaitable[Mapping[str, object]]]
Send = Callable[[dict[str, object]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
"""What an ASGI server calls."""


def witness_app(witness: Witness) -> App:
    """The ASGI application of a witness."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"a witness does not speak {scope['type']}")
        path, method = str(scope["path"]), str(scope["method"])
        allowed = "POST" if path == PATH else "GET" if _LATEST.fullmatch(path) else ""
        reply = _misdirected(method, allowed) or await _answer(witness, path, receive)
        headers = [(b"content-type", reply.kind.encode()), (b"content-length", b"%d" % len(reply.body))]
        if reply.status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append((b"allow", allowed.encode()))
        if reply.status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
            headers.append((b"connection", b"close"))  # what is left of the body is not read
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    return app


def _misdirected(method: str, allowed: str) -> Reply | None:
    if not allowed:
        return _plain(HTTPStatus.NOT_FOUND, f"This is a witness: it takes POST {PATH}.")
    return None if method == allowed else _plain(HTTPStatus.METHOD_NOT_ALLOWED, f"Use {allowed}.")


async def _answer(witness: Witness, path: str, receive: Receive) -> Reply:
    try:
        if match := _LATEST.fullmatch(path):
            return _latest(witness, match[1])
        async with asyncio.timeout(SLOWEST):
            body = await _body(receive)
        if len(body) > LARGEST_REQUEST:
            message = f"A request has at most {LARGEST_REQUEST} bytes."
            return _plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
        return Reply(status=HTTPStatus.OK, kind=_TEXT, body=witness.add_checkpoint(body))
    except TimeoutError:
        return _plain(HTTPStatus.REQUEST_TIMEOUT, f"The request took longer than {SLOWEST} seconds.")
    except RefusedError as refused:
        if refused.latest is not None:
            return Reply(status=refused.refusal, kind=SIZE_TYPE, body=b"%d\n" % refused.latest)
        return _plain(HTTPStatus(refused.refusal), str(refused))
    except StoreError as error:
        return _plain(HTTPStatus.SERVICE_UNAVAILABLE, f"Nothing is signed: {error}")


def _latest(witness: Witness, hash_: str) -> Reply:
    note = witness.latest(hash_)
    if note is None:
        return _plain(HTTPStatus.NOT_FOUND, "This witness has cosigned no checkpoint of that log.")
    return Reply(status=HTTPStatus.OK, kind=_TEXT, body=note)


async def _body(receive: Receive) -> bytes:
    """The body; more than a request may have if it is longer than that."""
    body = b""
    while len(body) <= LARGEST_REQUEST:
        event = await receive()
        part = event.get("body", b"")
        if isinstance(part, bytes):
            body += part
        if event["type"] != "http.request" or not event.get("more_body", False):
            break
    return body


def _plain(status: HTTPStatus, message: str) -> Reply:
    return Reply(status=status, kind=_TEXT, body=f"{message}\n".encode("utf-8", "backslashreplace"))
