"""What needs no token: the ledger's files, and whether the service lives."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from comity.api.desk import Queue
from comity.api.problems import ProblemError
from comity.ledger.log import CHECKPOINT_PATH, COSIGNED_PATH, VKEY_PATH
from comity.ports import PublishedLog

_FOR_GOOD = "public, max-age=31536000, immutable"


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`ok`, or what is the matter."""

    status: str


def public_routes(queue: Queue, log: PublishedLog) -> list[ControllerRouterHandler]:
    @get("/v1/log/{path:path}", media_type="application/octet-stream")
    async def file(path: FromPath[str]) -> Response[bytes]:
        """A file of the published ledger (C2SP tlog-tiles): `checkpoint`, `vkey`, `tile/...`."""
        name = path.removeprefix("/")
        content = log.read(name)
        if content is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"The ledger has no file {name[:200]!r}.")
        is_text = name in (CHECKPOINT_PATH, COSIGNED_PATH, VKEY_PATH)
        headers = {"Cache-Control": "no-cache" if is_text else _FOR_GOOD, "Access-Control-Allow-Origin": "*"}
        return Response(content, headers=headers, media_type="text/plain; charset=utf-8" if is_text else None)

    @get("/healthz")
    async def health() -> Health:
        """The process answers."""
        return Health(status="ok")

    @get("/readyz")
    async def ready() -> Health:
        """The record can be read."""
        await queue.read(lambda running: running.store.size)
        return Health(status="ok")

    return [file, health, ready]
