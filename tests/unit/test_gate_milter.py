"""What the `postfix` gate makes of mail that is shown to it, by whomever, and however it is written."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_flow_feed import ROWS, Watched
from test_flow_record import NOW
from test_gate_replica import Gate

from comity.app.gate_mail import read
from comity.app.serve import parse
from comity.gates.content import Judge
from comity.gates.disk import Disk
from comity.gates.envelope import envelope
from comity.gates.following import Centre, Follower
from comity.gates.held import Become, Fate, Held, Waits
from comity.gates.milter import LARGEST_MAIL, MOST_AT_ONCE, Mail, MilterGate, UnreadableError
from comity.gates.milter_wire import CONTINUE, NO_REPLY, packed
from comity.stores.world import FixedClock

ALLOW, HOLD = {"answer": "allow"}, {"answer": "hold", "clauses": ["spam"]}
DENY = {"answer": "deny", "clauses": ["spam"], "statement": "5f" * 16, "link": "https://example.org/r/100%_a"}
PATIENCE = 20.0
QUEUED = "4gQHb72XkzzW"


@dataclass
class Answering:
    """A centre that judges as it is told to, and what it was asked. `events` are told to whoever asks."""

    answer: dict[str, object] = field(default_factory=lambda: ALLOW)
    status: int = 200
    asked: list[dict[str, object]] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)
    open: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode().lower():
                length = next((int(line[16:]) for line in head.splitlines() if line.startswith("content-length: ")), 0)
                body = await reader.readexactly(length)
                if head.startswith("get"):
                    said = msgspec.json.encode({"events": self.events, "next": len(self.events), "is_last": True})
                else:
                    self.asked.append(json.loads(body))
                    said = msgspec.json.encode(self.answer)
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (self.status, len(said), said))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0)


@dataclass
class Shown:
    """A gate that mail is shown to; ann is cut off. `settled`: what Postfix was told to do."""

    gate: MilterGate
    centre: Answering
    port: int
    settled: asyncio.Queue[tuple[Become, str]]

    async def show(self, content: bytes) -> list[bytes]:
        """All replies but that to the offer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(OFFER + content)
        found = []
        async with asyncio.timeout(PATIENCE):
            try:
                writer.write_eof()
                while True:
                    length = int.from_bytes(await reader.readexactly(4))
                    found.append(await reader.readexactly(length))
            except (asyncio.IncompleteReadError, OSError):
                pass
        writer.close()
        return found[1:]

    async def reply(self, mail: bytes, login: bytes = b"bob") -> str:
        """To one whole mail."""
        *_, last = await self.show(shown(mail, login))
        return last.rstrip(b"\0").decode("ascii")


OFFER = packed(b"O", struct.pack(">III", 6, 0x1FF, 0x1FFFFF))
FINE = b"From: Bob <bob@example.org>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nMessage-ID: <1@x>\n\nHello.\r\n"


def macro(command: bytes, **values: bytes) -> bytes:
    named = b"".join(b"%s\0%s\0" % (name.encode(), value) for name, value in values.items())
    return packed(b"D", command + named.replace(b"auth_authen", b"{auth_authen}"))


def shown(mail: bytes, login: bytes = b"bob", to: bytes = b"eve@example.com", queued: bytes = QUEUED.encode()) -> bytes:
    head, _, body = mail.partition(b"\n\n")
    lines = (line.partition(b":") for line in head.split(b"\n") if line)
    return b"".join(
        (
            macro(b"M", auth_authen=login) if login else macro(b"M"),
            packed(b"M", b"<bob@example.org>\0SIZE=1\0"),
            packed(b"R", b"<%s>\0" % to),
            *(packed(b"L", name + b"\0" + value + b"\0") for name, _, value in lines),
            *(packed(b"B", body[start : start + 65_535]) for start in range(0, len(body), 65_535)),
            macro(b"E", i=queued),
            packed(b"E"),
        )
    )


@asynccontextmanager
async def showing(folder: Path, rows: str, author: str) -> AsyncIterator[Shown]:
    told = Gate(Watched(rows))
    told.watched.say("spam", author=author)
    told.load()
    told.follow()
    centre, clock = Answering(), FixedClock(NOW)
    settled = asyncio.Queue[tuple[Become, str]]()

    async def settle(one: Waits, fate: Fate) -> bool:
        settled.put_nowait((fate.become, one.name))
        return True

    with Disk(folder / "gate") as disk:
        async with await asyncio.start_server(centre.serve, "127.0.0.1", 0) as answering:
            url = f"http://127.0.0.1:{answering.sockets[0].getsockname()[1]}"
            follower = Follower(told.replica, disk, Centre(url=url, token="t", gate="mail"), clock)
            held = Held(folder=folder / "held", url=url, token="t", settle=settle, clock=clock, warn=told.replica.warn)
            held.load()
            judge = Judge(url=url, token="t", patience=PATIENCE, warn=told.replica.warn)
            gate = MilterGate(replica=told.replica, follower=follower, clock=clock, judge=judge, read=read, held=held)
            async with await asyncio.get_running_loop().create_server(gate, "127.0.0.1", 0) as server:
                yield Shown(gate, centre, server.sockets[0].getsockname()[1], settled)
            await judge.close()
            await until(lambda: centre.open == 0)


def tell(folder: Path, story: Callable[[Shown], object], rows: str = ROWS, author: str = "ann") -> None:
    async def told() -> None:
        async with showing(folder, rows, author) as site:
            await story(site)
            await until(lambda: site.gate.at_once == 0)

    asyncio.run(told())


def test_the_centre_is_shown_what_is_said_by_whom_and_to_whom(tmp_path: Path) -> None:
    async def story(site: Shown) -> None:
        assert await site.reply(FINE) == "c"
        (asked,) = site.centre.asked
        assert (asked["author"], asked["channel"], asked["to"]) == ("bob", "mail", ["eve@example.com"])
        assert (asked["subject"], asked["text"], asked["sent"]) == ("Grüße", "Hello.", "2026-06-01T12:00:00Z")
        assert asked["meta"]["from"] == "bob@example.org"

    tell(tmp_path, story)


def test_what_the_centre_says_is_what_postfix_is_told(tmp_path: Path) -> None:
    async def story(site: Shown) -> None:
        site.centre.answer = DENY
        said = "This mail breaches the agreement. Why, and how to appeal: https://example.org/r/100%%_a (clause: spam)"
        assert await site.reply(FINE) == f"y550 5.7.1 {said}"
        site.centre.answer = HOLD
        assert await site.show(shown(FINE)) == [b"c", b"qcomity: waits for a decision\0", b"c"]
        site.centre.status = 400
        assert (await site.reply(FINE)).startswith("y550 5.6.0 This mail could not be read")
        for status in (401, 500):
            site.centre.status = status
            site.gate.passes_unjudged = False
            assert await site.reply(FINE) == "y451 4.7.1 This mail cannot be judged now: try again later."
            site.gate.passes_unjudged = True
            assert await site.reply(FINE) == "c"
        site.centre.status, site.centre.answer = 200, HOLD | {"until": "2026-06-01T12:00:00"}  # in no zone: never
        assert await site.reply(FINE) == "c"
        assert site.gate.replica.counts["passed unjudged"] == 3

    tell(tmp_path, story)


def test_who_is_cut_off_is_refused_unasked_and_who_is_nobody_passes_unasked(tmp_path: Path) -> None:
    async def story(site: Shown) -> None:
        assert (await site.reply(FINE, b"ANN")).startswith("y550 5.7.1 This account is cut off")
        assert (await site.show(shown(FINE, b"")))[0] == b"a"
        assert await site.reply(FINE, b"\xff") == "y550 5.7.1 The name that signed in is not UTF-8."
        assert site.centre.asked == []

    tell(tmp_path, story)


HOSTILE = (
    "eve\"'<script>\u202e%s%n ${x} 550-5.7.1 " + "x" * 900,
    "a" * 1024,
    "Straße 5, 東京 " + "ü" * 500,
    "eve\r\n250 2.0.0 Ok",
)
ANSWERS = (
    {"clauses": ["a\r\n250 Ok", "\u202e%n", "x" * 2000], "link": "https://example.org/r/1\r\n250 Ok"},
    {"clauses": ["spam"], "link": "https://example.org/" + "%s" * 100},
)


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_an_account_is_called_the_reply_to_its_mail_is_one_line(tmp_path: Path, name: str) -> None:
    async def story(site: Shown) -> None:
        refused = await site.reply(FINE, name.encode())
        assert refused.startswith("y550 5.7.1 This account is cut off")
        assert await site.reply(FINE, b"bob") == "c"
        replies = [refused]
        for more in ANSWERS:
            site.centre.answer = {**DENY, **more}
            replies.append(await site.reply(FINE, name.encode() + b"2"))
        assert all(each.isprintable() and len(each.replace("%%", "%")) <= 511 for each in replies), replies
        assert all(each["author"] in ("bob", f"{name}2") for each in site.centre.asked)

    tell(tmp_path, story, author=name)


def test_what_nobody_judged_passes_only_of_those_who_are_free(tmp_path: Path) -> None:
    async def story(site: Shown) -> None:
        site.gate.passes_unjudged, site.centre.status = True, 500
        assert [await site.reply(FINE), (await site.reply(FINE, b"joe"))[:4]] == ["c", "y451"]

    tell(tmp_path, story, "| 1 | hold | all | 9 days |", "joe")


def test_who_signed_in_before_on_the_connection_is_not_who_sends_now(tmp_path: Path) -> None:
    async def story(site: Shown) -> None:
        assert await site.show(shown(FINE) + packed(b"M", b"<x>\0")) == [b"c", b"c", b"a"]

    tell(tmp_path, story)


def test_a_mail_that_is_tried_again_is_one_and_one_that_is_sent_again_is_two(tmp_path: Path) -> None:
    async def story(site: Shown) -> None:
        site.centre.answer = DENY
        await site.reply(FINE)
        site.centre.answer = ALLOW
        for login, to in ((b"bob", b"eve@x"), (b"bob", b"eve@x"), (b"joe", b"eve@x"), (b"bob", b"kim@x")):
            await site.show(shown(FINE, login, to))
        refused, first, again, by_another, to_another = (each["id"] for each in site.centre.asked)
        assert again == f"{first}-1"
        assert len({refused, first, by_another, to_another}) == 4
        site.centre.answer, before = DENY, len(site.centre.asked)
        for _ in range(2):
            await site.show(shown(FINE, b"kim"))
        assert len({each["id"] for each in site.centre.asked[before:]}) == 1

    tell(tmp_path, story)


def test_a_mail_that_waits_is_settled_as_the_centre_says(tmp_path: Path) -> None:
    async def story(site: Shown) -> None:
        site.centre.answer = HOLD
        for number, queued in enumerate((b"first1", b"second2", b"third3")):
            await site.show(shown(FINE, b"bob", b"eve%d@x" % number, queued))
        first, second, _ = (each["id"] for each in site.centre.asked)
        site.centre.events = [
            {"id": "1", "type": "message.released", "message": first},
            {"id": "2", "type": "statement.issued", "message": second},
            {"id": "3", "type": "message.refused", "message": second},
        ]
        running = asyncio.create_task(site.gate.held.run())
        async with asyncio.timeout(PATIENCE):
            assert await site.settled.get() == (Become.RELEASED, "first1")
            assert await site.settled.get() == (Become.REFUSED, "second2")
        running.cancel()
        site.gate.clock = FixedClock(NOW + timedelta(hours=24))
        left = Held(
            folder=tmp_path / "held",
            url=site.gate.held.url,
            token="t",
            settle=site.gate.held.settle,
            clock=site.gate.clock,
            warn=site.gate.replica.warn,
        )
        left.load()
        running = asyncio.create_task(left.run())
        async with asyncio.timeout(PATIENCE):
            assert await site.settled.get() == (Become.RELEASED, "third3")
        running.cancel()

    tell(tmp_path, story)


@pytest.mark.parametrize("damaged", [b"", b"garbage", b"-1", b"9" * 5_000])
def test_what_waits_is_known_though_nobody_knows_how_far_the_news_were_read(damaged: bytes, tmp_path: Path) -> None:
    alarms = list[tuple[str, str]]()
    waits = Waits(name="0A1B2C", message="m", since=NOW)
    (tmp_path / "0A1B2C.json").write_bytes(msgspec.json.encode(waits))
    (tmp_path / "next").write_bytes(damaged)

    async def settle(one: Waits, fate: Fate) -> bool:
        return True

    def warn(kind: str, said: str) -> None:
        alarms.append((kind, said))

    held = Held(folder=tmp_path, url="", token="t", settle=settle, clock=FixedClock(NOW), warn=warn)
    held.load()
    ((kind, said),) = alarms
    assert (kind, "is read again" in said) == ("held", True)
    assert (held._next, held._waiting) == (0, {"0A1B2C": waits})


def test_a_mail_that_cannot_be_kept_waiting_is_put_off(tmp_path: Path) -> None:
    async def story(site: Shown) -> None:
        site.centre.answer = HOLD
        assert (await site.show(shown(FINE, queued=b"../../etc")))[1].startswith(b"y451 4.3.1 ")
        assert (await site.show(shown(FINE, queued=b"")))[1].startswith(b"y451 4.3.1 ")
        (tmp_path / "held").rmdir()
        (tmp_path / "held").write_text("no folder")
        assert (await site.reply(FINE)).startswith("y451 4.3.1 ")
        assert site.gate.replica.counts["alarm disk"] == 3

    tell(tmp_path, story)


def test_what_is_too_long_is_refused_and_what_is_too_much_at_once_is_put_off(tmp_path: Path) -> None:
    async def story(site: Shown) -> None:
        long = FINE + b"x" * LARGEST_MAIL
        assert (await site.reply(long)).startswith("y552 5.3.4 ")
        site.gate.at_once += MOST_AT_ONCE
        assert (await site.reply(FINE)).startswith("y451 4.3.1 ")
        site.gate.at_once -= MOST_AT_ONCE
        assert await site.reply(FINE) == "c"

    tell(tmp_path, story)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\0\0",
        b"\x7f\xff\xff\xffB",
        packed(b"Z"),
        packed(b"R", b""),
        packed(b"R", b"no end"),
        packed(b"L", b"name\0"),
        packed(b"L", b"name\0value\0more\0"),
        packed(b"D", b"Mname\0"),
        packed(b"O", b"\0\0"),
        packed(b"O", struct.pack(">III", 6, 0, 0)),
    ],
)
def test_what_is_no_milter_connection_is_closed_and_no_other_notices(tmp_path: Path, garbage: bytes) -> None:
    async def story(site: Shown) -> None:
        assert await site.show(macro(b"M", auth_authen=b"bob") + packed(b"M", b"<x>\0") + garbage) == [b"c"]
        assert site.gate.replica.counts["alarm milter"] == 1
        assert await site.reply(FINE) == "c"

    tell(tmp_path, story)


def test_a_server_that_waits_for_each_step_gets_a_reply_to_each(tmp_path: Path) -> None:
    async def story(site: Shown) -> None:
        old = packed(b"O", struct.pack(">III", 6, 0x1FF, 0x1FFFFF & ~sum(NO_REPLY.values())))
        assert (await site.show(old + shown(FINE)))[1:] == [CONTINUE[4:]] * 7

    tell(tmp_path, story)


@given(st.binary(max_size=300), st.binary(max_size=300), st.text(min_size=1, max_size=50).filter(str.strip))
def test_every_mail_is_read_as_a_message_or_said_to_be_unreadable(head: bytes, body: bytes, name: str) -> None:
    back = envelope([b"<>"], (), (), b"")
    for content in (head, b"Content-Type: " + head + b"\n\n" + body, b"From:" + head + b"\nTo:" + body + b"\n\n"):
        mail = Mail(sender=name, recipients=("a@x", "\udcff@x"), content=content, queue_id=QUEUED, envelope=back)
        try:
            message = read(mail, NOW)
        except UnreadableError:
            continue
        line = msgspec.json.encode({**message, "author": "bob", "channel": "mail"})
        found = parse([line], "s")
        assert found.unread == (), found.unread
        assert found.messages[0].sent == NOW
