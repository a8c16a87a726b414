"""In and out: signing in, a link that works once, a new password, signing out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Final

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter, URLEncodedBody
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from comity.console.refusals import PageError
from comity.console.sent import Sent
from comity.console.shell import Shell, onward
from comity.console.visit import PageRequest
from comity.flow.sign_in import SHORTEST_PASSWORD, DeniedError, SignIn
from comity.ports import Clock

HOME: Final = "/console"
CHANGE: Final = "/console/password"
_OURS: Final = re.compile(r"/console(/[A-Za-z0-9/_.~-]*)?(\?[A-Za-z0-9/_.~=&%+-]*)?")
_MOST_AT_ONCE: Final = 2
_MOST_WAITING: Final = 20


Next = Annotated[str, QueryParameter(name="next", max_length=2_000)]


class SigningIn(Sent, frozen=True):
    name: str
    password: str
    next: str = HOME


class Changing(Sent, frozen=True):
    new: str
    again: str
    old: str = ""


class Slowly:
    """Work that is slow and large on purpose, a little of it at a time."""

    def __init__(self) -> None:
        self._turns, self._waiting = asyncio.Semaphore(_MOST_AT_ONCE), 0

    async def do(self, work: Callable[[], str]) -> str:
        """Raises what `work` raises, and `PageError` when too many wait."""
        if self._waiting >= _MOST_WAITING:
            detail = "Wait some seconds, then try again."
            raise PageError(HTTPStatus.SERVICE_UNAVAILABLE, "Many people sign in just now", detail)
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


def sign_in_routes(shell: Shell, sign_in: SignIn, clock: Clock) -> list[ControllerRouterHandler]:
    slowly = Slowly()
    return [
        *_doors(shell, sign_in, clock, slowly),
        *_links(shell, sign_in, clock),
        *_passwords(shell, sign_in, clock, slowly),
    ]


def _doors(shell: Shell, sign_in: SignIn, clock: Clock, slowly: Slowly) -> list[ControllerRouterHandler]:
    @get("/sign-in")
    async def form(request: PageRequest, next_: Next = HOME) -> Response[str]:
        return shell.answer(request, "sign_in", next=own(next_), name="", problem="")

    @post("/sign-in", status_code=HTTPStatus.OK)
    async def enter(request: PageRequest, data: URLEncodedBody[SigningIn]) -> Response[str] | Redirect:
        try:
            secret = await slowly.do(lambda: sign_in.by_password(data.name, data.password, clock.now()))
        except DeniedError as error:
            told = {"next": own(data.next), "name": data.name[:100], "problem": str(error)}
            return shell.answer(request, "sign_in", status=HTTPStatus.FORBIDDEN, **told)
        return _signed_in(request, shell, sign_in, secret, own(data.next))

    @post("/sign-out", status_code=HTTPStatus.OK)
    async def leave(request: PageRequest, data: URLEncodedBody[Sent]) -> Redirect:
        """The session ends here, not only in the browser."""
        sign_in.out(request.auth.secret)
        response = onward("/sign-in")
        response.set_cookie(shell.terms.no_cookie())
        return response

    return [form, enter, leave]


def _links(shell: Shell, sign_in: SignIn, clock: Clock) -> list[ControllerRouterHandler]:
    @get("/enter/{token:str}")
    async def link(request: PageRequest, token: FromPath[str]) -> Response[str]:
        """Asks once more, so that a program which looks at links does not use it up."""
        name = sign_in.whose_link(token, clock.now())
        if name is None:
            raise _used()
        return shell.answer(request, "enter", token=token, name=name)

    @post("/enter/{token:str}", status_code=HTTPStatus.OK)
    async def follow(request: PageRequest, token: FromPath[str], data: URLEncodedBody[Sent]) -> Redirect:
        try:
            return _signed_in(request, shell, sign_in, sign_in.by_link(token, clock.now()), CHANGE)
        except DeniedError as error:
            raise _used() from error

    return [link, follow]


def _passwords(shell: Shell, sign_in: SignIn, clock: Clock, slowly: Slowly) -> list[ControllerRouterHandler]:
    def page(request: PageRequest, problem: str = "") -> Response[str]:
        session = request.auth.session
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        asks_old = session is None or not session.by_link
        told = {"asks_old": asks_old, "problem": problem, "shortest": SHORTEST_PASSWORD}
        return shell.answer(request, "password", status=status, **told)

    @get(CHANGE)
    async def password(request: PageRequest) -> Response[str]:
        return page(request)

    @post(CHANGE, status_code=HTTPStatus.OK)
    async def change(request: PageRequest, data: URLEncodedBody[Changing]) -> Response[str] | Redirect:
        if data.new != data.again:
            return page(request, "The two new ones are not the same.")
        secret = request.auth.secret
        try:
            fresh = await slowly.do(lambda: sign_in.change_password(secret, data.old, data.new, clock.now()))
        except DeniedError as error:
            return page(request, str(error))
        return _signed_in(request, shell, sign_in, fresh, HOME)

    return [password, change]


def _signed_in(request: PageRequest, shell: Shell, sign_in: SignIn, secret: str, next_: str) -> Redirect:
    """Under a new secret; whatever session the browser had before ends."""
    sign_in.out(request.auth.secret)
    response = onward(next_)
    response.set_cookie(shell.terms.cookie(secret))
    return response


def own(place: str) -> str:
    """The place, if it is a page of the console; else its first one."""
    return place if _OURS.fullmatch(place) and "//" not in place else HOME


def _used() -> PageError:
    detail = "A link signs somebody in once, and not for ever. Ask an operator for a new one, or use your password."
    return PageError(HTTPStatus.GONE, "This link works no more", detail, back=("/sign-in", "Sign in"))
