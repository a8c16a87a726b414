"""What goes wrong on a page: said on a page, with what to do next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Final

from litestar import Response
from litestar.exceptions import HTTPException

from comity.casework.refused import RefusedError
from comity.console.forms import AnyRequest
from comity.console.pages import PRIVATE, Pages
from comity.flow.prove import ProveError
from comity.ledger.note import NoteError
from comity.ports import StoreError

Told = Response[str] | Response[dict[str, str | int]]
Answers = MutableMapping[int | type[Exception], Callable[[AnyRequest, Exception], Told]]

PROBLEM: Final = "application/problem+json"
_HTML: Final = "text/html"
_SAID: Final = {
    HTTPStatus.NOT_FOUND: "There is no such page. Look whether the address is whole, or go on from here.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This page takes no forms. Go back, load the page again, and try once more.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "What was sent is too large. Send less at once.",
}


def problem_pages(pages: Pages) -> Answers:
    """For routers of pages."""

    def answered(request: AnyRequest, error: Exception) -> Told:
        status, said = _told(error)
        again = {"Retry-After": "1"} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
        if asks_for_json(request):
            return json_problem(status, said, again)
        return problem_page(pages, request.url.path, status, said, again)

    return dict.fromkeys((HTTPException, RefusedError, ProveError, StoreError, NoteError, OSError), answered)


def problem_page(pages: Pages, path: str, status: int, detail: str, headers: Mapping[str, str]) -> Response[str]:
    """What went wrong, and where to go on: to the console from its own addresses, else to the first page."""
    is_console = path == "/console" or path.startswith("/console/")
    values = {
        "heading": HTTPStatus(status).phrase,
        "said": _SAID.get(HTTPStatus(status)) or detail,
        "on": ("/console", "To the console") if is_console else ("/", "About this service"),
    }
    return pages.page("problem", values, status=status, headers={**PRIVATE, **headers})


def asks_for_json(request: AnyRequest) -> bool:
    """Whether it would rather have problem details (RFC 9457) than a page; whoever takes anything gets the page."""
    return request.accept.best_match([_HTML, PROBLEM, "application/json"], _HTML) != _HTML


def json_problem(status: HTTPStatus, detail: str, headers: Mapping[str, str]) -> Response[dict[str, str | int]]:
    content: dict[str, str | int] = {
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "type": "about:blank",
    }
    return Response(content, status_code=status, headers={**PRIVATE, **headers}, media_type=PROBLEM)


def _told(error: Exception) -> tuple[HTTPStatus, str]:
    match error:
        case HTTPException():
            status = HTTPStatus(error.status_code)
            return status, _SAID.get(status) or error.detail
        case RefusedError() | ProveError():
            return HTTPStatus.CONFLICT, f"This was refused: {error}."
        case _:
            return HTTPStatus.SERVICE_UNAVAILABLE, f"Nothing was recorded: {error}. Try it again in a moment."
