"""`comity gate postfix`: runs a gate beside Postfix, until it is told to end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from comity.app.clock import SystemClock
from comity.app.errors import Exit, StopError
from comity.app.gate import Wanted, following, listening, places, say, until_told
from comity.gates.delegation import Manner
from comity.gates.following import Follower
from comity.gates.http import HttpGate, Trust
from comity.gates.milter import MilterGate
from comity.gates.postfix import PolicyGate
from comity.gates.replica import Replica

_LIMITS: Final = "this gate cannot limit reach, and counts from its start what limited accounts send"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Where Postfix asks who may send. `addresses`: from where it does. `figures`: where the gate's own are served."""

    listen: str
    addresses: frozenset[str]
    channel: str
    trusts_sender: bool
    figures: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """Where Postfix shows mail, and to whom."""

    listen: str
    make: Callable[[Replica, Follower], MilterGate]


def postfix_gate(wanted: Wanted, asking: Asking, showing: Showing | None) -> Exit:
    """Answers at once from what it knew before, if it did. Raises `StopError`."""
    if showing and not showing.listen.startswith("unix:"):
        help_ = "Write unix:PATH. Whoever reaches a port could send in anybody's name, and have them answer for it."
        raise StopError(f"--milter is {showing.listen!r}", help=help_, code=Exit.USAGE)
    with following(wanted) as (replica, follower):
        gate = PolicyGate(
            replica=replica,
            follower=follower,
            clock=SystemClock(),
            addresses=asking.addresses,
            channel=asking.channel,
            manner=Manner(trusts_sender=asking.trusts_sender, holds=showing is None),
        )
        milter = showing.make(replica, follower) if showing else None

        async def serve() -> None:
            asked: list[tuple[Callable[[], asyncio.Protocol], str]] = [(gate, asking.listen)]
            if milter and showing:
                asked.append((milter, showing.listen))
            if asking.figures:
                asked.append((_figures(replica, follower), asking.figures))
            async with AsyncExitStack() as held:
                servers = [await held.enter_async_context(await listening(each, where)) for each, where in asked]
                say(sys.stdout, f"gate {wanted.name} on {' and '.join(map(places, servers))}, follows {wanted.centre}")
                say(sys.stdout, _LIMITS)
                await until_told(_work(follower, milter))

        asyncio.run(serve())
    return Exit.FINE


def _figures(replica: Replica, follower: Follower) -> HttpGate:
    return HttpGate(replica, follower, SystemClock(), Trust(header=b"", addresses=frozenset(("127.0.0.1", "::1"))))


async def _work(follower: Follower, milter: MilterGate | None) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follower.run())
        if milter is not None:
            tasks.create_task(milter.held.run())
