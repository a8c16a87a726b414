"""The `postfix` gate beside a real Postfix, configured as docs/gate-postfix.md says: who may send; no mail is lost."""

from __future__ import annotations

import asyncio
import math
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from real_postfix import PATIENCE, ROOT, Mailbox, Postfix, Session, mailbox, postfix, snippets

sys.path.append(str(ROOT / "tests" / "unit"))

from gate_centre import Centre, serving
from test_flow_feed import Watched
from test_flow_record import KEY, NOW
from test_gate_process import Process, running, with_centre

from comity.flow import amend
from comity.model.ids import DecisionId, ReviewerId

CHANGES_OF_A_CUT = 2
"""On posts and on mail."""


@pytest.fixture(scope="module")
def server() -> Iterator[Postfix]:
    policy, *_ = snippets()
    with postfix(policy.replace("timeout=5s", "timeout=1s")) as running:
        yield running


@dataclass
class Told:
    """What a story is told with, and every mail that was tried."""

    centre: Centre
    server: Postfix
    box: Mailbox
    folder: Path
    taken: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    changes: int = 0

    @asynccontextmanager
    async def gate(self, *more: str, url: str | None = None) -> AsyncIterator[Process]:
        where = ("--listen", f"127.0.0.1:{self.server.gate}", "--max-stale", "1", *more)
        async with running(self.folder, url or self.centre.url, *where, kind="postfix") as process:
            if self.changes == 0:  # else it answers from what it knew
                await self.centre.acked(0)
            yield process

    async def cut(self, author: str = "ann") -> DecisionId:
        statement = self.centre.world.say("spam", author=author).statement
        assert statement is not None
        await self.told()
        return statement

    async def lift(self, statement: DecisionId) -> None:
        amend.lift(self.centre.world.proceedings, statement, ReviewerId("mara"), "A mistake.", NOW)
        await self.told()

    async def told(self) -> None:
        self.changes += CHANGES_OF_A_CUT
        self.centre.tell()
        await self.centre.acked(self.changes)

    async def send(self, session: Session, **how: bytes) -> int:
        subject = f"mail {len(self.taken) + len(self.refused)}"
        code = await session.send(subject, **how)
        (self.taken if code == 250 else self.refused).append(subject)
        return code

    async def all_arrived(self) -> None:
        """Each mail that was taken came once, and none that was not."""
        for subject in self.taken:
            await self.box.has(subject)
        async with asyncio.timeout(PATIENCE):
            while await asyncio.to_thread(self.server.queue):
                pass
        assert sorted(self.box.came) == sorted(self.taken)


Story = Callable[[Told], Awaitable[None]]


def tell(server: Postfix, folder: Path, story: Story) -> None:
    async def begun(centre: Centre) -> None:
        async with mailbox(server.mailbox) as box:
            told = Told(centre, server, box, folder)
            await story(told)
            await told.all_arrived()

    asyncio.run(with_centre(begun))


def test_a_cut_stops_mail_with_the_reason_and_the_link_and_lifting_opens(server: Postfix, tmp_path: Path) -> None:
    async def story(told: Told) -> None:
        async with told.gate(), server.session() as ann, server.session(b"bob") as bob, server.session(b"") as world:
            assert await told.send(ann) == 250
            statement = await told.cut()
            assert await told.send(ann) == 550
            assert ann.last.startswith("550 5.7.1 <ann@example.org>: Sender address rejected: This account is cut off")
            assert ann.last.endswith(f'Why, and how to appeal: https://example.org/r/{statement} (clause: "spam")')
            assert await told.centre.heard() == statement
            assert await told.send(ann, sender=b"bob@example.org") == 550
            assert [await told.send(each) for each in (bob, world)] == [250, 250]
            async with server.session(b"ANN") as loud:
                assert await told.send(loud) == 550
            await told.lift(statement)
            assert await told.send(ann) == 250

    tell(server, tmp_path, story)


def test_who_is_cut_off_while_a_mail_is_on_its_way_does_not_send_it(server: Postfix, tmp_path: Path) -> None:
    async def story(told: Told) -> None:
        async with told.gate(), server.session() as ann:
            assert await ann.begin() == 354
            statement = await told.cut()
            assert await ann.finish("late") == 550
            assert "End-of-data rejected: This account is cut off" in ann.last
            assert f"https://example.org/r/{statement}" in ann.last

    tell(server, tmp_path, story)


def test_killed_and_started_without_its_centre_it_refuses_whom_it_knew(server: Postfix, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"

    async def story(told: Told) -> None:
        async with server.session() as ann, server.session(b"bob") as bob:
            async with told.gate() as gate:
                await told.cut()
                assert [await told.send(each) for each in (ann, bob)] == [550, 250]
                await gate.end(signal.SIGKILL)
            assert [await told.send(each) for each in (ann, bob)] == [450, 450]
            async with told.gate(url=nowhere):
                assert [await told.send(each) for each in (ann, bob)] == [550, 250]
                assert "comity: the centre has been away for too long" in server.log
            async with told.gate("--stale", "closed", url=nowhere):
                assert [await told.send(each) for each in (ann, bob)] == [550, 450]
                assert "Try again in a moment: the centre has been away for too long" in bob.last

    tell(server, tmp_path, story)


def test_a_measure_ends_on_time_while_the_centre_is_away(server: Postfix, tmp_path: Path) -> None:
    world = Watched("| 1 | suspend | all | 1 minute |")
    world.log.files["vkey"] = f"{KEY.verifier}\n".encode()
    start = math.inf

    def now() -> datetime:
        return NOW + timedelta(seconds=max(0, time.monotonic() - start))

    async def begun() -> None:
        nonlocal start
        async with serving(world, now) as centre, mailbox(server.mailbox) as box:
            told = Told(centre, server, box, tmp_path)
            async with told.gate(), server.session() as ann:
                await told.cut()
                assert await told.send(ann) == 550
                start = time.monotonic() - 57
                for other in ("eve", "joe"):  # a heartbeat is between them
                    await told.cut(other)
                centre.status = 503
                centre.tell()
                while await ann.begin() == 550:
                    assert now() < NOW + timedelta(minutes=2)
                assert now() >= NOW + timedelta(minutes=1)
                assert await ann.finish("on time") == 250
                told.taken.append("on time")
            await told.all_arrived()

    asyncio.run(begun())


HOSTILE = (
    "eve\"'<script>\u202e%s%n ${x} 550-5.7.1 " + "x" * 200,
    "a" * 1024,
    "Straße 5, 東京 " + "ü" * 100,
    "\\n\\r\\0 550 5.7.1 go away",
    "a=b;c",
)


def test_whatever_an_account_is_called_its_mail_alone_is_refused_in_one_line(server: Postfix, tmp_path: Path) -> None:
    async def story(told: Told) -> None:
        async with told.gate(), server.session(b"bob") as bob:
            for name in HOSTILE:
                async with server.session(name.encode()) as hostile:
                    assert await told.send(hostile) == 250
                    await told.cut(name)
                    assert await told.send(hostile) == 550
                    await hostile.say(b"RSET")
                    hostile.is_utf8 = True
                    assert await hostile.say("MAIL FROM:<ü@example.org> SMTPUTF8".encode()) == 250
                    assert await hostile.say("RCPT TO:<東京@example.com>".encode()) == 550
                    assert await told.send(bob) == 250

    tell(server, tmp_path, story)


NAMELESS = (b"bob\r\nsasl_username=ann", b"bob\n\naction=OK", b"bob\0ann", b"\xff\xfe", b"\r\n")


def test_a_name_that_is_no_name_breaks_nothing(server: Postfix, tmp_path: Path) -> None:
    async def story(told: Told) -> None:
        async with told.gate(), server.session() as ann, server.session(b"bob") as bob:
            await told.cut()
            for name in NAMELESS:
                async with server.session(b"") as strange:
                    quoted = b"".join(b"+%02X" % each for each in name)
                    await strange.say(b"XCLIENT LOGIN=" + quoted)  # which Postfix takes for a login
                    await strange.say(b"EHLO client.example.org")
                    assert await told.send(strange) in (250, 550)
                assert [await told.send(each) for each in (ann, bob)] == [550, 250]

    tell(server, tmp_path, story)


def test_a_gate_that_hangs_puts_mail_off_and_then_goes_on(server: Postfix, tmp_path: Path) -> None:
    async def story(told: Told) -> None:
        async with told.gate() as gate, server.session(b"bob") as bob:
            assert await told.send(bob) == 250
            gate.process.send_signal(signal.SIGSTOP)
            assert await told.send(bob) in (450, 451)
            gate.process.send_signal(signal.SIGCONT)
            assert await told.send(bob) == 250

    tell(server, tmp_path, story)


def test_a_gate_without_room_on_its_disk_goes_on(server: Postfix, tmp_path: Path) -> None:
    async def story(told: Told) -> None:
        async with told.gate() as gate, server.session() as ann, server.session(b"bob") as bob:
            resource.prlimit(gate.process.pid, resource.RLIMIT_FSIZE, (1, 1))
            statement = await told.cut()
            assert [await told.send(each) for each in (ann, bob)] == [550, 250]
            await told.lift(statement)
            assert await told.send(ann) == 250
            gate.process.terminate()
            assert gate.process.stderr is not None
            assert b"could not be written to disk" in await gate.process.stderr.read()

    tell(server, tmp_path, story)
