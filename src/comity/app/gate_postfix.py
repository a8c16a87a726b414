"""`comity gate postfix`: runs a gate beside Postfix, until it is told to end."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from comity.app.clock import SystemClock
from comity.app.errors import Exit
from comity.app.gate import Wanted, following, listening, places, say, until_told
from comity.gates.postfix import PolicyGate


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Where Postfix asks who may send, and how. `addresses`: from where it does."""

    listen: str
    addresses: frozenset[str]
    channel: str
    trusts_sender: bool


def postfix_gate(wanted: Wanted, asking: Asking) -> Exit:
    """Answers at once from what it knew before, if it did."""
    with following(wanted) as (replica, follower):
        gate = PolicyGate(
            replica=replica,
            follower=follower,
            clock=SystemClock(),
            addresses=asking.addresses,
            channel=asking.channel,
            trusts_sender=asking.trusts_sender,
        )

        async def serve() -> None:
            async with await listening(gate, asking.listen) as server:
                say(sys.stdout, f"gate {wanted.name} on {places(server)}, follows {wanted.centre}")
                await until_told(follower.run())

        asyncio.run(serve())
    return Exit.FINE
