"""Asking the centre about what is being sent: `POST /v1/messages`, for gates that see the text themselves.

Who is cut off is known here; whether a message breaches the agreement is not. What the centre cannot be asked in time
is not judged: the gate decides whether it passes, and counts it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ssl import SSLContext
from typing import Annotated, Final

import httpx
import msgspec

from comity.model.ids import DecisionId

_REST: Final = 1.0
"""Seconds for which nothing is asked after the centre could not be reached: whoever sends then need not wait for it."""
_UNREADABLE: Final = (
    httpx.codes.BAD_REQUEST,
    httpx.codes.REQUEST_ENTITY_TOO_LARGE,
    httpx.codes.UNPROCESSABLE_ENTITY,
)


class Sent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message as the API takes it."""

    id: str
    author: str
    channel: str
    text: str
    sent: datetime
    edit_of: str = ""
    is_reply: bool = False
    mentions: tuple[str, ...] | None = None
    meta: dict[str, str] = {}


class Do(StrEnum):
    ALLOW = "allow"
    HOLD = "hold"
    DENY = "deny"


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What the centre said. `clauses`: by their ids. `link`: the refusal link of the statement.

    `until`: of what waits, when it is passed on at the latest.
    """

    answer: Do
    clauses: tuple[str, ...] = ()
    statement: DecisionId | None = None
    link: str | None = None
    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class Unjudged(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody said anything. `is_unreadable`: the centre was there and could not read the message."""

    why: str
    is_unreadable: bool = False


Verdict = Judged | Unjudged
_JUDGED: Final = msgspec.json.Decoder(Judged)
_ENCODER: Final = msgspec.json.Encoder()


@dataclass(slots=True, kw_only=True)
class Judge:
    """The centre as one source asks it. Used in one event loop; closed with `close`.

    `patience`: seconds that one answer may take. `warn` is told what somebody should look at.
    """

    url: str
    token: str = field(repr=False)
    patience: float
    warn: Callable[[str, str], None]
    verify: SSLContext | bool = True
    _client: httpx.AsyncClient | None = None
    _rests_until: float = 0.0

    async def judge(self, sent: Sent | Mapping[str, object]) -> Verdict:
        now = asyncio.get_running_loop().time
        if now() < self._rests_until:
            return Unjudged(why="the centre could not be reached a moment ago")
        try:
            async with asyncio.timeout(self.patience):
                answer = await self._open().post("/v1/messages", content=_ENCODER.encode(sent))
            return self._read(answer)
        except (httpx.HTTPError, TimeoutError, msgspec.MsgspecError) as error:
            self._rests_until = now() + _REST
            return self._unjudged(str(error) or type(error).__name__)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            self._client = httpx.AsyncClient(
                base_url=self.url, headers=headers, timeout=self.patience, trust_env=False, verify=self.verify
            )
        return self._client

    def _read(self, answer: httpx.Response) -> Verdict:
        if answer.is_success:
            return _JUDGED.decode(answer.content)
        if answer.status_code in _UNREADABLE:
            self.warn("unreadable", f"the centre could not read a message: {answer.text[:500]}")
            return Unjudged(why="it could not be read", is_unreadable=True)
        return self._unjudged(f"the answer had the status {answer.status_code}: {answer.text[:500]}")

    def _unjudged(self, why: str) -> Unjudged:
        self.warn("unjudged", f"{self.url} did not judge a message: {why}")
        return Unjudged(why=why)
