"""Counts over the whole record are kept from one start to the next, and are of no other record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from itertools import count
from pathlib import Path
from threading import Event

import msgspec
import pytest
from test_flow_record import NOW, World, agreement

from comity.casework.facts import Accepted, Fact
from comity.casework.openness import Openness
from comity.casework.review import Deciding
from comity.console.asking import Reader
from comity.console.lately import Measuring
from comity.console.numbers import Counting
from comity.flow import review
from comity.flow.counts import EndedError, Keeping, unless_over
from comity.flow.openness import up_to_date
from comity.flow.quality import KeptMeasured, as_kept, as_measured, measured
from comity.model.ids import AccountId, ClauseId, ReviewerId
from comity.ports import Store, StoreError
from comity.stores.counts import CountFile
from comity.stores.world import MemoryCounts

MANY = 1_000


def grown(days: int = 2) -> World:
    """A record that is worth keeping the counts of."""
    world = World(agreement(f"| 1 | suspend | posts | {days} days |", "decide=review"), "live")
    version = world.store.versions()[0].digest
    accounts = [AccountId(f"a{number}") for number in range(MANY)]
    world.proceedings.act(
        accounts, lambda one: [Accepted(account=one.account, at=NOW, agreement=version, language="en")]
    )
    confirm(world, 3)
    return world


def confirm(world: World, times: int) -> None:
    for number in range(times):
        author = f"author-{world.store.position}-{number}"
        world.say("spam", author=author)
        (case,) = [each for each, account in world.store.waiting() if account == author]
        opened = world.proceedings.record(AccountId(author)).cases[0]
        deciding = Deciding(case=opened.id, version=opened.version, by=ReviewerId("mara"), why="It is.")
        assert case == opened.id
        review.confirm(world.proceedings, deciding, NOW)


def kept(world: World) -> MemoryCounts:
    counts, counted, quality = MemoryCounts(), up_to_date(Openness(), world.store), measured(world.store)
    Keeping(counts, "numbers").keep(world.store, counted.position, 0, counted)
    Keeping(counts, "quality").keep(world.store, quality.position, 0, as_kept(quality))
    assert counts.kept.keys() == {"numbers", "quality"}
    return counts


def test_what_was_counted_is_the_same_after_it_was_kept_and_goes_on() -> None:
    world = grown()
    counts, position = kept(world), world.store.position
    confirm(world, 2)
    counted = Keeping(counts, "numbers").taken_up(world.store, Openness)
    quality = Keeping(counts, "quality").taken_up(world.store, KeptMeasured)
    assert counted is not None
    assert quality is not None
    assert counted.position == quality.position == position < world.store.position
    assert up_to_date(counted, world.store) == up_to_date(Openness(), world.store)
    assert measured(world.store, as_measured(quality)) == measured(world.store)
    assert measured(world.store).quality.rules[ClauseId("spam")].confirmed == 5


def test_after_a_start_the_pages_show_what_was_kept_while_what_came_since_is_counted() -> None:
    world = grown()
    counts = kept(world)
    confirm(world, 2)
    reader, reached, go_on = Reader(world.store), Event(), Event()
    counting, measuring = Counting(reader, counts), Measuring(reader, counts)
    counting.take_up()
    measuring.take_up()
    reader.begin(lambda _: reached.set() or go_on.wait())
    assert reached.wait(30)

    async def whole() -> None:
        assert await shown(counting, measuring) == ("3", 3)
        go_on.set()
        while await shown(counting, measuring) != ("5", 5):
            pass

    asyncio.run(whole())
    reader.close()


def test_counts_of_another_record_or_of_a_later_one_are_not_taken_up() -> None:
    world = grown()
    counts = kept(world)
    assert Keeping(counts, "numbers").taken_up(world.store, Openness) is not None
    other = grown(days=3)
    confirm(other, 1)
    assert Keeping(counts, "numbers").taken_up(other.store, Openness) is None
    confirm(world, 1)
    later = kept(world)
    earlier = grown()
    assert Keeping(later, "numbers").taken_up(earlier.store, Openness) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"rules":1}'])
def test_a_count_that_cannot_be_read_is_made_anew(content: bytes) -> None:
    world, counts = grown(), MemoryCounts()
    counts.keep("numbers", content)
    assert Keeping(counts, "numbers").taken_up(world.store, Openness) is None


def test_a_count_of_other_rules_is_made_anew() -> None:
    world = grown()
    counts = kept(world)
    counts.keep("numbers", counts.read("numbers").replace(b'"rules":1', b'"rules":0'))
    assert msgspec.json.decode(counts.read("numbers"))["rules"] == 0
    assert Keeping(counts, "numbers").taken_up(world.store, Openness) is None


def test_little_that_is_new_is_not_kept_each_time_but_every_erasure_is() -> None:
    world = grown()
    counts = kept(world)
    keeping, before = Keeping(counts, "numbers"), counts.read("numbers")
    assert keeping.taken_up(world.store, Openness) is not None
    keeping.keep(world.store, world.store.position + MANY - 1, 0, Openness())
    assert counts.read("numbers") == before
    keeping.keep(world.store, world.store.position, 1, Openness())
    assert counts.read("numbers") != before


def test_what_was_counted_before_anybody_asked_is_there_at_once() -> None:
    reader, reached, go_on = Reader(grown().store), Event(), Event()
    counting, measuring = Counting(reader, MemoryCounts()), Measuring(reader, MemoryCounts())
    counting.begin()
    measuring.begin()
    reader.begin(lambda _: reached.set() or go_on.wait())
    assert reached.wait(30)
    try:
        assert asyncio.run(shown(counting, measuring)) == ("3", 3)
    finally:
        go_on.set()
        reader.close()


class Breaking:
    """A store that breaks after some facts, once."""

    def __init__(self, store: Store) -> None:
        self._store, self._breaks = store, True

    def facts(
        self, kinds: Sequence[type[Fact]] = (), *, after: int = 0, since: datetime | None = None
    ) -> Iterator[Fact]:
        for number, fact in enumerate(self._store.facts(kinds, after=after, since=since)):
            if number == 3 and self._breaks:
                self._breaks = False
                raise StoreError("the disk is gone")
            yield fact

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def test_a_count_that_breaks_half_way_counts_nothing_twice() -> None:
    reader = Reader(Breaking(grown().store))
    counting, measuring = Counting(reader, MemoryCounts()), Measuring(reader, MemoryCounts())
    with pytest.raises(StoreError):
        asyncio.run(shown(counting, measuring))
    assert asyncio.run(shown(counting, measuring)) == ("3", 3)
    reader.close()


class Unwritable:
    """Counts on a disk that neither gives nor takes anything."""

    def read(self, name: str) -> bytes:
        raise StoreError(f"{name}: the disk is gone")

    def keep(self, name: str, content: bytes) -> None:
        raise StoreError(f"{name}: the disk is gone, and {len(content)} bytes with it")


def test_where_nothing_can_be_kept_the_pages_count_all_the_same() -> None:
    reader = Reader(grown().store)
    counting, measuring = Counting(reader, Unwritable()), Measuring(reader, Unwritable())
    counting.take_up()
    measuring.take_up()
    assert asyncio.run(shown(counting, measuring)) == ("3", 3)
    reader.close()


async def shown(counting: Counting, measuring: Measuring) -> tuple[str, int]:
    """How many decisions, and how often people looked at what the rule found."""
    numbers, quality = await counting.numbers({}, NOW, is_exact=True), await measuring.quality()
    assert numbers is not None
    assert quality is not None
    return numbers.figures[0].number, quality.rules[ClauseId("spam")].looked_at


def test_the_end_of_the_service_does_not_wait_for_what_is_being_counted() -> None:
    reader, reached = Reader(World(agreement("| 1 | warn | | |")).store), Event()
    reader.begin(lambda _: [reached.set() for _ in unless_over(reader.is_over, count())])
    reader.begin(lambda _: [None for _ in count()])
    assert reached.wait(30)
    reader.close()
    with pytest.raises(EndedError):
        next(unless_over(reader.is_over, count()))


def test_counts_are_kept_in_a_file(tmp_path: Path) -> None:
    with closing(CountFile(tmp_path / "counts.db")) as counts:
        assert counts.read("numbers") == b""
        counts.keep("numbers", b"1")
        counts.keep("numbers", b"2")
    with closing(CountFile(tmp_path / "counts.db")) as counts:
        assert (counts.read("numbers"), counts.read("quality")) == (b"2", b"")
