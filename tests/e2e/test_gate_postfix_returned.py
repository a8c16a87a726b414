"""Mail that waited and was refused returns to its sender with the reason and the link, once, whoever is killed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from pathlib import Path

import pytest
from msgspec.structs import replace
from real_postfix import PATIENCE, ROOT, Came, Postfix, mailbox, postfix, snippets
from test_gate_postfix_content import Site, record, tell

sys.path.append(str(ROOT / "tests" / "unit"))

from test_gate_process import Process

from comity.gates.envelope import envelope
from comity.gates.held import Become, Fate, Waits
from comity.gates.mail_queue import MailQueue

__all__ = ["record"]

RETURNED = "Your mail was refused"
HEAD = b"From: Bob <bob@example.org>\r\nMessage-ID: <1@client>\r\nDate: Mon, 01 Jun 2026 12:00:00 +0000\r\n"
STEP = """\
name=$1 folder=$2; shift 2
stop() { if [ -e "$folder/$1-$name" ]; then echo "$1-$name" $$ >"$folder/reached"; read _ <"$folder/go"; fi; }
stop before; "$@"; code=$?; stop after; exit $code
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Postfix]:
    with postfix(*snippets()) as running:
        (running.folder / "queue" / "comity").mkdir()
        yield running


def parts(came: Came) -> tuple[Message, str, list[Message], Message]:
    """The report, what it says to people, what of whom to programs, and the original's headers."""
    whole = message_from_bytes(came.mail.replace(b"\r\n", b"\n"), policy=policy.default)
    assert whole.get_content_type() == "multipart/report"
    said, status, head = whole.iter_parts()
    assert isinstance(said, EmailMessage)
    assert isinstance(head, EmailMessage)
    blocks = status.get_payload()
    assert isinstance(blocks, list)
    return whole, said.get_content(), blocks, message_from_bytes(head.get_content().encode(), policy=policy.default)


async def is_empty(site: Site) -> None:
    async with asyncio.timeout(PATIENCE):
        while await asyncio.to_thread(site.server.queue):
            pass


SILENT = (
    (b"<>", b""),
    (b"<owner-talk@example.org>", b""),
    (b"<bob@example.org>", b"Precedence: list\r\n"),
    (b"<bob@example.org>", b"Auto-Submitted: auto-replied\r\n"),
)
"""Who gets no report: senders, and what is in their headers."""
QUOTED = b'<"Bob, B."@example.org>'


def test_a_mail_that_is_refused_returns_once_with_the_clause_and_the_link_to_who_would_read_it(
    server: Postfix, record: Path
) -> None:
    hostile = (
        HEAD
        + b"Subject: =?utf-8?q?a=0D=0ABcc:_eve=40example.com?= Gr\xc3\xbc\xc3\x9fe \xff\r\n"
        + b"Bcc: hidden@example.com\r\n"
        + b"X-Long: " + b"x" * 3000 + b"\r\n"
        + b"X-Many: " + b"y" * 60_000 + b"\r\n"
        + b"Content-Type: multipart/report; boundary=eve\r\n\r\nOther, and my SECRET.\r\n"
    )  # fmt: skip
    to = (b"<eve@example.com>", b"<kim@example.com> ORCPT=rfc822;Kim+40example.com", b"<joe@x.org> NOTIFY=NEVER")

    async def story(site: Site) -> None:
        async with site.record.serving(), site.gate(), server.session(b"bob") as bob:
            assert await bob.give(hostile, b"<bob@example.org> ENVID=number+3D1", to) == 250
            for number, (sender, more) in enumerate(SILENT):
                assert await bob.give(b"%sSubject: %d\r\n%s\r\nOther." % (HEAD, number, more), sender) == 250
            assert await bob.give(HEAD + b"\r\nOther.", b"<bob@example.org>", to[2:]) == 250
            assert await bob.give(HEAD + b"Subject: quoted\r\n\r\nOther.", QUOTED) == 250
            assert [each["queue_name"] for each in server.queue()] == ["hold"] * 7
            await site.decide("--confirm", "--clause", "other")
            await is_empty(site)
            await settled(site)
            came, quoted = sorted(site.box.mails, key=lambda each: each.to, reverse=True)
            assert (quoted.sender, quoted.to, parts(quoted)[0]["To"]) == (b"", (QUOTED[1:-1],), QUOTED[1:-1].decode())
            assert (came.sender, came.to) == (b"", (b"bob@example.org",))
            whole, said, (about, *outcomes), head = parts(came)
            assert (whole["To"], whole["Auto-Submitted"], whole["Bcc"]) == ("bob@example.org", "auto-replied", None)
            assert (whole["In-Reply-To"], about["Reporting-MTA"]) == ("<1@client>", "dns; mail.example.org")
            assert about["Original-Envelope-Id"] == "number=1"
            found = re.search(r"Why, and how to appeal: (http://127\.0\.0\.1:\d+/r/\S+)\n", said)
            assert found, said
            assert "  Clause: other\n" in said
            assert [each["Final-Recipient"] for each in outcomes] == [
                f"rfc822; {x}@example.com" for x in ("eve", "kim")
            ]
            assert [each["Original-Recipient"] for each in outcomes] == [None, "rfc822; Kim@example.com"]
            assert {(each["Action"], each["Status"]) for each in outcomes} == {("failed", "5.7.1")}
            why = f"This mail breaches the agreement. Why, and how to appeal: {found[1]} (clause: other)"
            assert {each["Diagnostic-Code"] for each in outcomes} == {f"smtp; 550 5.7.1 {why}"}
            assert (head["From"], head["Bcc"], head["X-Many"]) == ("Bob <bob@example.org>", None, None)
            assert len(head["X-Long"].replace(" ", "")) == 3000
            assert b"SECRET" not in came.mail
            assert b"hidden@" not in came.mail
            assert all(len(each) <= 998 for each in came.mail.split(b"\r\n"))

    tell(server, record, story)


class Stops:
    """Where a gate's next call of one of Postfix's commands stops, before or after it was done."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "step.sh").write_text(STEP)
        for name in ("go", "reached"):
            os.mkfifo(folder / name)
        self._reached = os.open(folder / "reached", os.O_RDWR | os.O_NONBLOCK)
        self.before = f"/bin/sh {folder}/step.sh NAME {folder}"

    def close(self) -> None:
        os.close(self._reached)

    def at(self, point: str) -> None:
        (self._folder / point).touch()

    async def reached(self, point: str) -> int:
        """The process that stopped there."""
        loop, told = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._reached, told.set)
        try:
            async with asyncio.timeout(2 * PATIENCE):
                await told.wait()
        finally:
            loop.remove_reader(self._reached)
        name, pid = os.read(self._reached, 100).decode().split()
        assert name == point
        (self._folder / point).unlink()
        return int(pid)

    def go_on(self) -> None:
        (self._folder / "go").write_text("\n")


def test_whoever_is_killed_at_whatever_step_the_report_comes_once(
    server: Postfix, record: Path, tmp_path: Path
) -> None:
    stops = Stops(tmp_path)

    async def killed(gate: Process, point: str) -> None:
        pid = await stops.reached(point)
        await gate.end(signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)

    async def story(site: Site) -> None:
        stops.at("before-sendmail")
        async with site.record.serving() as centre:
            async with site.gate(before=stops.before) as gate:
                assert await site.sends(b"bob", "returns", "Quite other.") == 250
                await site.decide("--confirm", "--clause", "other")
                await killed(gate, "before-sendmail")
            await centre.end(signal.SIGKILL)
        stops.at("after-sendmail")
        async with site.gate(before=stops.before) as gate:
            await stops.reached("after-sendmail")
            await gate.end(signal.SIGKILL)  # and not what has handed the report over
        stops.at("before-postsuper")
        async with site.gate(before=stops.before) as gate:
            assert gate.process.stderr is not None
            async with asyncio.timeout(PATIENCE):
                while b"still being handed over" not in await gate.process.stderr.readline():
                    pass
            stops.go_on()
            await killed(gate, "before-postsuper")
        assert [each["queue_name"] for each in server.queue()].count("hold") == 1
        async with site.gate(before=stops.before):
            await is_empty(site)
            await settled(site)
        assert site.box.came == [RETURNED]

    with closing(stops):
        tell(server, record, story)


async def settled(site: Site) -> None:
    """Nothing is left to do."""
    async with asyncio.timeout(PATIENCE):
        while any((site.record.folder / "gate" / "held").glob("*.*")):
            await asyncio.sleep(0)


def test_a_mail_that_has_another_ones_queue_id_is_left_alone(tmp_path: Path) -> None:
    """Postfix itself holds all mail here; its ids are short ones, which it uses again."""
    with postfix("enable_long_queue_ids = no\nsmtpd_sender_restrictions = static:HOLD\n") as server:
        conf = f"{server.folder}/conf"
        queue = MailQueue(
            folder=tmp_path,
            postqueue=("/usr/sbin/postqueue", "-c", conf),
            postsuper=("/usr/sbin/postsuper", "-c", conf),
            sendmail=("/usr/sbin/sendmail", "-C", conf),
        )

        async def told() -> None:
            async with mailbox(server.mailbox) as box, server.session(b"bob") as bob:
                assert await bob.send("waits", sender=b"bob@example.org") == 250
                (queued,) = server.queue()
                mail = envelope([b"<bob@example.org>"], [[b"<bob@example.com>"]], [HEAD], b"mail.example.org")
                now = datetime.now(UTC)
                fate = Fate(become=Become.REFUSED, at=now, clauses=("other",), link="https://example.org/r/1")
                one = Waits(name=str(queued["queue_id"]), message="1", since=now, mail=mail)
                assert not await queue.settle(replace(one, since=now - timedelta(hours=1)), fate)
                with pytest.raises(OSError, match=r"is from bob@example\.org"):
                    await queue.settle(replace(one, mail=replace(mail, sender="ann@example.org")), fate)
                assert (server.queue(), box.came) == ([queued], [])
                assert await queue.settle(one, fate)
                await box.has(RETURNED)
                assert box.mails[0].to == (b"bob@example.org",)
                async with asyncio.timeout(PATIENCE):
                    while await asyncio.to_thread(server.queue):
                        pass
                assert box.came == [RETURNED]

        asyncio.run(told())
