"""A gate follows its centre over HTTP, through whatever can go wrong on the way: what it knew holds throughout."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from gate_centre import PATIENCE, TOKEN, Centre, Rows, serving
from msgspec.structs import replace
from test_flow_feed import POLICY, Watched, encode_snapshot
from test_flow_record import DAY, NOW

from comity.flow import amend
from comity.flow.feed import GoneError
from comity.gates.answers import Allow, Deny
from comity.gates.disk import Disk
from comity.gates.following import Centre as At
from comity.gates.following import Follower
from comity.gates.replica import Applied, Manner, Replica
from comity.ledger.feed import encode_line
from comity.model.ids import ReviewerId
from comity.stores.world import FixedClock

MANNER = Manner(policy=POLICY)


class Gate:
    """A gate that follows, and its alarms."""

    def __init__(self, folder: Path, url: str, token: str = TOKEN) -> None:
        self.alarms: asyncio.Queue[str] = asyncio.Queue()
        self.clock = FixedClock(NOW)
        self.replica = Replica(MANNER, lambda _, text: self.alarms.put_nowait(text))
        self.disk = Disk(folder)
        self.disk.load(self.replica)
        self.follower = Follower(self.replica, self.disk, At(url=url, token=token, gate="web"), self.clock)

    def is_cut(self, handle: str = "ann") -> bool:
        return isinstance(self.replica.check("posts", handle, self.clock.at), Deny)

    async def alarm(self, about: str) -> str:
        async with asyncio.timeout(PATIENCE):
            while about not in (alarm := await self.alarms.get()):
                pass
        return alarm


@asynccontextmanager
async def following(folder: Path, url: str, token: str = TOKEN) -> AsyncIterator[Gate]:
    gate = Gate(folder, url, token)
    task = asyncio.create_task(gate.follower.run())
    try:
        yield gate
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        gate.disk.close()


Story = Callable[[Centre, Gate], Awaitable[None]]


def tell(story: Story, folder: Path, *, before: Callable[[Watched], object] = lambda _: None) -> None:
    """Run a story with one centre and one gate that follows it."""

    async def told() -> None:
        world = Watched()
        before(world)
        async with serving(world, lambda: NOW) as centre, following(folder, centre.url) as gate:
            await story(centre, gate)

    asyncio.run(told())


def test_a_cut_reaches_the_gate_and_a_lift_too_and_both_are_acknowledged(tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Gate) -> None:
        ack = await centre.acked(2)
        assert (ack.gate, ack.applied_at) == ("web", NOW)
        assert gate.is_cut("eve")
        statement = centre.world.say("spam").statement
        assert statement is not None
        centre.tell()
        await centre.acked(4)
        assert gate.is_cut()
        amend.lift(centre.world.proceedings, statement, ReviewerId("mara"), "A mistake.", NOW)
        centre.tell()
        await centre.acked(6)
        assert not gate.is_cut()

    tell(story, tmp_path, before=lambda world: world.say("spam", author="eve"))


def test_changes_that_are_acknowledged_together_keep_their_own_times(tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Gate) -> None:
        await centre.acked(0)
        changed: asyncio.Queue[int] = asyncio.Queue()
        gate.replica.watcher = Rows(changed.put_nowait)
        for name in ("a", "b", "c"):
            gate.clock.at += timedelta(milliseconds=1)
            centre.world.say("spam", author=name)
            centre.tell()
            async with asyncio.timeout(PATIENCE):
                await changed.get()
                await changed.get()
        acks = [await centre.acked(2)]
        while acks[-1].cursor < 6:
            acks.append(await centre.acked(acks[-1].cursor + 1))
        points = {point.cursor: point.applied_at for ack in acks for point in (*ack.earlier, ack)}
        assert points[2] < points[4] < points[6]

    tell(story, tmp_path)


def test_what_turns_out_to_have_no_proof_is_brought_about_once_more(tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Gate) -> None:
        await centre.acked(0)
        doubted: asyncio.Queue[int] = asyncio.Queue()

        async def bring_about() -> None:
            assert gate.replica.known is not None
            doubted.put_nowait(len(gate.replica.known.unproven))

        gate.follower.in_force = bring_about
        enforcing = asyncio.create_task(gate.follower._enforce())
        centre.spoil = lambda line: re.sub(rb'"proof":"[^"]*"', b'"proof":null', line)
        centre.world.say("spam")
        centre.tell()
        async with asyncio.timeout(PATIENCE):
            assert await doubted.get() == 0
            while await doubted.get() < len(centre.world.changes()):
                pass
        enforcing.cancel()

    tell(story, tmp_path)


def test_a_gate_that_ends_amid_proofs_looks_at_the_others_and_writes_all_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, prove = Watched(), Replica.prove
    for number in range(12):
        world.say("spam", author=f"a{number}")

    def ended(replica: Replica, applied: Applied) -> None:
        task = asyncio.current_task()
        if applied.change.seq == 1 and task is not None:
            task.cancel()
        prove(replica, applied)

    async def story() -> None:
        async with serving(Watched(), lambda: NOW) as centre:
            gate = Gate(tmp_path, centre.url)
            await gate.follower._take_snapshot()
            monkeypatch.setattr(Replica, "prove", ended)
            *lines, last = map(encode_line, world.changes())
            bare = re.sub(rb'"proof":"[^"]*"', b'"proof":null', last)
            taking = asyncio.create_task(gate.follower._take([*lines, bare]))
            await asyncio.wait([taking])
            assert taking.cancelled()
            gate.disk.close()

    asyncio.run(story())
    again = Replica(MANNER, print)
    with Disk(tmp_path) as disk:
        disk.load(again)
    assert again.known is not None
    assert (again.known.cursor, again.known.unproven) == (24, {24: NOW + MANNER.grace})


def test_a_statement_that_was_shown_is_told_once(tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Gate) -> None:
        await centre.acked(2)
        answer = gate.replica.check("posts", "ann", NOW)
        assert isinstance(answer, Deny)
        for _ in range(3):
            gate.follower.show(answer.statement)
        assert await centre.heard() == answer.statement
        centre.world.say("spam", author="bob")
        centre.tell()
        await centre.acked(4)
        bob = gate.replica.check("posts", "bob", NOW)
        assert isinstance(bob, Deny)
        gate.follower.show(bob.statement)
        assert await centre.heard() == bob.statement

    tell(story, tmp_path, before=lambda world: world.say("spam"))


def test_a_status_that_nobody_knows_ends_no_gate(tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Gate) -> None:
        await centre.acked(2)
        answer = gate.replica.check("posts", "ann", NOW)
        assert isinstance(answer, Deny)
        centre.status = 599
        centre.tell()
        gate.follower.show(answer.statement)
        assert "599" in await gate.alarm("broke off")
        centre.status = 200
        assert await centre.heard() == answer.statement
        assert gate.replica.counts["reports lost"] >= 1

    tell(story, tmp_path, before=lambda world: world.say("spam"))


def once(spoilt: bytes) -> Callable[[bytes], bytes]:
    """The first change is sent so, and everything after it as it is."""
    left = [spoilt]
    return lambda line: left.pop() if left and b'"seq"' in line else line


@pytest.mark.parametrize(
    "spoilt",
    [
        b'{"seq":1,"row":',
        b"<html>502 Bad Gateway</html>\n",
        b"\xff\xfe\n",
        b"[]\n",
        b'{"seq":7,"row":1,"account":null,"channel":null}\n',
        b"x" * (1 << 20) + b"xx",
    ],
    ids=["half a line", "a page", "no text", "a list", "a gap", "no end"],
)
def test_garbage_in_the_stream_is_asked_for_again(tmp_path: Path, spoilt: bytes) -> None:
    async def story(centre: Centre, gate: Gate) -> None:
        await centre.acked(0)
        centre.spoil = once(spoilt)
        centre.world.say("spam")
        centre.tell()
        await centre.acked(2)
        assert gate.is_cut()
        assert gate.replica.counts["alarm feed"] == 1

    tell(story, tmp_path)


def test_a_lost_change_is_noticed_and_everything_asked_for_anew(tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Gate) -> None:
        await centre.acked(0)
        centre.spoil = lambda line: line.replace(b'"state":"cut"', b'"state":"limited"')
        centre.world.say("spam")
        centre.tell()
        await gate.alarm("asks for everything anew")
        centre.spoil = lambda line: line
        async with asyncio.timeout(PATIENCE):
            while not gate.is_cut():
                await centre.acks.get()
        assert sum("snapshot" in one for one in centre.asked) == 2

    tell(story, tmp_path)


def test_a_snapshot_of_a_broken_database_frees_nobody(tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Gate) -> None:
        await centre.acked(2)
        centre.snapshot = lambda content: content[: content.index(b"[{") + 1] + b"]}"
        centre.status = 503
        centre.tell()
        await gate.alarm("broke off")
        centre.status = 200
        centre.world.feed.changes = gone
        await gate.alarm("the snapshot says")
        assert gate.is_cut()

    tell(story, tmp_path, before=lambda world: world.say("spam"))


def test_what_lacks_a_proof_is_asked_for_anew_before_it_is_let_go(tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Gate) -> None:
        await centre.acked(0)
        centre.spoil = lambda line: re.sub(rb'"proof":"[^"]*"', b'"proof":null', line)
        centre.world.say("spam")
        centre.tell()
        await centre.acked(2)
        assert gate.replica.known is not None
        assert len(gate.replica.known.unproven) == 2
        gate.clock.at = NOW + MANNER.grace / 4
        await centre.acked(2)
        assert gate.replica.known.unproven == {}
        gate.clock.at = NOW + MANNER.grace
        assert gate.is_cut()

    tell(story, tmp_path)


def test_a_snapshot_from_before_frees_nobody(tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Gate) -> None:
        await centre.acked(0)
        before = encode_snapshot(centre.world.feed.snapshot())
        centre.world.say("spam")
        centre.tell()
        await centre.acked(2)
        centre.snapshot = lambda _: before
        centre.world.feed.changes = gone
        centre.status = 503
        centre.tell()
        await gate.alarm("broke off")
        centre.status = 200
        await gate.alarm("older than what this gate knows")
        assert gate.is_cut()

    tell(story, tmp_path)


def gone(*_: object) -> None:
    raise GoneError


def test_a_centre_that_is_away_changes_nothing_and_ends_come_on_time(tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Gate) -> None:
        await centre.acked(2)
        centre.status = 503
        centre.tell()
        await gate.alarm("broke off")
        gate.clock.at = NOW + DAY
        assert gate.is_cut()
        assert gate.replica.check("posts", "bob", gate.clock.at) == Allow(is_stale=True)
        gate.clock.at = NOW + 2 * DAY
        assert not gate.is_cut()
        gate.clock.at = NOW
        centre.world.say("spam", author="bob")
        centre.status = 200
        await centre.acked(4)
        assert gate.is_cut("bob")

    tell(story, tmp_path, before=lambda world: world.say("spam"))


def test_a_gate_that_starts_without_its_centre_knows_what_it_knew(tmp_path: Path) -> None:
    async def story(centre: Centre, gate: Gate) -> None:
        await centre.acked(2)
        centre.world.say("spam", author="bob")
        centre.tell()
        await centre.acked(4)

    async def alone() -> None:
        async with following(tmp_path, "http://127.0.0.1:9") as gate:
            await gate.alarm("broke off")
            assert gate.is_cut("ann")
            assert gate.is_cut("bob")

    tell(story, tmp_path, before=lambda world: world.say("spam"))
    asyncio.run(alone())


def test_two_centres_by_mistake_free_nobody(tmp_path: Path) -> None:
    async def told() -> None:
        one, other = Watched(), Watched()
        one.say("spam")
        other.say("spam", author="bob")
        async with serving(one, lambda: NOW) as first, following(tmp_path, first.url) as gate:
            await first.acked(2)
            second = Watched()
            second.say("spam", author="bob")
            first.world = Elsewhere(second)
            first.status = 503
            first.tell()
            await gate.alarm("broke off")
            first.status = 200
            assert "nobody lifted" in await gate.alarm("no longer knows")
            assert gate.is_cut("ann")
            assert gate.is_cut("bob")

    asyncio.run(told())


class Elsewhere:
    """Another centre's world: its feed is another life."""

    def __init__(self, world: Watched) -> None:
        self.log, self.proceedings, self._feed = world.log, world.proceedings, world.feed
        self.feed = self
        self.snapshot = lambda: replace(world.feed.snapshot(), epoch="elsewhere")
        self.heartbeat = world.feed.heartbeat

    def changes(self, epoch: str, after: int) -> object:
        return self._feed.changes("memory" if epoch == "elsewhere" else "none", after)


def test_a_wrong_token_is_an_alarm_and_no_answer(tmp_path: Path) -> None:
    async def told() -> None:
        async with serving(Watched(), lambda: NOW) as centre, following(tmp_path, centre.url, "wrong") as gate:
            assert "401" in await gate.alarm("broke off")
            assert "not been told" in str(gate.replica.check("posts", "ann", NOW))

    asyncio.run(told())


def test_a_disk_that_fails_stops_no_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async def story(centre: Centre, gate: Gate) -> None:
        await centre.acked(0)
        monkeypatch.setattr("comity.gates.disk._write", full)
        centre.world.say("spam")
        centre.tell()
        await centre.acked(2)
        assert "No space left" in await gate.alarm("written to disk")
        assert gate.is_cut()

    tell(story, tmp_path)
