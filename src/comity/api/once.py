"""`Idempotency-Key`: a request that is sent again under its key is done once, and answered as it was.

What is kept is durable and tells nothing of a person: keyed hashes of key and body, and an answer that has only ids.
If the service dies between an act and its answer, the key is asked about again: where the record stands as it stood
before, nothing was done and it is done now; else nobody can say, and the answer is 409.
"""

from __future__ import annotations

import hmac
from asyncio import Lock
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, TypeVar
from weakref import WeakValueDictionary

import msgspec
from litestar.params import HeaderParameter

from comity.api.access import TokenRequest
from comity.api.desk import Queue
from comity.api.problems import ProblemError
from comity.flow.desk import HARMLESS
from comity.flow.message import Proceedings
from comity.model.access import Token
from comity.ports import Begun, Clock, Replies

AnswerT = TypeVar("AnswerT")
Key = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="A name of your own for this request: sent again under it, it is done once. Kept for a week.",
    ),
]


class Once:
    """Acts on the record under keys. `secret`: of the hashes under which they are kept."""

    def __init__(self, queue: Queue, replies: Replies, clock: Clock, secret: bytes) -> None:
        self._queue, self._replies, self._clock, self._secret = queue, replies, clock, secret
        self._locks = WeakValueDictionary[bytes, Lock]()

    async def act(
        self,
        request: TokenRequest,
        key: str | None,
        work: Callable[[Proceedings], AnswerT],
        kind: type[AnswerT],
        *,
        is_alone: bool = False,
    ) -> AnswerT:
        """`kind`: what `work` answers. Raises `ProblemError` for a key that came with another request.

        `is_alone`: it takes long, or erases, so that nothing else is kept with it.
        """
        if key is None:
            return await self._queue.act(work, is_alone=is_alone)
        name = self._hash(_whose(request), request.method, str(request.url.path), key)
        body = self._hash(request.url.query, (await request.body()).hex())
        async with self._locks.setdefault(name, Lock()):
            return await self._queue.act(
                lambda running: self._once(running, name, body, work, kind),
                kept=lambda answer: self._replies.end(name, msgspec.json.encode(answer)),
                undone=lambda: self._replies.drop(name),
                is_alone=is_alone,
            )

    def _once(
        self,
        running: Proceedings,
        name: bytes,
        body: bytes,
        work: Callable[[Proceedings], AnswerT],
        kind: type[AnswerT],
    ) -> AnswerT:
        begun = Begun(name=name, body=body, mark=running.mark)
        known = self._replies.begin(begun, self._clock.now())
        if known is not None and known.answer is not None:
            return msgspec.json.decode(_demand_same(known, begun), type=kind)
        if known is not None and known.mark != begun.mark:
            detail = (
                "The service ended while it did this, and cannot tell whether it was done. Look whether it was; if not,"
                " send it under another key."
            )
            raise ProblemError(HTTPStatus.CONFLICT, detail)
        try:
            return work(running)
        except HARMLESS:
            self._replies.drop(name)
            raise

    def _hash(self, *parts: str) -> bytes:
        content = msgspec.json.encode(parts)
        return hmac.digest(self._secret, b"comity/once/v1/" + content, "sha256")


def _whose(request: TokenRequest) -> str:
    """The token that it brings; that of nobody where none is asked for."""
    token = request.scope.get("auth")
    return token.id if isinstance(token, Token) else ""


def _demand_same(known: Begun, begun: Begun) -> bytes:
    if known.body != begun.body or known.answer is None:
        detail = "This `Idempotency-Key` came with another request. Use a new key for a new request."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    return known.answer
