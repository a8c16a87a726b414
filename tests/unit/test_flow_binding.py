"""Which version binds a message, and what happens to messages that nobody may judge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from comity.agreement import load
from comity.casework.facts import Accepted, AcceptedBy, Decided, Delivered, How
from comity.casework.refused import RefusedError
from comity.flow import accounts
from comity.flow.agreement import version_of
from comity.flow.message import Proceedings
from comity.flow.publish import Mode, Recorder
from comity.flow.terms import Terms
from comity.ledger.note import SigningKey
from comity.ledger.verify import verify
from comity.model.agreement import Agreement
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message
from comity.ports import Outcome
from comity.stores.memory import MemoryStore
from comity.stores.world import CountedEntropy, FixedClock, MemoryLog

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = SigningKey(name="example.org/log", seed=b"k" * 32)


def agreement(word: str, front: str = "") -> Agreement:
    text = f"""---
comity: 1
title: No {word}
channels: [posts, mail]
{front}---

# No {word}

## Word {{#word}}

Do not say {word}.

```rule
text.says("{word}")
```

```examples
breach: {word}
fine: hello
```

## Flood {{#flood}}

Do not flood.

```rule points=2
author.messages(hours(1)) > 3
```

```examples
breach: hello
  author.messages: 4
fine: hello
```

## Measures {{#measures}}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
| 2 | suspend | same | 10 minutes |
"""
    found = load("rules.md", text.encode(), lambda _: None).agreement
    assert found is not None
    return found


OLD, NEW = agreement("old"), agreement("new")
GOING_ON = agreement("old", "accepted_by_going_on: 14 days\n")
ANN = AccountId("ann")


class World:
    """The old version is in force since a month ago, the new one since yesterday, those between since 20 days ago."""

    def __init__(self, mode: Mode, old: Agreement = OLD, *between: Agreement) -> None:
        self.store, self.log, self.clock = MemoryStore(), MemoryLog(), FixedClock(NOW)
        entropy = CountedEntropy()
        recorder = Recorder(self.store, self.log, KEY, entropy)
        recorder.begin(mode=mode, operator="tests", at=NOW)
        every = [(old, NOW - 30 * DAY), *((each, NOW - 20 * DAY) for each in between), (NEW, NOW - DAY)]
        for version, since in every:
            recorder.publish_version(version_of(version, name="rules.md", effective=since), NOW - 30 * DAY)
        terms = Terms(mode=mode, delivery=Duration(count=1, unit=Unit.MINUTE), history_key=b"h" * 32)
        self.proceedings = Proceedings(self.store, recorder, self.clock, entropy, terms)
        self._count = 0

    def outcome(self, text: str, sent: datetime = NOW, channel: str = "posts") -> tuple[Outcome, tuple[str, ...]]:
        self._count += 1
        message = Message(
            id=MessageId(str(self._count)),
            author=AccountId("ann"),
            channel=Channel(channel),
            text=text,
            sent=sent,
            source="s",
        )
        (answer,) = self.proceedings.take([message])
        return answer.outcome, answer.clauses

    def accept(self, version: Agreement, at: datetime, language: str = "en") -> None:
        fact = Accepted(account=AccountId("ann"), at=at, agreement=version.digest, language=language)
        self.proceedings.note(fact)


def test_7_who_accepted_nothing_is_bound_by_the_version_in_force_when_they_sent_it() -> None:
    world = World("live")
    assert world.outcome("old", NOW - 2 * DAY)[1] == ("word",)
    assert world.outcome("old", NOW)[1] == ()
    assert world.outcome("new", NOW)[1] == ("word",)


def test_7_who_accepted_a_version_is_bound_by_it_whatever_came_into_force() -> None:
    world = World("live")
    world.accept(OLD, NOW - 2 * DAY)
    assert world.outcome("new", NOW)[1] == ()
    assert world.outcome("old", NOW)[1] == ("word",)
    world.accept(NEW, NOW)
    assert world.outcome("new", NOW + DAY)[1] == ("word",)


def told(world: World, at: datetime = NOW, version: Agreement | None = None) -> Accepted:
    digest = version.digest if version else None
    return accounts.accept(world.proceedings, ANN, digest, None, at, by=AcceptedBy.NOTICE)


def test_7_who_was_told_of_a_version_is_bound_by_it_when_going_on_counts_as_their_agreement_says() -> None:
    world = World("live", GOING_ON)
    world.accept(GOING_ON, NOW - 2 * DAY)
    fact = told(world)
    assert (fact.by, fact.binds_from) == (AcceptedBy.NOTICE, NOW + 14 * DAY)
    assert world.outcome("new", NOW + 13.9 * DAY)[1] == ()
    assert world.outcome("old", NOW + 13.9 * DAY)[1] == ("word",)
    (decided,) = [fact for fact in world.store.facts() if isinstance(fact, Decided)]
    world.proceedings.note(Delivered(account=ANN, at=NOW, decision=decided.decision, how=How.SOURCE))
    assert world.outcome("new", NOW + 14 * DAY)[1] == ("word",)
    first, last = [fact.statement for fact in world.store.facts() if isinstance(fact, Decided)]
    assert (first.is_bound_by_acceptance, first.is_bound_by_notice) == (True, False)
    assert (last.is_bound_by_acceptance, last.is_bound_by_notice) == (True, True)


def test_an_acceptance_is_due_until_going_on_counts_or_the_account_says_so_itself() -> None:
    world = World("live", GOING_ON)
    world.accept(GOING_ON, NOW - 2 * DAY)
    told(world)
    due = partial(world.proceedings.versions.due, world.proceedings.record(ANN))
    assert (due(NOW + 13.9 * DAY), due(NOW + 14 * DAY)) == (NEW.digest, None)
    world.accept(NEW, NOW)
    assert world.proceedings.versions.due(world.proceedings.record(ANN), NOW + 2 * DAY) is None
    world.outcome("new", NOW + 20 * DAY)
    (decided,) = [fact for fact in world.store.facts() if isinstance(fact, Decided)]
    assert not decided.statement.is_bound_by_notice


def test_the_last_version_that_an_account_was_told_of_does_not_bind_it_before_its_time() -> None:
    world = World("live", GOING_ON)
    world.accept(GOING_ON, NOW - 30 * DAY)
    told(world, NOW - 14 * DAY)
    assert world.outcome("new", NOW)[1] == ("word",)
    assert world.outcome("new", NOW - 2 * DAY)[1] == (), "it counted, but the version was not in force yet"


@pytest.mark.parametrize(
    ("old", "accepted", "version", "says"),
    [
        (OLD, OLD, NEW, "does not say that going on counts"),
        (GOING_ON, None, NEW, "has accepted no version"),
        (GOING_ON, GOING_ON, GOING_ON, "by that version already"),
        (GOING_ON, NEW, GOING_ON, "or by a later one"),
    ],
)
def test_going_on_counts_only_where_the_account_agreed_to_that(
    old: Agreement, accepted: Agreement | None, version: Agreement, says: str
) -> None:
    world = World("live", old)
    if accepted is not None:
        world.accept(accepted, NOW - DAY)
    before = world.store.position
    with pytest.raises(RefusedError, match=says):
        told(world, version=version)
    assert world.store.position == before


def test_going_on_counts_also_under_a_version_that_was_accepted_by_going_on() -> None:
    """How soon, that version says."""
    middle = agreement("middle", "accepted_by_going_on: 20 days\n")
    world = World("live", GOING_ON, middle)
    world.accept(GOING_ON, NOW - 30 * DAY)
    assert told(world, NOW - 20 * DAY, middle).binds_from == NOW - 6 * DAY
    assert told(world).binds_from == NOW + 20 * DAY


def test_who_accepted_a_version_that_is_not_in_force_yet_agreed_to_nothing_of_the_one_before_it() -> None:
    world = World("live", GOING_ON)
    world.accept(NEW, NOW - 3 * DAY)
    before = world.store.position
    with pytest.raises(RefusedError, match="has accepted no version that is in force"):
        told(world, NOW - 2 * DAY, NEW)
    assert world.store.position == before


def test_a_new_version_never_reaches_back() -> None:
    world = World("live")
    world.accept(NEW, NOW)
    assert world.outcome("new", NOW - 2 * DAY)[1] == ()


def test_before_any_version_nobody_is_bound_but_in_a_replay_the_first_one_binds() -> None:
    assert World("live").outcome("old", NOW - 99 * DAY) == (Outcome.UNBOUND, ())
    assert World("replay").outcome("old", NOW - 99 * DAY)[1] == ("word",)


def test_a_message_of_somebody_cut_off_is_refused_and_not_judged_but_counted() -> None:
    world = World("live")
    for second in range(4):
        outcome = world.outcome("hello", NOW + timedelta(seconds=second))
    assert outcome == (Outcome.ALLOWED, ("flood",))
    assert world.outcome("new", NOW + timedelta(seconds=5)) == (Outcome.REFUSED, ())
    assert world.outcome("hello", NOW + timedelta(seconds=6), channel="mail")[1] == ("flood",)
    world.clock.at = NOW + timedelta(minutes=10)
    assert world.outcome("hello", NOW + timedelta(hours=2))[0] is Outcome.ALLOWED


def test_a_message_taken_in_twice_is_answered_as_before_and_changes_nothing() -> None:
    world = World("live")
    message = Message(
        id=MessageId("1"), author=AccountId("ann"), channel=Channel("posts"), text="new", sent=NOW, source="s"
    )
    first = world.proceedings.take([message, message])
    size = world.store.size
    assert world.proceedings.take([message]) == first[:1]
    assert first[0] == first[1]
    assert world.store.size == size


def test_an_acceptance_is_in_the_ledger_and_the_statement_says_that_it_binds() -> None:
    world = World("live")
    world.accept(NEW, NOW)
    world.outcome("new", NOW + timedelta(seconds=1))
    report = verify(world.log.read, str(KEY.verifier))
    assert report.is_fine, report.problems
    assert report.counts["acceptances"] == 1
    (decided,) = [fact for fact in world.store.facts() if isinstance(fact, Decided)]
    assert decided.statement.is_bound_by_acceptance
    assert len(world.store.openings(decided.decision)) == 3
