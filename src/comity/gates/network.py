"""The `network` gate: on the router through which accounts reach the network, their addresses are cut off and restored.

It asks nobody and nobody asks it: it writes rules into the kernel, each with its end, so what is written holds and ends
on time when both this gate and its centre are dead. Rules go into one table of its own; nothing else is touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from comity.gates import kernel
from comity.gates.addresses import Address, address_of, sites_of
from comity.gates.answers import Deny
from comity.gates.cuts import Cut, Cuts
from comity.gates.following import Clock, Follower
from comity.gates.kernel import KernelError
from comity.gates.nft import Opening, Rules, is_there
from comity.gates.replica import Replica
from comity.gates.transactions import Transactions

BETWEEN_LOOKS: Final = 5.0
"""Seconds after which it is looked again whether the rules are there."""
BETWEEN_BEATS: Final = 0.5
"""Seconds after which the centre says again what its time is."""
_LONGEST_PAUSE: Final = 5.0
_FIRST_PAUSE: Final = 0.1
_LARGEST_DRIFT: Final = timedelta(seconds=1)
"""When the centre's clock turns out to be further off than that, all ends are written anew."""
_SOONEST: Final = 0.001
_BETWEEN_SEARCHES: Final = 0.5
"""Seconds after a search of flows in which there is no other: the rules hold already, and it may start programs."""
_SPARED: Final = 4
"""Times as long as flows were searched, none are after that: the machine is a router."""

Resolve = Callable[[], Awaitable[frozenset[Opening]]]
"""Which places stay reachable; asked again now and then, since names change their addresses."""


class NetworkGate:
    """Keeps the rules as the replica is."""

    def __init__(
        self, replica: Replica, follower: Follower, clock: Clock, *, channel: str, rules: Rules, resolve: Resolve
    ) -> None:
        self._replica, self._follower, self._clock = replica, follower, clock
        self._channel, self._rules, self._resolve = channel, rules, resolve
        self._cuts = Cuts(replica, channel, clock)
        self._kernel, self._writing, self._written_offset = Transactions(), asyncio.Lock(), timedelta()
        self._news, self._flows = asyncio.Event(), set[Address]()
        self._has_flows = asyncio.Event()
        follower.in_force = self.put_in_force

    async def run(self) -> None:
        """Until it is cancelled. What is known is in force before anything is asked for."""
        if self._replica.known is not None:
            await self.put_in_force()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follower.run())
            tasks.create_task(self._begin_on_time())
            tasks.create_task(self._keep_time())
            tasks.create_task(self._look_again())
            tasks.create_task(self._end_flows())

    async def put_in_force(self) -> None:
        """All that the replica knows now; it takes as long as it takes."""
        pause = _FIRST_PAUSE
        async with self._writing:
            while not await self._is_written():
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        self._news.set()

    async def refused(self, peer: str) -> Deny | None:
        """Why whoever has this address is cut off, and that they were told."""
        for address in await self._addresses(peer):
            for handle in self._cuts.spellings(address):
                answer = self._replica.check(self._channel, handle, self._clock.now())
                if isinstance(answer, Deny):
                    self._follower.show(answer.statement)
                    return answer
        return None

    async def _addresses(self, peer: str) -> tuple[Address, ...]:
        address = address_of(peer)
        if address is None:
            return ()
        try:
            device = await kernel.device_of(address)
        except KernelError as error:
            self._replica.warn("kernel", f"the device of {address.text} is not known: {error}")
            device = None
        return (*sites_of(address), *([device] if device else ()))

    async def _is_written(self) -> bool:
        """Whether the kernel took it; if not, everything is written anew the next time."""
        anew, at = self._cuts.must_begin, self._cuts.now
        self._written_offset = self._replica.offset if anew else self._written_offset
        cuts = self._cuts.every(at) if anew else self._cuts.changed(at)
        text = self._rules.whole(cuts, at) if anew else self._rules.written(cuts, at)
        try:
            if text:
                await self._kernel.take(text)
        except KernelError as error:
            self._cuts.begin()
            self._replica.warn("kernel", f"the rules could not be written, and are as they were: {error}")
            return False
        self._end_soon(cuts)
        return True

    def _end_soon(self, cuts: list[Cut]) -> None:
        self._flows.update(cut.address for cut in cuts)
        if self._flows:
            self._has_flows.set()

    async def _begin_on_time(self) -> None:
        """A measure that begins later begins by this clock; that it ends needs none."""
        while True:
            start, self._news = self._cuts.next_start, asyncio.Event()
            wait = None if start is None else max((start - self._cuts.now).total_seconds(), _SOONEST)
            try:
                async with asyncio.timeout(wait):
                    await self._news.wait()
            except TimeoutError:
                await self.put_in_force()

    async def _keep_time(self) -> None:
        """Where the centre's clock turns out to be further off, write all ends anew, by that."""
        while True:
            await asyncio.sleep(BETWEEN_BEATS)
            if self._replica.known is not None and self._has_drifted():
                self._cuts.begin()
                await self.put_in_force()

    def _has_drifted(self) -> bool:
        return abs(self._replica.offset - self._written_offset) > _LARGEST_DRIFT

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(BETWEEN_LOOKS)
            if self._replica.known is not None and await self._must_write_anew():
                self._cuts.begin()
                await self.put_in_force()

    async def _must_write_anew(self) -> bool:
        openings = await self._resolve()
        if openings != self._rules.openings:
            self._rules = Rules(table=self._rules.table, page_port=self._rules.page_port, openings=openings)
            return True
        try:
            listed = await kernel.ruleset()
        except KernelError as error:
            self._replica.warn("kernel", f"it is not known whether the rules are there: {error}")
            return False
        if is_there(listed, self._rules.table):
            return False
        self._replica.warn("rules", "somebody took the rules of this gate away, or changed them: they are written anew")
        return True

    async def _end_flows(self) -> None:
        """Beside the rules, which hold already."""
        while True:
            await self._has_flows.wait()
            self._has_flows.clear()
            flows, self._flows = self._flows, set()
            began = asyncio.get_running_loop().time()
            try:
                await kernel.forget_flows([*flows])
            except KernelError as error:
                self._replica.warn("flows", f"open flows could not be forgotten; the rules stop them: {error}")
            took = asyncio.get_running_loop().time() - began
            await asyncio.sleep(max(_SPARED * took, _BETWEEN_SEARCHES))
