"""Acts that wait are kept together, each on its own: one transaction and one publication for all of them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from test_run_killed import KEY, messages, proceedings

from comity.api.desk import Queue
from comity.casework.facts import Accepted
from comity.casework.refused import RefusedError
from comity.flow.desk import Desk, Group
from comity.flow.message import Proceedings
from comity.ledger.verify import verify
from comity.model.ids import AccountId, Digest
from comity.ports import StoreError
from comity.stores.log_folder import LogFolder
from comity.stores.sqlite import SqliteStore
from comity.testing.faults import FailureError, FaultyStore, When

ResultT = TypeVar("ResultT")
AT = datetime(2026, 1, 2, tzinfo=UTC)


class CountedLog(LogFolder):
    """A folder that counts its publications, and fails while it is told to."""

    published, fails = 0, False

    def publish(self, files: Iterable[tuple[str, bytes]], checkpoint: bytes) -> None:
        if self.fails:
            raise OSError(28, "No space left on device")
        self.published += 1
        super().publish(files, checkpoint)


class Place:
    """A record in a folder and its desk."""

    def __init__(self, folder: Path) -> None:
        self.log = CountedLog(folder / "log")
        self.log.write_vkey(KEY.verifier)
        self.store = SqliteStore(folder / "comity.db")
        self.begun = 0
        self.desk = Desk(self.store, self.proceed)

    def proceed(self) -> Proceedings:
        self.begun += 1
        return proceedings(self.store, self.log, str(self.begun))

    def together(self, *works: Callable[[Proceedings], object], ends_after: int = 999) -> Group[object]:
        group = Group[object](works=works)
        self.desk.act_together(group, lambda: len(group.outcomes) >= ends_after)
        return group

    def names(self) -> list[str]:
        return [fact.account for fact in self.store.facts([Accepted])]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    one = Place(tmp_path)
    one.desk.read(lambda _: None)
    one.log.published = 0
    yield one
    one.store.close()


def accepts(name: str) -> Callable[[Proceedings], str]:
    """An act that has an entry of its own in the ledger."""

    def act(running: Proceedings) -> str:
        digest = Digest(running.versions.every[0].agreement.digest)
        running.note(Accepted(account=AccountId(name), at=AT, agreement=digest, language="en"))
        return name

    return act


def refuses(_: Proceedings) -> str:
    raise RefusedError("not today")


def test_acts_of_a_group_are_published_once_and_a_refused_one_stops_nobody(place: Place) -> None:
    size = place.store.size
    group = place.together(accepts("ann"), refuses, accepts("bob"), lambda running: running.store.size)
    ann, refused, bob, last = group.outcomes
    assert (ann, bob, group.is_kept) == ("ann", "bob", True)
    assert isinstance(refused, RefusedError)
    assert last == size + 2, "each sees what those before it did"
    assert place.names() == ["ann", "bob"]
    assert place.log.published == 1
    assert verify(place.log.read).size == size + 2
    assert place.begun == 1, "the proceedings go on"


def test_a_group_ends_when_it_is_told_to_or_has_a_hundred_entries(place: Place) -> None:
    assert place.together(*[accepts("ann")] * 5, ends_after=2).outcomes == ["ann", "ann"]
    assert len(place.together(*[accepts(f"a{number}") for number in range(150)]).outcomes) == 100
    assert verify(place.log.read).is_fine


def fails(_: Proceedings) -> str:
    raise KeyError("nobody foresaw it")


def test_of_a_group_that_fails_nothing_is_kept_or_published(place: Place) -> None:
    size, group = place.store.size, Group(works=[accepts("ann"), fails, accepts("bob")])
    with pytest.raises(KeyError):
        place.desk.act_together(group, lambda: False)
    assert (group.outcomes, group.is_kept) == (["ann"], False)
    assert (place.store.size, place.names(), place.log.published) == (size, [], 0)
    assert place.together(accepts("bob")).outcomes == ["bob"]
    assert place.names() == ["bob"]
    assert verify(place.log.read).is_fine


def test_a_group_that_cannot_be_published_is_kept_and_published_later(place: Place) -> None:
    place.log.fails, group = True, Group(works=[accepts("ann"), accepts("bob")])
    with pytest.raises(OSError, match="No space"):
        place.desk.act_together(group, lambda: False)
    assert group.is_kept
    place.log.fails = False
    place.together(accepts("cid"))
    assert place.names() == ["ann", "bob", "cid"]
    assert verify(place.log.read).size == place.store.size


def test_messages_taken_together_are_answered_as_if_each_came_alone(place: Place, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other, sent = Place(tmp_path / "other"), messages(60)
    parts = [sent[start : start + 7] for start in range(0, 60, 7)]
    together = place.together(*(lambda running, part=part: running.take(part) for part in parts)).outcomes
    alone = [other.desk.act(lambda running, part=part: running.take(part)) for part in parts]
    assert [[one.outcome for one in each] for each in together] == [[one.outcome for one in each] for each in alone]
    assert place.store.size == other.store.size
    other.store.close()


def asked(
    place: Place,
    ask: Callable[[Queue], list],
    *,
    told: Callable[[], None] = lambda: None,
    monotonic: Callable[[], float] = lambda: 0.0,
) -> list:
    """What came of all that was asked at the same moment."""

    async def all_at_once() -> list:
        queue = Queue(place.desk, told, monotonic=monotonic)
        asking = [asyncio.ensure_future(one) for one in ask(queue)]
        await asyncio.sleep(0)  # all of it waits before anything is done
        await queue.start()
        answers = await asyncio.gather(*asking, return_exceptions=True)
        await queue.stop()
        return answers

    return asyncio.run(all_at_once())


def test_gates_hear_of_what_is_kept_before_more_is(place: Place) -> None:
    order: list[str] = []

    async def acts() -> None:
        queue = Queue(place.desk, lambda: order.append("told"), heard=lambda: order.append("heard"))
        await queue.start()
        for number in range(3):
            await queue.take(messages(1 + number)[-1:])
        await queue.stop()

    asyncio.run(acts())
    assert order == ["heard", "told"] * (len(order) // 2)
    assert len(order) >= 6


def test_what_waits_at_the_service_is_kept_together_in_its_order(place: Place) -> None:
    sent = messages(40)
    told = asked(
        place,
        lambda queue: [
            queue.act(accepts("ann")),
            *(queue.take([each]) for each in sent[:20]),
            queue.act(refuses),
            *(queue.take([each]) for each in sent[20:]),
            queue.act(accepts("bob")),
        ],
    )
    ann, *first, refused, bob = [*told[:21], *told[21:22], told[-1]]
    assert (ann, bob, str(refused)) == ("ann", "bob", "not today")
    assert [one.message for each in (*first, *told[22:-1]) for one in each] == [each.id for each in sent]
    assert place.log.published < 8
    assert place.names() == ["ann", "bob"]


@pytest.mark.parametrize(("an_act_takes", "expected"), [(0.001, [100, 120]), (0.006, [50, 100, 120])])
def test_messages_that_take_long_are_kept_fifty_at_a_time(
    place: Place, an_act_takes: float, expected: list[int]
) -> None:
    """So that gates need not wait for a hundred decisions; what takes no time is kept a hundred at a time."""
    sent, kept, ticks = messages(120), list[int](), itertools.count()
    told = asked(
        place,
        lambda queue: [queue.take([each]) for each in sent],
        told=lambda: kept.append(sum(1 for _ in place.store.traces())),
        monotonic=lambda: next(ticks) * an_act_takes,
    )
    assert [one.message for each in told for one in each] == [each.id for each in sent]
    assert sorted({*kept} - {0}) == expected


def test_where_one_act_fails_each_is_done_alone_and_once(place: Place) -> None:
    kept, undone = list[str](), list[str]()

    def joins(queue: Queue, name: str, work: Callable[[Proceedings], str] | None = None) -> object:
        return queue.act(work or accepts(name), kept=kept.append, undone=lambda: undone.append(name))

    ann, failed, bob = asked(place, lambda queue: [joins(queue, "ann"), joins(queue, "x", fails), joins(queue, "bob")])
    assert (ann, bob) == ("ann", "bob")
    assert isinstance(failed, KeyError)
    assert (place.names(), kept) == (["ann", "bob"], ["ann", "bob"])
    assert undone == ["ann"], "it was begun, and nothing of it was kept"


def erases(running: Proceedings) -> str:
    running.erase(AccountId("ann"), keep_hash=False)
    return "erased"


def test_what_erases_is_done_alone_in_its_turn(place: Place) -> None:
    told = asked(
        place,
        lambda queue: [
            queue.act(accepts("ann")),
            queue.act(erases, is_alone=True),
            queue.act(refuses, is_alone=True),
            queue.act(accepts("bob")),
        ],
    )
    assert (told[0], told[1], str(told[2]), told[3]) == ("ann", "erased", "not today", "bob")
    assert place.names() == ["bob"]


def test_nobody_is_erased_in_a_group(place: Place) -> None:
    place.together(accepts("ann"))
    with pytest.raises(StoreError, match="let it be done alone"):
        place.together(accepts("bob"), erases)
    assert place.names() == ["ann"]


def test_what_was_kept_and_could_not_be_published_is_not_done_again(place: Place) -> None:
    place.log.fails = True
    told = asked(place, lambda queue: [queue.act(accepts("ann")), queue.act(accepts("bob"))])
    assert [type(one) for one in told] == [OSError, OSError]
    assert sorted(place.names()) == ["ann", "bob"]


@pytest.mark.parametrize("when", list(When))
def test_a_store_that_fails_inside_a_group_keeps_all_of_it_or_nothing(tmp_path: Path, when: When) -> None:
    one = Place(tmp_path)
    one.desk.read(lambda _: None)
    faulty = FaultyStore(one.store, countdown=2, when=when)
    running = proceedings(faulty, one.log, "x")
    group = Group(works=[accepts("ann"), accepts("bob")])
    with pytest.raises(FailureError):
        Desk(one.store, lambda: running).act_together(group, lambda: False)
    assert one.names() == []
    assert one.together(accepts("cid")).is_kept
    assert one.names() == ["cid"]
    one.store.close()


def test_an_account_enrolled_in_a_group_that_was_undone_is_enrolled_again(place: Place) -> None:
    """The store, not its memory, says who is known to it."""
    group = Group(works=[accepts("ann"), fails])
    with pytest.raises(KeyError):
        place.desk.act_together(group, lambda: False)
    place.together(accepts("ann"))
    assert place.names() == ["ann"]


class CountedDesk(Desk):
    """Counts how often it was gone to for a look."""

    looks = 0

    def read(self, work: Callable[[Proceedings], ResultT]) -> ResultT:
        self.looks += 1
        return super().read(work)


def test_looks_that_wait_are_taken_together(place: Place) -> None:
    place.desk = CountedDesk(place.store, place.proceed)
    told = asked(place, lambda queue: [queue.read(lambda _, n=n: n) for n in range(20)])
    assert (told, place.desk.looks) == (list(range(20)), 1)


def test_a_look_that_fails_spoils_no_other(place: Place) -> None:
    def fails(_: Proceedings) -> str:
        raise FailureError

    told = asked(place, lambda queue: [queue.read(lambda _: "ann"), queue.read(fails), queue.read(lambda _: "bob")])
    assert (told[0], told[2], type(told[1])) == ("ann", "bob", FailureError)


def test_the_end_waits_for_the_looks(place: Place) -> None:
    async def ends() -> list[int]:
        queue = Queue(place.desk, lambda: None)
        await queue.start()
        looking = [asyncio.ensure_future(queue.read(lambda _, n=n: n)) for n in range(250)]
        await asyncio.sleep(0)
        await queue.stop()
        return await asyncio.gather(*looking)

    assert asyncio.run(ends()) == list(range(250))
