"""What goes wrong on a page: said on a page, with what to do next."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
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

Answers = MutableMapping[int | type[Exception], Callable[[AnyRequest, Exception], Response[str]]]

_SAID: Final = {
    HTTPStatus.NOT_FOUND: "There is no such page.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This page takes no forms.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "What was sent is too large. Send less at once.",
}


def problem_pages(pages: Pages) -> Answers:
    """For routers of pages."""

    def answered(_: AnyRequest, error: Exception) -> Response[str]:
        status, said = _told(error)
        return pages.page("problem", {"heading": status.phrase, "said": said}, status=status, headers=PRIVATE)

    return dict.fromkeys((HTTPException, RefusedError, ProveError, StoreError, NoteError, OSError), answered)


def _told(error: Exception) -> tuple[HTTPStatus, str]:
    match error:
        case HTTPException():
            status = HTTPStatus(error.status_code)
            return status, _SAID.get(status) or error.detail
        case RefusedError() | ProveError():
            return HTTPStatus.CONFLICT, f"This was refused: {error}."
        case _:
            return HTTPStatus.SERVICE_UNAVAILABLE, f"Nothing was recorded: {error}. Try it again in a moment."
