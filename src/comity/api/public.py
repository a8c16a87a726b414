"""What needs no token: the ledger's files, the page behind a refusal link, and whether the service lives."""

from __future__ import annotations

from http import HTTPStatus
from zoneinfo import ZoneInfo

import msgspec
from litestar import MediaType, Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from comity.api.desk import Queue
from comity.api.problems import ProblemError
from comity.casework.languages import language_of
from comity.casework.printing import as_html
from comity.casework.wording import refusal
from comity.flow.links import Links, Purpose
from comity.flow.message import Proceedings
from comity.ledger.log import CHECKPOINT_PATH, VKEY_PATH
from comity.model.ids import DecisionId
from comity.ports import PublishedLog

_PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
}
_FOR_GOOD = "public, max-age=31536000, immutable"


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`ok`, or what is the matter."""

    status: str


def public_routes(queue: Queue, log: PublishedLog, links: Links, zone: ZoneInfo) -> list[ControllerRouterHandler]:
    @get("/v1/log/{path:path}", media_type="application/octet-stream")
    async def file(path: FromPath[str]) -> Response[bytes]:
        """A file of the published ledger (C2SP tlog-tiles): `checkpoint`, `vkey`, `tile/...`."""
        name = path.removeprefix("/")
        content = log.read(name)
        if content is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"The ledger has no file {name[:200]!r}.")
        is_text = name in (CHECKPOINT_PATH, VKEY_PATH)
        headers = {"Cache-Control": "no-cache" if is_text else _FOR_GOOD, "Access-Control-Allow-Origin": "*"}
        return Response(content, headers=headers, media_type="text/plain; charset=utf-8" if is_text else None)

    @get("/r/{token:str}", media_type=MediaType.HTML)
    async def refused(token: FromPath[str]) -> Response[str]:
        """Why somebody was refused: measure, clauses, end, how to appeal; no name and no message."""
        statement = links.statement(Purpose.REFUSAL, token)
        page = await queue.read(lambda running: _page(running, statement, zone)) if statement else None
        if page is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "This link leads to nothing, or what it led to was erased.")
        return Response(page, headers=_PRIVATE, media_type=MediaType.HTML)

    @get("/healthz")
    async def health() -> Health:
        """The process answers."""
        return Health(status="ok")

    @get("/readyz")
    async def ready() -> Health:
        """The record can be read."""
        await queue.read(lambda running: running.store.size)
        return Health(status="ok")

    return [file, refused, health, ready]


def _page(running: Proceedings, statement: DecisionId, zone: ZoneInfo) -> str | None:
    account = running.store.account_of(statement)
    one = running.record(account).decision(statement) if account else None
    if one is None:
        return None
    version = running.versions.agreement(one.decided.statement.agreement)
    told = refusal(one, zone=zone, appeal_window=version.appeal_window if version else None)
    say = language_of(one.decided.statement.language)
    return as_html(say.title.format(id=one.id), told, language=one.decided.statement.language)
