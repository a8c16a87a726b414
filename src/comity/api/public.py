"""What needs no token: the ledger's files."""

from __future__ import annotations

from http import HTTPStatus

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from comity.api.problems import ProblemError
from comity.ledger.log import CHECKPOINT_PATH, COSIGNED_PATH, VKEY_PATH
from comity.ports import PublishedLog

_FOR_GOOD = "public, max-age=31536000, immutable"


def public_routes(log: PublishedLog) -> list[ControllerRouterHandler]:
    @get("/v1/log/{path:path}", media_type="application/octet-stream")
    async def file(path: FromPath[str]) -> Response[bytes]:
        """A file of the published ledger (C2SP tlog-tiles): `checkpoint`, `vkey`, `tile/...`."""
        name = path.removeprefix("/")
        content = log.read(name)
        if content is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"The ledger has no file {name[:200]!r}.")
        is_text = name in (CHECKPOINT_PATH, COSIGNED_PATH, VKEY_PATH)
        headers = {"Cache-Control": "no-cache" if is_text else _FOR_GOOD, "Access-Control-Allow-Origin": "*"}
        return Response(content, headers=headers, media_type="text/plain" if is_text else None)

    return [file]
