"""`comity gate postfix`: runs a gate beside Postfix, until it is told to end."""

from __future__ import annotations

import asyncio
import shlex
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from comity.app.clock import SystemClock
from comity.app.errors import Exit, StopError
from comity.app.gate import Wanted, following, listening, places, read_token, say, until_told, verify_of
from comity.app.gate_mail import Postsuper, read
from comity.gates.content import Judge
from comity.gates.delegation import Manner
from comity.gates.following import Follower
from comity.gates.held import Held
from comity.gates.milter import MilterGate
from comity.gates.postfix import PolicyGate
from comity.gates.replica import Replica

SOURCE_FROM_ENVIRONMENT: Final = "COMITY_SOURCE_TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Where Postfix asks who may send, and how. `addresses`: from where it does."""

    listen: str
    addresses: frozenset[str]
    channel: str
    trusts_sender: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """Where Postfix shows mail, and what becomes of it. `patience` in seconds, `hold` in hours."""

    listen: str
    token_file: Path | None
    unjudged: str
    patience: float
    hold: float
    postsuper: str


def postfix_gate(wanted: Wanted, asking: Asking, showing: Showing | None) -> Exit:
    """Answers at once from what it knew before, if it did."""
    with following(wanted) as (replica, follower):
        gate = PolicyGate(
            replica=replica,
            follower=follower,
            clock=SystemClock(),
            addresses=asking.addresses,
            channel=asking.channel,
            manner=Manner(trusts_sender=asking.trusts_sender, holds=showing is None),
        )
        milter = _milter(wanted, asking, showing, replica, follower) if showing else None

        async def serve() -> None:
            async with AsyncExitStack() as held:
                servers = [await held.enter_async_context(await listening(gate, asking.listen))]
                if milter and showing:
                    servers.append(await held.enter_async_context(await listening(milter, showing.listen)))
                where = " and ".join(map(places, servers))
                say(sys.stdout, f"gate {wanted.name} on {where}, follows {wanted.centre}")
                await until_told(_work(follower, milter))

        asyncio.run(serve())
    return Exit.FINE


async def _work(follower: Follower, milter: MilterGate | None) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follower.run())
        if milter is not None:
            tasks.create_task(milter.held.run())


def _milter(wanted: Wanted, asking: Asking, showing: Showing, replica: Replica, follower: Follower) -> MilterGate:
    if showing.unjudged not in ("defer", "pass"):
        raise StopError(f"--unjudged is {showing.unjudged!r}", help="Write defer or pass.", code=Exit.USAGE)
    clock, url = SystemClock(), wanted.centre.rstrip("/")
    token = read_token(showing.token_file, SOURCE_FROM_ENVIRONMENT)
    verify = verify_of(wanted)
    judge = Judge(url=url, token=token, patience=showing.patience, warn=replica.warn, verify=verify)
    held = Held(
        folder=wanted.folder / "held",
        url=url,
        token=token,
        verify=verify,
        settle=Postsuper(shlex.split(showing.postsuper)),
        clock=clock,
        warn=replica.warn,
        patience=timedelta(hours=showing.hold),
    )
    try:
        held.load()
    except (OSError, ValueError) as error:
        raise StopError(f"{held.folder} cannot be read: {error}", help="It lists the mail that waits.") from error
    return MilterGate(
        replica=replica,
        follower=follower,
        clock=clock,
        judge=judge,
        read=read,
        held=held,
        channel=asking.channel,
        trusts_sender=asking.trusts_sender,
        passes_unjudged=showing.unjudged == "pass",
    )
