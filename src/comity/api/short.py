"""The short way of the question that is asked the most: one account's standing on one channel.

It goes past the framework's reading of parameters and making of answers, which cost more than the answer, and stands
behind the same guard. Whatever is not asked plainly takes the long way, which is the route itself: what is refused, and
how, is said there alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send

from comity.model.access import Token
from comity.model.ids import AccountId, Channel

AnswerT = TypeVar("AnswerT", bound=msgspec.Struct)
LONGEST_ACCOUNT = 1024


def short(answer: Callable[[AccountId, Channel], Awaitable[AnswerT]]) -> Callable[[ASGIApp], ASGIApp]:
    """Around a route that answers `?account=&channel=` with what `answer` returns, for a token of that channel."""
    encoder = msgspec.json.Encoder()

    def around(app: ASGIApp) -> ASGIApp:
        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            plain = _plain(scope)
            if plain is None:
                await app(scope, receive, send)
                return
            body = encoder.encode(await answer(*plain))
            length = str(len(body)).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", length)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body, "more_body": False})

        return asked

    return around


def _plain(scope: Scope) -> tuple[AccountId, Channel] | None:
    """The account and the channel, if these two are all that is asked, and the token may ask it."""
    query, token = scope["query_string"], scope["auth"]
    if not query.isascii() or not isinstance(token, Token):
        return None
    asked = parse_qsl(query.decode(), keep_blank_values=True)
    if len(asked) != 2:
        return None
    (first, account), (second, channel) = asked
    if (first, second) != ("account", "channel") or not 1 <= len(account) <= LONGEST_ACCOUNT:
        return None
    return (AccountId(account), Channel(channel)) if token.may_use(Channel(channel)) else None
