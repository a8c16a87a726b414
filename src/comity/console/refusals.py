"""What the console refuses: said on a page, with where to go on from there."""

from __future__ import annotations

from http import HTTPStatus

from comity.flow.desk import HarmlessError


class PageError(HarmlessError):
    """A request that is refused. `back`: where to go on from there, and what that is called."""

    def __init__(
        self, status: HTTPStatus, title: str, detail: str, *, back: tuple[str, str] = ("/console", "To the console")
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.back = status, title, detail, back


class SignedOutError(Exception):
    """Nobody is signed in. `next_`: what was asked for, to go on with afterwards."""

    def __init__(self, next_: str) -> None:
        super().__init__("Nobody is signed in.")
        self.next_ = next_
