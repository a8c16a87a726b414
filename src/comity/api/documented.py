"""What the OpenAPI document says beside the routes themselves: who may ask, and the errors that may be answered."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ControllerRouterHandler

from comity.api.problems import PROBLEM, Problem
from comity.model.access import Role
from comity.model.routes import ANYBODY, MACHINES

COMPONENTS: Final = Components(
    security_schemes={
        "token": SecurityScheme(
            type="http", scheme="bearer", description="A machine's token: `comity token new NAME --role ROLE`."
        ),
        "link": SecurityScheme(
            type="apiKey",
            name="Authorization",
            security_scheme_in="header",
            description="`Link TOKEN`: the account's own link to its statement, the last part of its address.",
        ),
    }
)
_ANY: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
_OF_TOKENS: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_OF_READING: Final = (HTTPStatus.GONE,)
_OF_ACTS: Final = (
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
)


def documented(routes: Iterable[ControllerRouterHandler]) -> list[ControllerRouterHandler]:
    """The same routes, with what the document says of each."""
    return [_documented(each) if isinstance(each, HTTPRouteHandler) else each for each in routes]


def _documented(route: HTTPRouteHandler) -> HTTPRouteHandler:
    method, path = next(iter(route.http_methods)), next(iter(route.paths))
    allowed = MACHINES.get(f"{method} {_pattern(path)}", ANYBODY)
    errors = (*_ANY, *_OF_TOKENS, *(_OF_READING if method == "GET" else _OF_ACTS))
    route.responses = {**{int(each): _problem(each) for each in errors}, **(route.responses or {})}
    route.security = [{}] if allowed is ANYBODY else [{"token": []}]
    if Role.ACCOUNT in allowed:
        route.security = [{"link": []}, *(route.security if len(allowed) > 1 else ())]
    return route


def _pattern(path: str) -> str:
    """`/v1/cases/{case:str}` is `/v1/cases/{case}` in the table."""
    parts = (part.partition(":")[0] + "}" if part.startswith("{") else part for part in path.split("/"))
    return "/".join(parts)


def _problem(status: HTTPStatus) -> ResponseSpec:
    return ResponseSpec(data_container=Problem, media_type=PROBLEM, description=status.phrase, generate_examples=False)
