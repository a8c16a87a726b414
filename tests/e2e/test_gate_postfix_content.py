"""Mail judged by what it says: `comity serve`, the `postfix` gate and a real Postfix; what waits; nothing is lost."""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from real_postfix import PATIENCE, ROOT, Mailbox, Postfix, mailbox, postfix, snippets
from test_gate_serve import Record, free_port

sys.path.append(str(ROOT / "tests" / "unit"))

from test_flow_record import agreement_text
from test_gate_process import Process

RULES = agreement_text("| 1 | remove | | |\n| 3 | suspend | mail | 9 days |").replace(
    "{#other}\n\nDo not.\n\n```rule ", "{#other}\n\nDo not.\n\n```rule decide=hold"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Postfix]:
    with postfix(*snippets(), "queue_run_delay = 300s\n") as running:  # nothing is sent by the way
        (running.folder / "queue" / "comity").mkdir()
        yield running


class Site:
    """A record with its centre, and what a mail needs."""

    def __init__(self, record: Record, server: Postfix, box: Mailbox) -> None:
        self.record, self.server, self.box = record, server, box

    @asynccontextmanager
    async def gate(self, *more: str, before: str = "") -> AsyncIterator[Process]:
        """`before`: words before each of Postfix's commands, with NAME for its name."""
        folder, server = self.record.folder, self.server
        commands = list[str]()
        for name, option in (("postqueue", "-c"), ("postsuper", "-c"), ("sendmail", "-C")):
            words = f"{before.replace('NAME', name)} /usr/sbin/{name} {option} {server.folder}/conf"
            commands += (f"--{name}", words.strip())
        milter = server.folder / "queue" / "comity" / "milter.sock"
        where = ("--listen", f"127.0.0.1:{server.gate}", "--folder", str(folder / "gate"), "--milter", f"unix:{milter}")
        tokens = ("--token-file", str(folder / "gate.token"), "--source-token-file", str(folder / "source.token"))
        command = ("gate", "postfix", "--centre", self.record.url, *where, *tokens, *commands, *more)
        async with self.record.running(*command) as process:
            milter.chmod(0o666)
            async with server.session(b"nobody") as probe, asyncio.timeout(PATIENCE):
                while await probe.begin() == 450:  # it was told nothing yet
                    pass
            yield process

    async def sends(self, login: bytes, subject: str, text: str = "Hello.") -> int:
        """A mail over a connection of its own."""
        async with self.server.session(login) as session:
            return await session.send(subject, text=text)

    async def decide(self, *how: str) -> None:
        """A person decides on what waits."""
        (case,) = json.loads(await self.record.comity("cases", "--json"))
        await self.record.comity("case", case["id"], *how, "--by", "mara", "--why", "It is clear.", "--yes")

    async def is_empty(self, queue: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while any(each["queue_name"] == queue for each in await asyncio.to_thread(self.server.queue)):
                pass


Story = Callable[[Site], Awaitable[None]]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with an agreement, and tokens for a gate and a source."""
    folder = tmp_path_factory.mktemp("record")
    (folder / "agreement.md").write_text(RULES)

    async def made() -> None:
        record = Record(folder, 0)
        await record.comity("publish", "agreement.md")
        for role in ("gate", "source"):
            token = json.loads(await record.comity("token", "new", role, "--role", role, "--json"))
            (folder / f"{role}.token").write_text(token["token"])

    asyncio.run(made())
    return folder


def tell(server: Postfix, made: Path, story: Story) -> None:
    async def begun(folder: Path) -> None:
        async with mailbox(server.mailbox) as box:
            await story(Site(Record(folder, free_port()), server, box))

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(begun(shutil.copytree(made, Path(folder) / "record")))


def test_what_is_said_decides_and_what_waits_is_delivered_when_it_is_released(server: Postfix, record: Path) -> None:
    async def story(site: Site) -> None:
        serving, sessions = site.record.serving(), (server.session(), server.session(b"bob"))
        async with serving, site.gate() as gate, sessions[0] as ann, sessions[1] as bob:
            assert await ann.send("fine") == 250
            assert await ann.send("denied", text="This is spam.") == 550
            assert "This mail breaches the agreement. Why, and how to appeal: http://127.0.0.1:" in ann.last
            assert ann.last.endswith("(clause: spam)")
            assert await bob.send("waits", text="Quite other.") == 250
            assert [each["queue_name"] for each in server.queue()] == ["hold"]
            await site.decide("--dismiss")
            await site.box.has("waits")
            await site.is_empty("hold")
            resource.prlimit(gate.process.pid, resource.RLIMIT_FSIZE, (1, 1))  # its disk is full
            assert await bob.send("cannot be kept", text="Other again.") == 451
            assert await bob.send("needs no room") == 250
            await site.box.has("needs no room")
            assert sorted(site.box.came) == ["fine", "needs no room", "waits"]
            assert server.queue() == []

    tell(server, record, story)


def test_no_mail_is_lost_or_judged_twice_while_centre_and_gate_come_and_go(server: Postfix, record: Path) -> None:
    async def story(site: Site) -> None:
        async with site.record.serving() as centre:
            async with site.gate() as gate, server.session(b"bob") as bob:
                assert await site.sends(b"ann", "one") == 250
                assert await site.sends(b"ann", "two", "Some spam.") == 550
                assert await site.sends(b"bob", "waits", "Quite other.") == 250
                assert await bob.begin() == 354
                await gate.end(signal.SIGKILL)
                assert await bob.finish("killed") in (450, 451)
            async with site.gate():
                assert await site.sends(b"bob", "killed") == 250
                await centre.end(signal.SIGKILL)
                assert await site.sends(b"bob", "three") == 451
                assert await site.sends(b"", "from the world") == 250
        async with site.gate("--unjudged", "pass", "--patience", "1"):
            assert await site.sends(b"bob", "three") == 250
        async with site.record.serving(), site.gate():
            await site.decide("--dismiss")
            await site.box.has("waits")
            assert await site.sends(b"ann", "two", "Some spam.") == 550
            await site.is_empty("hold")
            assert await site.sends(b"bob", "waits too long", "Other, other.") == 250
        async with site.gate("--hold", "0"):  # without the centre
            await site.box.has("waits too long")
        taken = ["one", "waits", "killed", "from the world", "three", "waits too long"]
        assert sorted(site.box.came) == sorted(taken)
        said = json.loads(await site.record.comity("standing", "ann", "--json"))
        assert said["points"] == {"measures": 1}

    tell(server, record, story)
