"""The guard of what machines ask for: it holds the table of routes in `model.routes`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus

from litestar import Request
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from comity.api.problems import ProblemError
from comity.model.access import Role, Token, TokenId
from comity.model.ids import Channel, DecisionId
from comity.model.routes import ANYBODY, MACHINES
from comity.ports import Clock, Tokens

StatementOf = Callable[[str], Awaitable[DecisionId | None]]
"""The statement that a statement link leads to; None if it leads nowhere, or no more."""
TokenRequest = Request[object, Token, State]
"""A request that the guard has let through, with the token that it brought as `auth`."""


def guard(tokens: Tokens, statement_of: StatementOf, clock: Clock) -> Callable[[ASGIApp], ASGIApp]:
    """Lets a request through to its route if the token that it brings has a role that may.

    It stands around the routes; as a guard of Litestar's it would be handed a copy of the route with each request.
    """

    async def admit(scope: Scope) -> None:
        """Raises `ProblemError`: 401 without a token that holds, 403 with one whose role may not."""
        if scope["type"] is ScopeType.WEBSOCKET:
            raise ProblemError(HTTPStatus.FORBIDDEN, "Only HTTP is spoken here.")
        route = f"{scope['method']} {scope['path_template']}"
        allowed = MACHINES.get(route)
        if allowed is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no {scope['method']} {scope['path'][:200]}.")
        header, now = _authorization(scope), clock.now()
        if allowed is ANYBODY:
            scope["auth"] = _known(tokens, header, now)
            return
        token = await _linked(statement_of, header, now) or found(tokens, header, now)
        if token.role not in allowed:
            wanted = " or ".join(sorted(allowed))
            raise ProblemError(HTTPStatus.FORBIDDEN, f"This is for the role {wanted}; the token's is {token.role}.")
        if token.role is Role.ACCOUNT and scope["path_params"].get("statement") != token.id:
            raise ProblemError(HTTPStatus.FORBIDDEN, "The link is that of another statement.")
        scope["auth"] = token

    def around(app: ASGIApp) -> ASGIApp:
        async def admitted(scope: Scope, receive: Receive, send: Send) -> None:
            await admit(scope)
            await app(scope, receive, send)

        return admitted

    return around


def _authorization(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"), "")


async def _linked(statement_of: StatementOf, header: str, at: datetime) -> Token | None:
    """What `Authorization: Link` brings: the account's own link to its statement, for this one request."""
    scheme, _, secret = header.partition(" ")
    statement = await statement_of(secret.strip()) if scheme.lower() == "link" else None
    if statement is None:
        return None
    return Token(id=TokenId(statement), name="the account", role=Role.ACCOUNT, channels=None, created=at, expires=at)


def _known(tokens: Tokens, header: str, at: datetime) -> Token | None:
    scheme, _, secret = header.partition(" ")
    return tokens.find(sha256(secret.strip().encode()).digest(), at) if scheme.lower() == "bearer" else None


def found(tokens: Tokens, header: str, at: datetime) -> Token:
    """The token that `Authorization: Bearer` brings. Raises `ProblemError`."""
    token = _known(tokens, header, at)
    if token is None:
        detail = "Bring a token that holds: `Authorization: Bearer comity_...`. `comity token new` makes one."
        raise ProblemError(HTTPStatus.UNAUTHORIZED, detail)
    return token


def demand_channel(token: Token, channel: Channel) -> None:
    """Raises `ProblemError` if the token is not for the channel."""
    if not token.may_use(channel):
        raise ProblemError(HTTPStatus.FORBIDDEN, f"The token is not for the channel {channel!r}.")
