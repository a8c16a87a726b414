"""Whether the service lives, and whether it can do its work."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from litestar import Response, get
from litestar.types import ControllerRouterHandler

from comity.api.desk import Queue
from comity.flow.message import Proceedings
from comity.ledger.checkpoint import unverified_checkpoint
from comity.ledger.log import CHECKPOINT_PATH
from comity.ports import PublishedLog


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`ok`, or `not ready` and what is the matter. `warnings`: what works, and could be safer."""

    status: str
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def health_routes(queue: Queue, log: PublishedLog, warnings: tuple[str, ...]) -> list[ControllerRouterHandler]:
    @get("/healthz")
    async def health() -> Health:
        """The process answers."""
        return Health(status="ok")

    @get("/readyz")
    async def ready() -> Response[Health]:
        """The record can be read, and its ledger is published: 503 if not. Warns where nothing vouches for it."""
        problems = await queue.read(lambda running: _problems(running, log))
        told = Health(status="not ready" if problems else "ok", problems=problems, warnings=warnings)
        return Response(told, status_code=HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK)

    return [health, ready]


def _problems(running: Proceedings, log: PublishedLog) -> tuple[str, ...]:
    signed = log.read(CHECKPOINT_PATH)
    published, size = unverified_checkpoint(signed).size if signed else 0, running.store.size
    if published != size:
        return (f"{size - published} entries of the ledger are not published; gates wait for them",)
    return ()
