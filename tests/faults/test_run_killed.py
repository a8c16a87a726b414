"""Killed at any moment, a run goes on where it was: nothing is judged twice, nothing lost, the ledger verifies."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comity.agreement import load
from comity.casework.facts import Decided, Joined
from comity.flow.agreement import version_of
from comity.flow.message import Proceedings
from comity.flow.publish import Recorder
from comity.flow.terms import Terms
from comity.ledger.note import SigningKey
from comity.ledger.verify import verify
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message
from comity.ports import Answer, PublishedLog, Store
from comity.stores.log_folder import LogFolder
from comity.stores.sqlite import SqliteStore
from comity.stores.world import CountedEntropy, FixedClock
from comity.testing.faults import FailureError, FaultyLog, FaultyStore, When

RULES = """---
comity: 1
title: Rules
channels: [posts]
---

# Rules

## Spam {#spam}

Do not advertise.

```rule
text.says("buy now") || author.copies(hours(1)) >= 3
```

```examples
breach: Buy now
fine: Hello
```

## Flood {#flood}

Do not flood.

```rule
author.messages(minutes(10)) > 8
```

```examples
breach: x
  author.messages: 9
fine: x
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | remove, warn | | |
| 2 | remove, suspend | same | 1 hour |
"""
START = datetime(2026, 1, 1, tzinfo=UTC)
KEY = SigningKey(name="example.org/log", seed=b"7" * 32)
AT_ONCE = 40


def messages(count: int) -> list[Message]:
    chance = random.Random(5)
    texts = ["buy now", "hello", "how are you", "what a day", "same again"]
    return [
        Message(
            id=MessageId(str(number)),
            source="s",
            author=AccountId(f"a{chance.randrange(12)}"),
            channel=Channel("posts"),
            text=chance.choice(texts) + (f" {number}" if chance.random() < 0.8 else ""),
            sent=START + timedelta(seconds=number * 20 + chance.randrange(60)),
        )
        for number in range(count)
    ]


def proceedings(store: Store, log: PublishedLog, seed: str) -> Proceedings:
    entropy, clock = CountedEntropy(seed), FixedClock(START)
    recorder = Recorder(store, log, KEY, entropy)
    if not store.versions():
        recorder.begin(mode="replay", operator="tests", at=START)
        agreement = load("rules.md", RULES.encode(), lambda _: None).agreement
        assert agreement is not None
        recorder.publish_version(version_of(agreement, name="rules.md", effective=START), START)
    terms = Terms(mode="replay", delivery=Duration(count=1, unit=Unit.MINUTE), history_key=b"h" * 32)
    return Proceedings(store, recorder, clock, entropy, terms)


def take_all(running: Proceedings, sent: Sequence[Message]) -> list[Answer]:
    answers: list[Answer] = []
    for start in range(0, len(sent), AT_ONCE):
        answers += running.take(sent[start : start + AT_ONCE])
    return answers


def told(answers: Sequence[Answer]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Answers without their ids, which are random."""
    return [(answer.message, answer.outcome, answer.clauses) for answer in answers]


@pytest.fixture
def log(tmp_path: Path) -> LogFolder:
    folder = LogFolder(tmp_path / "log")
    folder.path.mkdir()
    folder.write_vkey(KEY.verifier)
    return folder


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize("countdown", [1, 2, 5])
@pytest.mark.parametrize("fault", ["store", "log"])
def test_a_failure_at_any_step_leaves_a_record_that_goes_on(
    fault: str, countdown: int, when: When, tmp_path: Path, log: LogFolder
) -> None:
    sent = messages(400)
    whole = SqliteStore(tmp_path / "whole.db")
    whole_log = LogFolder(tmp_path / "whole")
    whole_log.path.mkdir()
    expected = told(take_all(proceedings(whole, whole_log, "a"), sent))
    store = SqliteStore(tmp_path / "comity.db")
    proceedings(store, log, "b")  # published; the faults are planted in what follows
    faulty_store = FaultyStore(store, countdown=countdown, when=when) if fault == "store" else store
    faulty_log = FaultyLog(log, countdown=countdown, when=when) if fault == "log" else log
    with pytest.raises(FailureError):
        take_all(proceedings(faulty_store, faulty_log, "c"), sent)
    store.close()

    store = SqliteStore(tmp_path / "comity.db")
    running = proceedings(store, log, "d")
    assert verify(log.read).is_fine
    assert told(take_all(running, sent)) == expected
    assert verify(log.read).is_fine
    assert verify(log.read).size == store.size
    assert breaches(store) == breaches(whole)
    store.close()
    whole.close()


@pytest.mark.parametrize("when", list(When))
def test_proceedings_that_could_not_publish_publish_it_with_what_comes_next(
    when: When, tmp_path: Path, log: LogFolder
) -> None:
    store, sent = SqliteStore(tmp_path / "comity.db"), messages(400)
    proceedings(store, log, "a")
    running = proceedings(store, FaultyLog(log, countdown=2, when=when), "b")
    with pytest.raises(FailureError):
        take_all(running, sent)
    assert len(take_all(running, sent)) == 400
    report = verify(log.read)
    assert report.is_fine, report.problems
    assert report.size == store.size
    store.close()


def breaches(store: Store) -> list[tuple[str, str]]:
    found = []
    for fact in store.facts():
        match fact:
            case Decided():
                found += [(breach.message, breach.clause) for breach in fact.breaches]
            case Joined():
                found.append((fact.breach.message, fact.breach.clause))
            case _:
                continue
    return found


def test_no_message_and_clause_is_decided_twice(tmp_path: Path, log: LogFolder) -> None:
    store = SqliteStore(tmp_path / "comity.db")
    sent = messages(300)
    take_all(proceedings(store, log, "a"), sent)
    take_all(proceedings(store, log, "b"), sent[::-1])
    found = breaches(store)
    assert len(found) == len(set(found)) > 10
    store.close()


def test_killed_in_a_loop_it_ends_as_if_it_had_never_been(tmp_path: Path) -> None:
    (tmp_path / "agreement.md").write_text(RULES)
    rows = [
        {"id": one.id, "author": one.author, "channel": one.channel, "text": one.text, "sent": one.sent.isoformat()}
        for one in messages(6_000)
    ]
    (tmp_path / "messages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "comity.app", "run", "messages.jsonl", "--as-sent", "--json"]
    subprocess.run([*command, "--store", "whole"], cwd=tmp_path, check=True, capture_output=True)
    chance, kills = random.Random(3), 0
    while True:
        running = subprocess.Popen([*command, "--store", "killed"], cwd=tmp_path, stdout=-3, stderr=-3)
        try:
            assert running.wait(timeout=chance.uniform(0.5, 1.4) + kills * 0.4) == 0
            break
        except subprocess.TimeoutExpired:
            running.send_signal(signal.SIGKILL)
            running.wait()
            kills += 1
    stores = [SqliteStore(tmp_path / name / "comity.db", writes=False) for name in ("whole", "killed")]
    assert kills > 0
    assert breaches(stores[0]) == breaches(stores[1])
    report = verify(LogFolder(tmp_path / "killed" / "log").read)
    assert report.is_fine
    assert report.size == stores[1].size
    for store in stores:
        store.close()
