"""What all of the console's pages have around them: who is signed in, where they may go, the token of their forms."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from litestar import Response
from litestar.response import Redirect

from comity.console.pages import PRIVATE, Pages
from comity.console.rendering import rendered
from comity.console.visit import CookieTerms, PageRequest, Visit
from comity.flow.sign_in import may
from comity.model.routes import PEOPLE

PLACES: Final = (
    ("Queue", "/console/queue"),
    ("Appeals", "/console/appeals"),
    ("Accounts", "/console/accounts"),
    ("Agreement", "/console/agreement"),
    ("Quality", "/console/quality"),
    ("Reports", "/console/reports"),
    ("Ledger", "/console/ledger"),
    ("People", "/console/people"),
)
"""What the console's navigation shows, to those who may go there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """Makes the console's pages. `blurs`: what rules found is not legible until somebody asks for it."""

    pages: Pages
    terms: CookieTerms
    zone: ZoneInfo
    blurs: bool

    def answer(
        self, request: PageRequest, template: str, *, status: HTTPStatus = HTTPStatus.OK, **values: object
    ) -> Response[str]:
        """A page; a visitor's cookie goes with it if it has a form."""
        visit = request.auth
        has_queue = visit.user is not None and may(visit.user, PEOPLE["GET /console/waiting"])
        around = {
            "visit": visit,
            "places": places_of(visit),
            "here": request.url.path,
            "has_queue": has_queue,
            "rendered": rendered,
            "blurs": self.blurs,
        }
        response = self.pages.page(template, {**around, **values}, status=status, headers=PRIVATE)
        if visit.is_new and visit.token in response.content:
            response.set_cookie(self.terms.cookie(visit.secret))
        return response

    def download(self, content: bytes, name: str) -> Response[bytes]:
        """A file of somebody else's, to be saved and not to be opened here."""
        disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
        headers = {**PRIVATE, "Content-Disposition": disposition}
        return Response(content, headers=headers, media_type="application/octet-stream")


def onward(place: str) -> Redirect:
    """After a form: the next page, which can be loaded again without sending the form again."""
    return Redirect(place, status_code=303)


def places_of(visit: Visit) -> tuple[tuple[str, str], ...]:
    """Where they may go, by the table of routes."""
    if visit.user is None:
        return ()
    return tuple((name, path) for name, path in PLACES if may(visit.user, PEOPLE[f"GET {path}"]))
