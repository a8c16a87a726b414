"""Mail while something is broken between the `postfix` gate and its centre: nobody is freed by it, nor cut off."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from operator import add
from pathlib import Path

import httpx
import pytest
from real_postfix import PATIENCE, ROOT, Postfix, free_ports, postfix, snippets
from test_gate_postfix import CHANGES_OF_A_CUT, Told, tell

sys.path.append(str(ROOT / "tests" / "unit"))

from gate_centre import ELSEWHERE, damage, trust
from test_flow_feed import Watched, encode_snapshot
from test_flow_record import KEY
from test_gate_following import Elsewhere, gone, once

from comity.ledger.cosignature import CosigningKey

SPOILT = (
    b'{"seq":1,"row":',
    b"<html>502 Bad Gateway</html>\n",
    b"\xff\xfe\n",
    b'{"seq":9999,"row":1,"account":null,"channel":null}\n',
    b"x" * (1 << 20) + b"xx",
)
WITNESS = CosigningKey(name="witness.example.org", seed=b"w" * 32)


@pytest.fixture(scope="module")
def server() -> Iterator[Postfix]:
    policy, *_ = snippets()
    with postfix(policy.replace("timeout=5s", "timeout=1s")) as running:
        yield running


async def codes(told: Told, *logins: str) -> list[int]:
    """What each gets who sends a mail."""
    found = []
    for login in logins:
        async with told.server.session(login.encode()) as session:
            found.append(await told.send(session, sender=f"{login}@example.org".encode()))
    return found


class Figures:
    """What a gate says of itself."""

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self.options = ("--figures", f"127.0.0.1:{self.port}")

    async def value(self, name: str) -> float:
        async with httpx.AsyncClient(trust_env=False) as client:
            page = (await client.get(f"http://127.0.0.1:{self.port}/metrics")).text
        found = re.search(rf"^comity_gate_{re.escape(name)} (\S+)$", page, re.MULTILINE)
        return float(found[1]) if found else 0

    @asynccontextmanager
    async def alarms(self, kind: str, count: int = 1) -> AsyncIterator[None]:
        """Something that brings so many of them; waits for them."""
        name = f'events_total{{kind="alarm {kind}"}}'
        before = await self.value(name)
        yield
        async with asyncio.timeout(PATIENCE):
            while await self.value(name) < before + count:
                pass


def test_garbage_and_lost_changes_cut_and_free_nobody_for_long(server: Postfix, tmp_path: Path) -> None:
    async def story(told: Told) -> None:
        figures = Figures()
        async with told.gate(*figures.options):
            for number, spoilt in enumerate(SPOILT):
                told.centre.spoil = once(spoilt)
                await told.cut(f"eve{number}")
                assert await codes(told, f"eve{number}", "bob") == [550, 250]
            told.centre.spoil = lambda line: line.replace(b'"state":"cut"', b'"state":"limited"')
            async with figures.alarms("digest"):
                told.centre.world.say("spam")
                told.centre.tell()
            told.centre.spoil = lambda line: line
            async with asyncio.timeout(PATIENCE):
                while await codes(told, "ann") != [550]:
                    pass
            assert await codes(told, "eve0", "bob") == [550, 250]

    tell(server, tmp_path, story)


def test_a_broken_database_a_backup_and_another_centre_free_nobody(server: Postfix, tmp_path: Path) -> None:
    async def story(told: Told) -> None:
        centre, figures = told.centre, Figures()
        async with told.gate(*figures.options):
            before = encode_snapshot(centre.world.feed.snapshot())
            await told.cut()
            centre.world.feed.changes = gone  # so that it asks for a snapshot
            for snapshot in (lambda content: content[: content.index(b"[{") + 1] + b"]}", lambda _: before):
                async with figures.alarms("feed"):
                    centre.snapshot, centre.status = snapshot, 503
                    centre.tell()
                async with figures.alarms("feed", 2):
                    centre.status = 200
                assert await codes(told, "ann", "bob") == [550, 250]
            other = Watched("| 1 | suspend | all | 90 years |")
            other.say("spam", author="bob")
            async with figures.alarms("kept"):
                centre.world, centre.snapshot = Elsewhere(other), lambda content: content
            assert await codes(told, "ann", "bob", "joe") == [550, 550, 250]

    tell(server, tmp_path, story)


def test_what_is_not_proven_cuts_nobody_off_and_what_was_holds(server: Postfix, tmp_path: Path) -> None:
    async def story(told: Told) -> None:
        lines, figures = list[bytes](), Figures()

        def seen(line: bytes) -> bytes:
            lines.append(line)
            return line

        told.centre.spoil = seen
        async with told.gate("--grace", "0", *figures.options):
            await told.cut()
            proof, *_ = re.findall(rb'"proof":"[^"]*"', b"".join(lines))
            told.centre.spoil = lambda line: re.sub(rb'"proof":"[^"]*"', lambda _: proof, line)
            await told.cut("bob")
            assert await codes(told, "ann", "bob") == [550, 250]
            assert await figures.value('events_total{kind="alarm no proof"}') == CHANGES_OF_A_CUT
        told.centre.spoil = lambda line: line
        policy = tmp_path / "policy"
        policy.write_text(f"log {KEY.verifier}\nwitness one {WITNESS.cosigner}\nquorum one\n")
        async with told.gate("--grace", "0", "--policy", str(policy)):
            await told.cut("joe")
            assert await codes(told, "ann", "joe", "kim") == [550, 250, 250]

    tell(server, tmp_path, story)


def test_a_clock_that_is_seconds_or_minutes_wrong_changes_nothing(server: Postfix, tmp_path: Path) -> None:
    async def story(told: Told) -> None:
        figures, start = Figures(), told.centre.now()
        async with told.gate(*figures.options):
            await told.cut()
            before = await figures.value("clock_offset_seconds")
            for apart in (timedelta(seconds=3), timedelta(minutes=7)):
                told.centre.now = partial(add, start, apart)
                async with asyncio.timeout(PATIENCE):  # the clock of this centre stands, so it falls behind again
                    while await figures.value("clock_offset_seconds") < before + apart.total_seconds() / 6:
                        pass
                assert await codes(told, "ann", "bob") == [550, 250]
            assert await figures.value('events_total{kind="alarm clock"}') > 0

    tell(server, tmp_path, story)


def test_a_damaged_folder_and_the_key_of_a_new_log_free_nobody(server: Postfix, tmp_path: Path) -> None:
    async def story(told: Told) -> None:
        folder, figures = tmp_path / "gate", Figures()
        async with told.gate() as gate:
            await told.cut()
            await damage(folder)
            await gate.end(signal.SIGKILL)
        (folder / "vkey").write_text(f"{ELSEWHERE.verifier}\n")
        told.centre.status = 503
        async with told.gate(*figures.options):
            assert await codes(told, "ann", "bob") == [450, 450], "it knows nothing, and says so"
            assert await figures.value('events_total{kind="alarm disk"}') == 1
            told.centre.status = 200
            async with asyncio.timeout(PATIENCE):
                while await codes(told, "ann") != [550]:
                    pass
            assert await figures.value("unproven_entries") == CHANGES_OF_A_CUT
            await trust(folder)
            async with asyncio.timeout(PATIENCE):
                while await figures.value("unproven_entries"):
                    pass
            assert await codes(told, "ann", "bob") == [550, 250]

    tell(server, tmp_path, story)
