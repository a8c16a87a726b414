"""The router while something is broken between its gate and the centre: no address is freed by it, and none cut off.

What is told here is written in the kernel's rules, so each story looks at what passes through the router.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from namespaces import LAN, PATIENCE, WORLD, Network, echo, missing, network
from test_gate_network import OPEN, OTHER, opened, refused
from test_gate_outages import POLICY, fill_up, small_disk
from test_gate_web_servers import ROOT

sys.path.append(str(ROOT / "tests" / "unit"))

from gate_centre import ELSEWHERE, Centre, damage, serving, trust
from test_flow_feed import Watched
from test_flow_record import KEY, NOW
from test_gate_following import Elsewhere, gone, once
from test_gate_process import Process, running

from comity.casework.facts import HandleGiven
from comity.model.ids import AccountId, Channel

WAY = ("--channel", "posts", "--allow", f"{WORLD}2:{OPEN}")
ROW = "| 1 | suspend | all | 30 minutes |"


@dataclass(frozen=True)
class Router:
    """ann's address is cut off, and the gate knows; bob's is free."""

    centre: Centre
    gate: Process
    net: Network

    async def cut(self, author: str, cursor: int) -> None:
        self.centre.world.say("spam", author=author)
        self.centre.tell()
        await self.centre.acked(cursor)

    async def figure(self, name: str) -> float:
        async with httpx.AsyncClient(trust_env=False) as client:
            said = (await client.get(f"http://127.0.0.1:{self.gate.port}/metrics")).text
        found = re.findall(rf"^comity_gate_{re.escape(name)} (\S+)", said, re.MULTILINE)
        return float(found[0]) if found else 0.0

    async def counted(self, alarm: str, more_than: float = 0) -> float:
        """Wait for an alarm of this sort."""
        async with asyncio.timeout(PATIENCE):
            while (count := await self.figure(f'events_total{{kind="alarm {alarm}"}}')) <= more_than:
                await asyncio.sleep(0.02)
        return count

    async def reach(self) -> tuple[bool, bool]:
        """Whether ann does, and bob."""
        place = f"{WORLD}2", OTHER
        return await self.net.ann.reaches(*place), await self.net.bob.reaches(*place)


Story = Callable[[Router], Awaitable[None]]


def clock(apart: timedelta = timedelta()) -> Callable[[], datetime]:
    began = datetime.now(UTC)
    return lambda: NOW + timedelta(minutes=1) + (datetime.now(UTC) - began) + apart


def called(world: Watched, account: str, handle: str) -> None:
    given = HandleGiven(account=AccountId(account), at=NOW, channel=Channel("posts"), handle=handle, since=NOW)
    world.proceedings.note(given)


def record() -> Watched:
    world = Watched(ROW)
    world.log.files["vkey"] = f"{KEY.verifier}\n".encode()
    called(world, "ann", f"{LAN}2")
    called(world, "bob", f"{LAN}3")
    return world


@asynccontextmanager
async def routing(folder: Path, net: Network, *more: str) -> AsyncIterator[Router]:
    world = record()
    world.say("spam")
    async with (
        await asyncio.start_server(echo, sock=net.world.listening(f"{WORLD}2", OTHER)),
        serving(world, clock()) as centre,
        running(folder, centre.url, *WAY, *more, kind="network") as gate,
    ):
        await centre.acked(2)
        await refused(net.ann)
        await opened(net.bob)
        yield Router(centre, gate, net)


def tell(folder: Path, story: Story, *more: str) -> None:
    if why := missing():
        pytest.skip(why)

    async def told(net: Network) -> None:
        async with routing(folder, net, *more) as router:
            await story(router)

    with network() as net:
        asyncio.run(told(net))


def test_garbage_an_empty_snapshot_and_another_centre_free_no_address(tmp_path: Path) -> None:
    async def story(router: Router) -> None:
        centre = router.centre
        for number, spoilt in enumerate((b'{"seq":3,"row":', b"\x00\xff{garbage\n")):
            centre.spoil = once(spoilt)
            await router.cut(f"eve{number}", 4 + 2 * number)
            assert await router.reach() == (False, True)
        centre.snapshot = lambda content: content[: content.index(b"[{") + 1] + b"]}"
        centre.world.feed.changes = gone
        before = await router.counted("feed")
        centre.status = 503
        centre.tell()
        before = await router.counted("feed", before)
        centre.status = 200
        await router.counted("feed", before + 1)
        assert await router.reach() == (False, True)
        other = record()
        other.say("spam", author="bob")
        centre.world, centre.snapshot = Elsewhere(other), lambda content: content
        await refused(router.net.bob)
        await router.counted("kept")
        assert await router.reach() == (False, False)

    tell(tmp_path, story)


def test_an_address_that_was_cut_off_without_a_proof_is_opened_by_the_kernel_itself(tmp_path: Path) -> None:
    async def story(router: Router) -> None:
        router.centre.spoil = router.centre.snapshot = lambda text: re.sub(
            rb'"opening":\{[^}]*\}', b'"opening":null', text
        )
        await router.cut("bob", 4)
        await refused(router.net.bob)
        await router.counted("no proof")
        router.centre.status = 503
        router.centre.tell()
        await opened(router.net.bob)
        assert await router.reach() == (False, True)

    tell(tmp_path, story, "--grace", "6")


def test_clocks_that_are_apart_end_cuts_in_the_kernel_by_the_centres(tmp_path: Path) -> None:
    async def story(router: Router) -> None:
        router.centre.now = clock(timedelta(seconds=7))
        await router.counted("clock")
        assert await router.reach() == (False, True)
        router.centre.now = clock(timedelta(minutes=31))
        await opened(router.net.ann)
        assert await router.reach() == (True, True)

    tell(tmp_path, story)


def test_a_damaged_folder_and_the_key_of_a_new_log_open_no_address(tmp_path: Path) -> None:
    async def story(router: Router) -> None:
        folder = tmp_path / "gate"
        await damage(folder)
        await router.gate.end(signal.SIGKILL)
        (folder / "vkey").write_text(f"{ELSEWHERE.verifier}\n")
        router.centre.status = 503
        async with running(tmp_path, router.centre.url, *WAY, kind="network") as gate:
            again = Router(router.centre, gate, router.net)
            await again.counted("disk")
            assert await again.reach() == (False, True), "what is in the kernel holds"
            router.centre.status = 200
            await again.cut("bob", 4)
            for each in (router.net.bob, router.net.ann):  # soon: the centre's clock is of last summer
                await refused(each)
            assert await again.figure("unproven_entries") > 0
            await trust(folder)
            async with asyncio.timeout(PATIENCE):
                while await again.figure("unproven_entries"):
                    await asyncio.sleep(0.02)
            assert await again.reach() == (False, False)

    tell(tmp_path, story)


def test_a_full_disk_and_a_blocked_witness_open_no_address_whose_cut_was_proven(tmp_path: Path) -> None:
    """The gate is started anew between, while its disk is still full."""
    policy = tmp_path / "policy"

    async def story(router: Router) -> None:
        fill_up(tmp_path / "gate")
        for number in range(60):  # what is left of the journal's last page
            router.centre.world.say("spam", author=f"eve{number}" * 50)
        await router.cut("bob", 124)
        await router.counted("disk")
        assert await router.reach() == (False, False)
        await router.gate.end(signal.SIGKILL)
        assert await router.reach() == (False, False)
        policy.write_text(POLICY)
        asked = ("--policy", str(policy), "--grace", "4")
        async with running(tmp_path, router.centre.url, *WAY, *asked, kind="network") as gate:
            again = Router(router.centre, gate, router.net)
            await again.counted("no proof")
            await refused(router.net.bob)
            await opened(router.net.bob)
            assert await router.reach() == (False, True)

    if why := missing():
        pytest.skip(why)
    with small_disk(tmp_path / "gate"):
        tell(tmp_path, story)
