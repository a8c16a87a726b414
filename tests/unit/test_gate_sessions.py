"""What a gate tells those who keep something open: whose standing changed, when it did, and when to ask about all."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from test_flow_feed import ANN, POSTS, Watched
from test_flow_record import DAY, NOW
from test_gate_http import exchange, request, statuses
from test_gate_replica import Gate

from comity.casework.facts import HandleGiven
from comity.flow import amend
from comity.gates.disk import Disk
from comity.gates.following import Centre, Follower
from comity.gates.http import HttpGate, Trust
from comity.gates.sessions import LARGEST_ARREARS, MOST_LISTENERS, Sessions
from comity.ledger.feed import FeedEntry
from comity.model.ids import ReviewerId
from comity.stores.world import FixedClock

ASK = {"standing": "unknown"}


class Wire(asyncio.Transport):
    """What a listener was sent, and whether it is still there."""

    def __init__(self, arrears: int = 0) -> None:
        super().__init__()
        self.content, self.arrears, self.is_closed = b"", arrears, False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.content += data

    def get_write_buffer_size(self) -> int:
        return self.arrears

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    @property
    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.content.partition(b"\r\n\r\n")[2].splitlines() if line]


class Told:
    """A gate that follows, what is open there, and one who listens."""

    def __init__(self) -> None:
        self.gate, self.clock, self.wire = Gate(Watched()), FixedClock(NOW), Wire()
        self.gate.load()
        self.gate.follow()
        self.sessions = Sessions(self.gate.replica, self.clock)
        self.sessions.listen(self.wire, "posts")

    def say(self, author: str = "ann") -> str:
        statement = self.gate.watched.say("spam", author=author).statement
        self.gate.follow()
        assert statement is not None
        return statement


@pytest.fixture
def told() -> Told:
    return Told()


def test_who_is_cut_off_and_who_is_not_any_more_is_said_with_the_reason(told: Told) -> None:
    statement = told.say()
    amend.lift(told.gate.watched.proceedings, statement, ReviewerId("mara"), "A mistake.", NOW)
    told.gate.follow()
    ask, cut, opened = told.wire.lines
    assert ask == ASK
    assert (cut["standing"], cut["name"], cut["statement"], cut["reason"]) == ("cut", "ann", statement, "“spam”")
    assert cut["link"] == f"https://example.org/r/{statement}"
    assert opened == {"standing": "open", "name": "ann"}
    assert told.gate.replica.counts["refused"] == 0, "nobody was refused by that"


def test_another_channel_hears_nothing_of_it(told: Told) -> None:
    other = Wire()
    told.sessions.listen(other, "letters")
    told.say()
    assert other.lines == [ASK]


def test_it_says_what_the_channel_calls_the_account_and_what_it_called_it(told: Told) -> None:
    def called(handle: str) -> HandleGiven:
        return HandleGiven(account=ANN, at=NOW, channel=POSTS, handle=handle, since=NOW)

    told.gate.watched.proceedings.note(called("@ann"))
    told.say()
    told.gate.watched.proceedings.note(called("@annie"))
    told.gate.follow()
    assert told.wire.lines[1]["name"] == "@ann"
    assert {line["name"]: line["standing"] for line in told.wire.lines[2:]} == {"@ann": "cut", "@annie": "cut"}


def test_whoever_is_erased_is_said_to_be_open(told: Told) -> None:
    told.say()
    known = told.gate.replica.known
    assert known is not None
    row = next(row for row in known.records.rows() if known.records.planned(row).channel == "posts")
    told.gate.replica.change(FeedEntry(seq=known.cursor + 1, row=row, account=None, channel=None), NOW)
    assert told.wire.lines[-1] == {"standing": "open", "name": "ann"}


def test_after_a_snapshot_everybody_is_to_be_asked_about(told: Told) -> None:
    told.say()
    told.gate.load()
    assert told.wire.lines[-1] == ASK


def test_what_begins_later_is_said_when_it_begins_also_after_a_start_anew(told: Told) -> None:
    def later(change: FeedEntry) -> FeedEntry:
        plan = tuple(replace(span, start=NOW + timedelta(milliseconds=100)) for span in change.plan)
        return replace(change, plan=plan)

    told.gate.watched.say("spam")
    known = told.gate.replica.known
    assert known is not None
    for change in told.gate.watched.changes(known.cursor):
        told.gate.replica.change(later(change), NOW)
    anew, wire = Sessions(told.gate.replica, told.clock), Wire()
    anew.listen(wire, "posts")

    async def begun(sessions: Sessions, wire: Wire) -> None:
        before = list(wire.lines)
        assert all(line["standing"] != "cut" for line in before)
        told.clock.at = NOW + DAY / 100
        task = asyncio.create_task(sessions.run())
        async with asyncio.timeout(20):
            while len(wire.lines) == len(before):
                await asyncio.sleep(0)
        task.cancel()
        assert (wire.lines[-1]["standing"], wire.lines[-1]["name"]) == ("cut", "ann")
        told.clock.at = NOW

    for each in ((told.sessions, told.wire), (anew, wire)):
        asyncio.run(begun(*each))


def test_who_does_not_read_is_let_go_and_too_many_are_turned_away(told: Told) -> None:
    slow = Wire(LARGEST_ARREARS + 1)
    told.sessions.listen(slow, "posts")
    told.say()
    assert slow.is_closed
    assert told.gate.alarms[-1].startswith("an application does not read")
    assert [line["standing"] for line in told.wire.lines] == ["unknown", "cut"]
    for _ in range(MOST_LISTENERS):
        last = Wire()
        told.sessions.listen(last, "posts")
    assert last.content.startswith(b"HTTP/1.1 503 ")
    assert last.is_closed
    told.sessions.forget(told.wire)
    again = Wire()
    told.sessions.listen(again, "posts")
    assert again.lines == [ASK]


def test_over_the_wire_lines_come_until_the_listener_leaves(tmp_path: Path) -> None:
    async def story() -> None:
        gate, clock = Gate(Watched()), FixedClock(NOW)
        gate.load()
        with Disk(tmp_path) as disk:
            follower = Follower(gate.replica, disk, Centre(url="http://127.0.0.1:9", token="t", gate="web"), clock)
            trust = Trust(header=b"x-account", addresses=frozenset({"127.0.0.1"}))
            both = HttpGate(gate.replica, follower, clock, trust, Sessions(gate.replica, clock))
            alone = HttpGate(gate.replica, follower, clock, trust)
            loop = asyncio.get_running_loop()
            async with await loop.create_server(alone, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                assert statuses(await exchange(port, request(b"", b"/changes?channel=posts"))) == [404]
            async with await loop.create_server(both, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                assert statuses(await exchange(port, request(b"", b"/changes"))) == [404]
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request(b"", b"/changes?channel=posts", last=False))
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
                assert json.loads(await reader.readline()) == ASK
                gate.watched.say("spam")
                gate.follow()
                assert json.loads(await reader.readline())["name"] == "ann"
                writer.close()
                await writer.wait_closed()

    asyncio.run(story())
