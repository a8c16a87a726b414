"""Who may ask for what: one table of all routes, and the guard that holds it.

A route that the table does not name cannot be asked for by anybody, so a new route must be placed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.handlers.base import BaseRouteHandler

from comity.api.problems import ProblemError
from comity.model.access import Role, Token
from comity.model.ids import Channel
from comity.ports import Clock, Tokens

TokenRequest = Request[object, Token, State]
"""A request that the guard has let through, with the token that it brought as `auth`."""

ANYBODY: Final = frozenset[Role]()
"""No token is asked for."""
_SOURCE: Final = frozenset({Role.SOURCE})
_GATE: Final = frozenset({Role.GATE})
_ASKS: Final = frozenset({Role.SOURCE, Role.GATE})
_REVIEWER: Final = frozenset({Role.REVIEWER})

TABLE: Final[Mapping[str, frozenset[Role]]] = {
    "POST /v1/messages": _SOURCE,
    "POST /v1/acceptances": _SOURCE,
    "PUT /v1/handles": _SOURCE,
    "POST /v1/attestations": _SOURCE,
    "POST /v1/statements/{statement}/delivered": _ASKS,
    "GET /v1/standing": _ASKS,
    "GET /v1/standings/snapshot": _GATE,
    "GET /v1/standings": _GATE,
    "POST /v1/gates/ack": _GATE,
    "GET /v1/cases": _REVIEWER,
    "POST /v1/cases/{case}/decision": _REVIEWER,
    "POST /v1/statements/{statement}/lift": _REVIEWER,
    "GET /v1/log/{path}": ANYBODY,
    "GET /r/{token}": ANYBODY,
    "GET /healthz": ANYBODY,
    "GET /readyz": ANYBODY,
    "GET /openapi.json": ANYBODY,
}


class Guard:
    """Lets a request through to its route if the token that it brings has a role that may."""

    def __init__(self, tokens: Tokens, clock: Clock) -> None:
        self._tokens, self._clock = tokens, clock

    def __call__(self, connection: ASGIConnection[object, object, object, State], handler: BaseRouteHandler) -> None:
        """Raises `ProblemError`: 401 without a token that holds, 403 with one whose role may not."""
        scope = connection.scope
        if scope["type"] is ScopeType.WEBSOCKET:
            raise ProblemError(HTTPStatus.FORBIDDEN, "Only HTTP is spoken here.")
        route = f"{scope['method']} {scope['path_template']}"
        allowed = TABLE.get(route)
        if allowed is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no {scope['method']} {scope['path'][:200]}.")
        if allowed is ANYBODY:
            return
        token = found(self._tokens, connection.headers.get("authorization", ""), self._clock.now())
        if token.role not in allowed:
            wanted = " or ".join(sorted(allowed))
            raise ProblemError(HTTPStatus.FORBIDDEN, f"This is for the role {wanted}; the token's is {token.role}.")
        scope["auth"] = token


def found(tokens: Tokens, header: str, at: datetime) -> Token:
    """The token that `Authorization: Bearer` brings. Raises `ProblemError`."""
    scheme, _, secret = header.partition(" ")
    token = tokens.find(sha256(secret.strip().encode()).digest(), at) if scheme.lower() == "bearer" else None
    if token is None:
        detail = "Bring a token that holds: `Authorization: Bearer comity_...`. `comity token new` makes one."
        raise ProblemError(HTTPStatus.UNAUTHORIZED, detail)
    return token


def demand_channel(token: Token, channel: Channel) -> None:
    """Raises `ProblemError` if the token is not for the channel."""
    if not token.may_use(channel):
        raise ProblemError(HTTPStatus.FORBIDDEN, f"The token is not for the channel {channel!r}.")
