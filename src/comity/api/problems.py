"""What goes wrong, as RFC 9457 problem details: what happened, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler

from comity.agreement.ladders import ChoiceError
from comity.casework.refused import RefusedError, TookPartError, UnknownError
from comity.flow.desk import HarmlessError
from comity.flow.feed import DamagedFeedError, GoneError
from comity.flow.issue import NotNextError
from comity.flow.prove import ProveError
from comity.ledger.note import NoteError
from comity.ports import StoreError

PROBLEM: Final = "application/problem+json"
_HTML: Final = "text/html"
AnyRequest = Request[object, object, State]
Page = Callable[[str, int, str, Mapping[str, str]], Response[str]]
"""The page on which a problem is told: of a path, a status, a sentence, with these headers."""
_NO_BODY: Final = ("data", "'data'")
"""What Litestar says of a body that is not there."""
_FOR_MACHINES: Final = ("/v1/", "/metrics", "/healthz", "/readyz", "/openapi.json")


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457. `detail` is a sentence for people; `places` names fields that cannot be read."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    places: tuple[str, ...] = ()


class RaceError(RefusedError):
    """Somebody decided or changed the case since it was read."""


class ProblemError(HarmlessError):
    """A request that is refused. `retry_after`: seconds after which it may be sent again."""

    def __init__(
        self, status: HTTPStatus, detail: str, *, retry_after: int | None = None, places: tuple[str, ...] = ()
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.retry_after, self.places = status, detail, retry_after, places


def problem(status: int, detail: str, places: tuple[str, ...] = ()) -> Problem:
    return Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, places=places)


def answered(request: AnyRequest, error: Exception) -> Response[Problem]:
    """What whoever asked is told of the error. Where a `Retry-After` stands, nothing was kept: it may be sent again."""
    match error:
        case ProblemError():
            return _response(problem(error.status, error.detail, error.places), _headers(error))
        case HTTPException():
            return _response(problem(error.status_code, _detail(request, error), _places(error)), {})
        case RaceError():
            return _response(problem(HTTPStatus.PRECONDITION_FAILED, str(error)), {})
        case UnknownError():
            return _response(problem(HTTPStatus.NOT_FOUND, f"Refused: {error}."), {})
        case ProveError():
            return _response(problem(HTTPStatus.NOT_FOUND, str(error)), {})
        case TookPartError():
            return _response(problem(HTTPStatus.FORBIDDEN, f"Refused: {error}."), {})
        case NotNextError():
            return _response(problem(HTTPStatus.CONFLICT, f"Refused: {error}. {error.help}"), {})
        case RefusedError():
            return _response(problem(HTTPStatus.CONFLICT, f"Refused: {error}."), {})
        case ChoiceError():
            return _response(problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"The measures cannot be read: {error}"), {})
        case GoneError():
            return _response(problem(HTTPStatus.GONE, str(error)), {})
        case DamagedFeedError():
            return _response(problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error)), {"Retry-After": "60"})
        case _:
            detail = f"Nothing was recorded: {error}. Send it again in a moment."
            return _response(problem(HTTPStatus.SERVICE_UNAVAILABLE, detail), {"Retry-After": "1"})


def shown(request: AnyRequest, told: Response[Problem], page: Page) -> Response[Problem] | Response[str]:
    """As a page to a browser that asked for one, and not for what only machines ask for."""
    path, wanted = request.url.path, request.accept.best_match([PROBLEM, "application/json", _HTML])
    if wanted != _HTML or path.startswith(_FOR_MACHINES):
        return told
    return page(path, told.content.status, told.content.detail, told.headers)


def failed() -> Response[Problem]:
    """The answer to a fault of ours."""
    detail = "Something went wrong here, and was written to the log. Nothing may have been done: look, then try again."
    return _response(problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail), {})


ANSWERED: Final = (
    ProblemError,
    HTTPException,
    RefusedError,
    ChoiceError,
    GoneError,
    DamagedFeedError,
    ProveError,
    StoreError,
    NoteError,  # the ledger's signature could not be had
    OSError,
)


def _headers(error: ProblemError) -> dict[str, str]:
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if error.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="comity"'
    return headers


def _detail(request: AnyRequest, error: HTTPException) -> str:
    route = request.scope.get("route_handler")
    if error.status_code != HTTPStatus.REQUEST_ENTITY_TOO_LARGE or not isinstance(route, HTTPRouteHandler):
        return error.detail
    most = route.resolve_request_max_body_size() or 0
    return f"The body is longer than the {most:,} bytes that are taken here. Send less at once."


def _places(error: HTTPException) -> tuple[str, ...]:
    """Which fields of a body or which parameters do not fit."""
    found = error.extra if isinstance(error.extra, list) else []
    return tuple(_place(each) for each in found if isinstance(each, dict))


def _place(one: Mapping[str, object]) -> str:
    key, message = one.get("key", ""), one.get("message", "")
    return "body: it is empty; send one JSON object" if (key, message) == _NO_BODY else f"{key}: {message}"


def _response(content: Problem, headers: dict[str, str]) -> Response[Problem]:
    return Response(content, status_code=content.status, headers=headers, media_type=PROBLEM)
