"""A record that is started anew after every few messages judges and counts as one that never was."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from comity.agreement import load
from comity.casework.facts import Fact
from comity.flow.agreement import version_of
from comity.flow.message import Proceedings
from comity.flow.publish import Recorder
from comity.flow.terms import Terms
from comity.ledger.entry import CensusEntry, parse_entry
from comity.ledger.note import SigningKey
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message
from comity.ports import Answer, Running, Write
from comity.stores.memory import MemoryStore
from comity.stores.world import CountedEntropy, FixedClock, MemoryLog

RULES = """---
comity: 1
title: Rules
channels: [posts]
---

# Rules

## Spam {#spam}

Do not advertise.

```rule
text.says("buy now")
```

## Often {#often}

Do not go on breaching.

```rule
author.breaches(hours(6)) >= 2
```

## Flood {#flood}

Do not flood.

```rule
author.messages(hours(3)) > 4
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | remove, warn | | |
| 3 | remove, limit reach | same | 1 day |
| 6 | remove, suspend | same | 2 hours |
"""
START = datetime(2026, 1, 1, tzinfo=UTC)
KEY = SigningKey(name="example.org/log", seed=b"7" * 32)


class World:
    """A store that outlives the proceedings on it."""

    def __init__(self, snapshot_every: int = 100_000, most_records: int = 200_000) -> None:
        self.snapshot_every, self.most_records = snapshot_every, most_records
        self.store, self.log, self.entropy = MemoryStore(), MemoryLog(), CountedEntropy()
        recorder = self.recorder()
        recorder.begin(mode="replay", operator="tests", at=START)
        agreement = load("rules.md", RULES.encode(), lambda _: None).agreement
        assert agreement is not None
        recorder.publish_version(version_of(agreement, name="rules.md", effective=START), START)

    def recorder(self) -> Recorder:
        return Recorder(self.store, self.log, KEY, self.entropy)

    def started(self) -> Proceedings:
        terms = Terms(
            mode="replay",
            delivery=Duration(count=1, unit=Unit.MINUTE),
            history_key=b"h" * 32,
            snapshot_every=self.snapshot_every,
            most_records=self.most_records,
        )
        return Proceedings(self.store, self.recorder(), FixedClock(START), self.entropy, terms)

    def censuses(self) -> list[tuple[datetime, int]]:
        entries = map(parse_entry, self.store.entries(0, self.store.size))
        return [(entry.at, entry.count) for entry in entries if isinstance(entry, CensusEntry)]


def messages(count: int) -> list[Message]:
    """Ten days of a few accounts; now and then somebody's clock is far ahead."""
    chance = random.Random(11)
    return [_ahead(number) if number % 50 == 25 else _message(number, chance) for number in range(count)]


def _ahead(number: int) -> Message:
    one = _message(number, random.Random(number))
    sent = START + timedelta(days=36_500 + number)
    return msgspec.structs.replace(one, author=AccountId("clock"), text="hello", sent=sent)


def _message(number: int, chance: random.Random) -> Message:
    return Message(
        id=MessageId(str(number)),
        source="s",
        author=AccountId(f"a{chance.randrange(5)}"),
        channel=Channel("posts"),
        text=chance.choice(["buy now", "hello", "fine", "well"]),
        sent=START + timedelta(minutes=36 * number),
    )


def told(answers: Sequence[Answer]) -> list[tuple[str, tuple[str, ...]]]:
    return [(answer.outcome, answer.clauses) for answer in answers]


@pytest.mark.parametrize("at_once", [1, 7, 60])
def test_started_anew_after_every_few_messages_it_answers_the_same(at_once: int) -> None:
    sent, whole, broken = messages(250), World(), World()
    running = whole.started()
    once = [running.take(sent[start : start + at_once]) for start in range(0, len(sent), at_once)]
    again = [broken.started().take(sent[start : start + at_once]) for start in range(0, len(sent), at_once)]
    assert [told(each) for each in again] == [told(each) for each in once]
    outcomes = [outcome for each in once for outcome, _ in told(each)]
    assert {"removed", "refused", "allowed"} <= set(outcomes)
    assert any("often" in clauses for each in once for _, clauses in told(each))
    assert broken.censuses() == whole.censuses()
    assert max(count for _, count in whole.censuses()) > 0


@pytest.mark.parametrize("most_records", [1, 3])
def test_with_more_accounts_than_are_kept_at_hand_it_records_the_same(most_records: int) -> None:
    sent, all_kept, few_kept = messages(120), World(), World(most_records=most_records)
    for world in (all_kept, few_kept):
        running = world.started()
        for start in range(0, len(sent), 40):
            running.take(sent[start : start + 40])
    assert list(few_kept.store.facts()) == list(all_kept.store.facts())
    assert few_kept.store.entries(0, few_kept.store.size) == all_kept.store.entries(0, all_kept.store.size)


def test_started_anew_from_snapshots_it_answers_the_same() -> None:
    sent, whole, broken = messages(250), World(), World(snapshot_every=10)
    once = [whole.started().take(sent[start : start + 25]) for start in range(0, len(sent), 25)]
    kept, again = set(), []
    for start in range(0, len(sent), 25):
        running = broken.started()
        again += [running.take(sent[number : number + 1])[0] for number in range(start, start + 25)]
        kept.add(broken.store.snapshot.messages if broken.store.snapshot else 0)
    assert told(again) == told([answer for each in once for answer in each])
    assert len(kept) > 5
    assert kept != set(range(25, 251, 25))  # some messages came after the snapshot that the next start went on from


def test_a_snapshot_that_is_damaged_or_of_other_windows_costs_nothing_but_time() -> None:
    sent, whole, broken = messages(120), World(), World(snapshot_every=1)
    expected = told(whole.started().take(sent))
    first = broken.started().take(sent[:60])
    broken.store.append(
        Write(size=broken.store.size, position=broken.store.position, running=Running(snapshot=b"damaged"))
    )
    assert told([*first, *broken.started().take(sent[60:])]) == expected


class ReadingStore(MemoryStore):
    """Counts the facts that were read."""

    def __init__(self, store: MemoryStore) -> None:
        self.__dict__.update(store.__dict__)
        self.read = 0

    def facts(
        self, kinds: Sequence[type[Fact]] = (), *, after: int = 0, since: datetime | None = None
    ) -> Iterator[Fact]:
        for fact in super().facts(kinds, after=after, since=since):
            self.read += 1
            yield fact


def test_a_start_reads_no_facts_that_no_window_reaches() -> None:
    world = World()
    world.started().take([one for one in messages(400) if one.sent.year == START.year])
    world.store = store = ReadingStore(world.store)
    world.started()
    assert 0 < store.read < store.position / 10
