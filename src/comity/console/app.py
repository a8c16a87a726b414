"""The console as routes of one router: its door, its errors as pages, and its first page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from comity.agreement.ladders import ChoiceError
from comity.casework.refused import RefusedError, UnknownError
from comity.console.alike import Likeness
from comity.console.appeals import appeal_routes
from comity.console.asking import Asks, Reader
from comity.console.bulk import bulk_routes
from comity.console.case import Desk, case_routes
from comity.console.claims import claim_routes
from comity.console.door import door
from comity.console.pages import Pages
from comity.console.problems import Told, asks_for_json, json_problem
from comity.console.queue import queue_routes
from comity.console.refusals import PageError, SignedOutError
from comity.console.shell import Shell, onward, places_of
from comity.console.sign_in import sign_in_routes
from comity.console.visit import CookieTerms, PageRequest, Visit
from comity.flow.queue import Queue
from comity.flow.sign_in import SignIn
from comity.ledger.note import NoteError
from comity.ports import Clock, Entropy, StoreError

_Answer = Told | Response[None] | Redirect
_Asked = Request[object, object, State]
_BACK: Final = ("/console", "To the console")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the console is made of. `is_secure`: it is reached by HTTPS."""

    pages: Pages
    asks: Asks
    reader: Reader
    sign_in: SignIn
    clock: Clock
    entropy: Entropy
    zone: ZoneInfo
    is_secure: bool
    blurs: bool
    likeness: Likeness


More = Callable[[Desk], Sequence[ControllerRouterHandler]]


def console(parts: Parts, more: More = lambda _: ()) -> Router:
    """`more`: routes behind the same door."""
    shell = Shell(pages=parts.pages, terms=CookieTerms(is_secure=parts.is_secure), zone=parts.zone, blurs=parts.blurs)
    queue = Queue()
    desk = Desk(
        shell=shell,
        asks=parts.asks,
        reader=parts.reader,
        queue=queue,
        clock=parts.clock,
        likeness=parts.likeness,
    )
    routes = [
        *_first(shell),
        *sign_in_routes(shell, parts.sign_in, parts.clock),
        *queue_routes(shell, parts.reader, queue, parts.clock),
        *case_routes(desk),
        *bulk_routes(desk),
        *claim_routes(desk),
        *appeal_routes(desk),
        *more(desk),
    ]
    return router(parts, shell, routes)


def router(parts: Parts, shell: Shell, routes: Sequence[ControllerRouterHandler]) -> Router:
    """Pages with a door before them; what goes wrong behind it is a page too."""

    def answered(request: _Asked, error: Exception) -> _Answer:
        if isinstance(error, SignedOutError):
            return _signed_out(request, error.next_)
        return _problem(shell, request, error)

    return Router(
        "/",
        route_handlers=routes,
        guards=[door(parts.sign_in, parts.clock, parts.entropy, shell.terms)],
        exception_handlers=dict.fromkeys(_ANSWERED, answered),
        include_in_schema=False,
    )


def _first(shell: Shell) -> list[ControllerRouterHandler]:
    @get("/console")
    async def home(request: PageRequest) -> Response[str] | Redirect:
        """The first place where they may go."""
        places = places_of(request.auth)
        return onward(places[0][1]) if places else shell.answer(request, "console_home")

    return [home]


_ANSWERED: Final = (
    SignedOutError,
    PageError,
    HTTPException,
    RefusedError,
    ChoiceError,
    StoreError,
    NoteError,
    OSError,
)


def _problem(shell: Shell, request: _Asked, error: Exception) -> Told:
    title, back, status, detail = "This cannot be done", _BACK, HTTPStatus.CONFLICT, str(error)
    match error:
        case PageError():
            status, title, detail, back = error.status, error.title, error.detail, error.back
        case HTTPException():
            status, title, detail = HTTPStatus(error.status_code), "The request cannot be read", _unread(error)
        case UnknownError():
            status, title, detail = HTTPStatus.NOT_FOUND, "There is no such thing", f"It says: {error}."
        case RefusedError():
            detail = f"Refused: {error}."
        case ChoiceError():
            status, title = HTTPStatus.UNPROCESSABLE_ENTITY, "The measures cannot be read"
        case _:
            status, title = HTTPStatus.SERVICE_UNAVAILABLE, "Nothing was recorded"
            detail = f"{error}. Try again in a moment."
    again = {"Retry-After": "1"} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    if asks_for_json(request):
        return json_problem(status, f"{title}: {detail}", again)
    if not isinstance(request.scope.get("auth"), Visit):  # it did not come as far as the door
        request.scope["auth"] = Visit(secret="", is_new=False)
    asked: PageRequest = Request(request.scope)
    page = shell.answer(asked, "console_problem", status=status, title=title, detail=detail, back=back)
    page.headers.update(again)
    return page


def _unread(error: HTTPException) -> str:
    """Which fields of a form do not fit."""
    found = error.extra if isinstance(error.extra, list) else []
    places = [f"{each.get('key', '')}: {each.get('message', '')}" for each in found if isinstance(each, dict)]
    return "; ".join([error.detail, *places])


def _signed_out(request: _Asked, next_: str) -> Response[None] | Redirect:
    """To the sign-in page, and back from there; a part of a page takes its whole page along."""
    if request.headers.get("hx-request"):
        return Response(None, status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": "/sign-in"})
    return onward(f"/sign-in?next={quote(next_)}")
