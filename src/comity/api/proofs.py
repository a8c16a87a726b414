"""Proof that a statement is in the public ledger, for anybody who knows its id."""

from __future__ import annotations

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from comity.api.sources import Statement
from comity.api.watch import Watch
from comity.flow.prove import prove
from comity.ports import PublishedLog, Store


def proof_routes(watch: Watch, log: PublishedLog) -> list[ControllerRouterHandler]:
    @get("/v1/log/proof/{statement:str}", media_type="text/plain")
    async def proof(statement: Statement) -> Response[bytes]:
        """A tlog-proof (C2SP) of the statement's entry, against the newest checkpoint that witnesses vouch for."""

        def found(store: Store) -> bytes:
            return prove(store, log.read, statement)

        content = await watch.ask(found)
        return Response(content, headers={"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"})

    return [proof]
