"""What can go wrong between a centre and its gate, seen by who posts through a real nginx: docs/gates.md says each.

ann is cut off, bob is free. Whatever happens, ann is not let in by it, and bob is not shut out for good.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path

import httpx
import msgspec
import pytest
from test_gate_web_servers import Web, demand, web

sys.path.append(str(Path(__file__).parents[1] / "unit"))

from gate_centre import ELSEWHERE, PATIENCE, Centre, damage, serving, trust
from test_flow_feed import Watched, encode_snapshot
from test_flow_record import KEY, NOW
from test_gate_following import Elsewhere, gone
from test_gate_process import Process, running

from comity.ledger.cosignature import CosigningKey
from comity.ledger.feed import FeedSnapshot, decode_snapshot

WITNESS = CosigningKey(name="w1.example", seed=b"w" * 32)
POLICY = f"log {KEY.verifier}\nwitness w1 {WITNESS.cosigner}\nquorum w1\n"
AWAY = "http://127.0.0.1:9"


@dataclass
class Outage:
    """A centre, its gate, and nginx before a forum."""

    centre: Centre
    gate: Process
    front: Web

    async def statuses(self) -> tuple[int, int]:
        return (await self.front.post("ann")).status_code, (await self.front.post("bob")).status_code

    async def become(self, ann: int, bob: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.statuses() != (ann, bob):
                await asyncio.sleep(0.02)

    async def figure(self, name: str) -> float:
        async with httpx.AsyncClient(trust_env=False) as client:
            said = (await client.get(f"http://127.0.0.1:{self.gate.port}/metrics")).text
        found = re.findall(rf"^comity_gate_{re.escape(name)} (\S+)", said, re.MULTILINE)
        return float(found[0]) if found else 0.0

    async def counted(self, kind: str) -> None:
        """Wait for an event of this kind."""
        async with asyncio.timeout(PATIENCE):
            while not await self.figure(f'events_total{{kind="{kind}"}}'):
                await asyncio.sleep(0.02)

    async def cut(self, author: str, cursor: int) -> None:
        self.centre.world.say("spam", author=author)
        self.centre.tell()
        await self.centre.acked(cursor)


def clock(apart: timedelta = timedelta()) -> Callable[[], datetime]:
    """The centre's, `apart` from what it was: the statements of its world are of last summer, and so is it."""
    began = datetime.now(UTC)
    return lambda: NOW + timedelta(minutes=1) + (datetime.now(UTC) - began) + apart


Story = Callable[[Outage], Awaitable[None]]


def tell(
    folder: Path, story: Story, *more: str, now: Callable[[], datetime] | None = None, row: str = "90 years"
) -> None:
    """ann is cut off, and the gate knows; then the story."""
    demand("nginx")

    async def told() -> None:
        world = Watched(f"| 1 | suspend | all | {row} |")
        world.log.files["vkey"] = f"{KEY.verifier}\n".encode()
        world.say("spam")
        async with serving(world, now or clock()) as centre, attached(folder, centre, centre.url, *more) as outage:
            await centre.acked(2)
            await outage.become(403, 201)
            await story(outage)

    asyncio.run(told())


@asynccontextmanager
async def attached(folder: Path, centre: Centre, url: str, *more: str) -> AsyncIterator[Outage]:
    server = folder / f"nginx{len(list(folder.iterdir()))}"
    async with running(folder, url, *more) as gate, web("nginx", server, gate) as front:
        yield Outage(centre, gate, front)


def once(spoilt: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Of what is streamed the next line alone."""
    left = [spoilt]
    return lambda line: left.pop()(line) if left else line


@pytest.mark.parametrize(("stale", "bob"), [("open", 201), ("closed", 503)])
def test_a_centre_that_is_killed_for_long(stale: str, bob: int, tmp_path: Path) -> None:
    async def story(outage: Outage) -> None:
        outage.centre.status = 503
        outage.centre.tell()
        await outage.become(403, bob)
        async with asyncio.timeout(PATIENCE):
            while not await outage.figure("is_stale"):
                await asyncio.sleep(0.02)
        assert await outage.statuses() == (403, bob)
        outage.centre.world.say("spam", author="bob")
        outage.centre.status = 200
        await outage.become(403, 403)

    tell(tmp_path, story, "--max-stale", "3", "--stale", stale)


@pytest.mark.parametrize(
    "spoilt", [lambda line: line[: len(line) // 2], lambda _: b"\x00\xff{garbage\n", lambda line: line * 2]
)
def test_a_line_of_the_feed_that_is_cut_off_or_garbage_or_told_twice(
    spoilt: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    async def story(outage: Outage) -> None:
        outage.centre.spoil = once(spoilt)
        await outage.cut("bob", 4)
        assert await outage.statuses() == (403, 403)

    tell(tmp_path, story)


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[: content.index(b"[{") + 1] + b"]}",
        lambda content: encode_snapshot(empty(decode_snapshot(content))),
    ],
)
def test_a_snapshot_that_breaks_off_or_is_empty_after_a_fault_frees_nobody(
    spoilt: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    async def story(outage: Outage) -> None:
        outage.centre.snapshot = spoilt
        outage.centre.world.feed.changes = gone
        outage.centre.status = 503
        outage.centre.tell()
        await outage.counted("alarm feed")
        before = await outage.figure('events_total{kind="alarm feed"}')
        outage.centre.status = 200
        async with asyncio.timeout(PATIENCE):
            while await outage.figure('events_total{kind="alarm feed"}') <= before:
                await asyncio.sleep(0.02)
        assert await outage.statuses() == (403, 201)

    tell(tmp_path, story)


def empty(snapshot: FeedSnapshot) -> FeedSnapshot:
    """As a centre would send it whose tables are gone; it still knows what they added up to."""
    return msgspec.structs.replace(snapshot, entries=(), count=0, cursor=0)


def test_a_new_life_of_the_feed_or_another_centre_drops_no_cut(tmp_path: Path) -> None:
    async def story(outage: Outage) -> None:
        other = Watched("| 1 | suspend | all | 90 years |")
        other.say("spam", author="bob")
        outage.centre.world = Elsewhere(other)
        outage.centre.status = 503
        outage.centre.tell()
        await outage.counted("alarm feed")
        outage.centre.status = 200
        await outage.become(403, 403)
        assert await outage.figure("kept_entries") == 2
        await outage.counted("alarm kept")

    tell(tmp_path, story)


def test_the_proof_of_another_account_is_believed_for_the_grace_alone(tmp_path: Path) -> None:
    async def story(outage: Outage) -> None:
        world = outage.centre.world
        (of_ann,) = set(re.findall(rb'"opening":\{[^}]*\}', encode_snapshot(world.feed.snapshot())))
        outage.centre.spoil = outage.centre.snapshot = lambda line: re.sub(rb'"opening":\{[^}]*\}', of_ann, line)
        await outage.cut("bob", 4)
        assert await outage.statuses() == (403, 403)
        await outage.counted("alarm no proof")
        await outage.become(403, 201)
        await outage.counted("alarm unproven")

    tell(tmp_path, story, "--grace", "2")


def test_a_witness_that_is_blocked_frees_nobody_whose_cut_was_proven(tmp_path: Path) -> None:
    policy = tmp_path / "policy"

    async def story(outage: Outage) -> None:
        await outage.gate.end(signal.SIGKILL)
        policy.write_text(POLICY)
        asked = ("--policy", str(policy), "--grace", "2")
        async with attached(tmp_path, outage.centre, outage.centre.url, *asked) as again:
            await again.cut("bob", 4)
            assert await again.statuses() == (403, 403)
            await again.become(403, 201)

    tell(tmp_path, story)


@pytest.mark.parametrize(
    ("apart", "statuses"),
    [(timedelta(seconds=7), (403, 201)), (timedelta(minutes=31), (201, 201))],
)
def test_clocks_that_are_apart_end_measures_by_the_centres(
    apart: timedelta, statuses: tuple[int, int], tmp_path: Path
) -> None:
    async def story(outage: Outage) -> None:
        outage.centre.now = clock(apart)
        await outage.become(*statuses)
        await outage.counted("alarm clock")

    tell(tmp_path, story, row="30 minutes")


def test_a_gate_that_is_slow_makes_its_server_wait_and_nothing_else(tmp_path: Path) -> None:
    async def story(outage: Outage) -> None:
        os.kill(outage.gate.process.pid, signal.SIGSTOP)
        asked = [asyncio.create_task(outage.front.post(who)) for who in ("ann", "bob")]
        _, waiting = await asyncio.wait(asked, timeout=0.5)
        assert len(waiting) == 2
        assert outage.front.posted == ["hello"]
        os.kill(outage.gate.process.pid, signal.SIGCONT)
        assert [answer.status_code for answer in await asyncio.gather(*asked)] == [403, 201]

    tell(tmp_path, story)


def test_a_damaged_folder_and_the_key_of_a_new_log_free_nobody(tmp_path: Path) -> None:
    async def story(outage: Outage) -> None:
        folder = tmp_path / "gate"
        await damage(folder)
        await outage.gate.end(signal.SIGKILL)
        (folder / "vkey").write_text(f"{ELSEWHERE.verifier}\n")
        outage.centre.status = 503
        async with attached(tmp_path, outage.centre, outage.centre.url) as again:
            assert await again.statuses() == (503, 503), "it knows nothing, and says so"
            assert await again.figure('events_total{kind="alarm disk"}') == 1
            outage.centre.status = 200
            await again.become(403, 201)
            assert await again.figure("unproven_entries") > 0
            await trust(folder)
            async with asyncio.timeout(PATIENCE):
                while await again.figure("unproven_entries"):
                    await asyncio.sleep(0.02)
            assert await again.statuses() == (403, 201)

    tell(tmp_path, story)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """256 KB."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def can_mount() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


def fill_up(folder: Path) -> Path:
    """The disk of this folder, with a file that can go again."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        deque(map(file.write, repeat(bytes(4096))), maxlen=0)
    return filler


def test_a_gate_whose_disk_is_full_goes_on_and_writes_down_what_it_knows_when_it_can(tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("a small disk needs root")

    async def story(outage: Outage) -> None:
        filler = fill_up(tmp_path / "gate")
        for number in range(60):  # what is left of the journal's last page
            outage.centre.world.say("spam", author=f"eve{number}" * 50)
        await outage.cut("bob", 124)
        assert await outage.statuses() == (403, 403)
        await outage.counted("alarm disk")
        filler.unlink()
        async with asyncio.timeout(PATIENCE):
            cursor = 124
            while not (tmp_path / "gate" / "base-2").exists():
                cursor += 2
                await outage.cut(f"mal{cursor}", cursor)
                await asyncio.sleep(0.2)
        await outage.gate.end(signal.SIGKILL)
        async with attached(tmp_path, outage.centre, AWAY) as again:
            assert await again.statuses() == (403, 403)

    with small_disk(tmp_path / "gate"):
        tell(tmp_path, story)
