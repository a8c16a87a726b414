"""The guard of what people ask for: their session, their roles, and that a form is one of ours."""

from __future__ import annotations

import base64
import hmac
from http import HTTPStatus
from typing import Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers.base import BaseRouteHandler
from litestar.types import AsyncAnyCallable

from comity.console.refusals import PageError, SignedOutError
from comity.console.visit import CookieTerms, Visit
from comity.flow.sign_in import SignIn, may
from comity.model.routes import ANYBODY, PEOPLE
from comity.ports import Clock, Entropy

FIELD: Final = "csrf"
HEADER: Final = "x-csrf-token"
ASKED_BY_ITSELF: Final = "GET /console/waiting"
"""What open pages ask again and again: it does not keep anybody signed in."""
_READS: Final = ("GET", "HEAD")
_ELSEWHERE: Final = ("cross-site", "same-site")


def door(sign_in: SignIn, clock: Clock, entropy: Entropy, terms: CookieTerms) -> AsyncAnyCallable:
    """Lets a request through to its route if whoever sends it may, and puts the visit into its scope."""

    async def let_in(connection: ASGIConnection[object, object, object, State], handler: BaseRouteHandler) -> None:
        """Raises `SignedOutError`, or `PageError` for who may not and for forms that are not ours."""
        scope = connection.scope
        route = f"{scope.get('method', '')} {scope['path_template']}"
        allowed = PEOPLE.get(route)
        if allowed is None:
            raise PageError(HTTPStatus.NOT_FOUND, "There is no such page", "Check the address.")
        visit = visit_of(connection, sign_in, clock, entropy, terms, uses=route != ASKED_BY_ITSELF)
        scope["user"], scope["auth"] = visit.user, visit
        if scope.get("method") not in _READS:
            await demand_own_form(connection, visit)
        if allowed is ANYBODY:
            return
        if visit.user is None:
            raise SignedOutError(scope["path"] if scope.get("method") in _READS else "/console")
        if not may(visit.user, allowed):
            wanted = " or ".join(sorted(allowed))
            detail = (
                f"It is for the role {wanted}; yours: {', '.join(sorted(visit.roles))}. An operator can change that."
            )
            raise PageError(HTTPStatus.FORBIDDEN, "This page is not for your role", detail)

    return let_in


def visit_of(
    connection: ASGIConnection[object, object, object, State],
    sign_in: SignIn,
    clock: Clock,
    entropy: Entropy,
    terms: CookieTerms,
    *,
    uses: bool,
) -> Visit:
    secret = connection.cookies.get(terms.name, "")
    if not secret:
        fresh = base64.urlsafe_b64encode(entropy.token(32)).decode().rstrip("=")
        return Visit(secret=fresh, is_new=True)
    found = sign_in.session(secret, clock.now(), uses=uses)
    user, session = found or (None, None)
    return Visit(secret=secret, is_new=False, user=user, session=session)


async def demand_own_form(connection: ASGIConnection[object, object, object, State], visit: Visit) -> None:
    """Raises `PageError` unless the request was made by a page of this service, in this browser."""
    told = connection.headers.get(HEADER, "")
    if not told and isinstance(connection, Request):
        told = str((await connection.form()).get(FIELD, ""))
    is_elsewhere = connection.headers.get("sec-fetch-site", "") in _ELSEWHERE
    if is_elsewhere or visit.is_new or not hmac.compare_digest(told.encode(), visit.token.encode()):
        detail = (
            "Nothing was done: the form did not come from this page in this browser. Go back, load the page again, and"
            " send it once more. If that does not help, allow cookies, or ask your operator whether `serve.url` is the"
            " address that you use."
        )
        raise PageError(HTTPStatus.FORBIDDEN, "This form cannot be taken", detail)
