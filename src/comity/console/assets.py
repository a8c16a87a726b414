"""The files that pages load. Their addresses change with their content, so browsers keep them for good."""

from __future__ import annotations

from http import HTTPStatus

from litestar import Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from comity.console.pages import ASSETS, SAFE, asset

_FOR_GOOD = {**SAFE, "Cache-Control": "public, max-age=31536000, immutable"}


def asset_routes() -> Router:
    @get("/static/{name:str}", include_in_schema=False)
    async def file(name: FromPath[str]) -> Response[bytes]:
        """One of the files that come with Comity."""
        if name not in ASSETS:
            raise NotFoundException(status_code=HTTPStatus.NOT_FOUND)
        return Response(asset(name), headers=_FOR_GOOD, media_type=ASSETS[name])

    return Router("/", route_handlers=[file])
