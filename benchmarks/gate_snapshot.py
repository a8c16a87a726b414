"""Everything at once, as a new gate asks for it: what an entry costs the centre that tells it and the gate.

A record on SQLite cuts off so many accounts; then the centre makes a snapshot, and a gate takes it, and holds each cut
against the bundles of the published log. Processor time, since the machine may be busy.
python benchmarks/gate_snapshot.py [CUTS]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from contextlib import closing
from datetime import timedelta
from io import BytesIO
from pathlib import Path

from comity.agreement import load
from comity.flow.agreement import version_of
from comity.flow.feed import FeedSource
from comity.flow.message import Proceedings
from comity.flow.publish import Recorder
from comity.flow.terms import Terms
from comity.gates.replica import Manner
from comity.gates.snapshot import take
from comity.ledger.note import SigningKey
from comity.ledger.policy import KnownLog, Policy
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message
from comity.ports import PublishedLog, Store
from comity.stores.log_folder import LogFolder
from comity.stores.sqlite import SqliteStore
from comity.stores.world import CountedEntropy, FixedClock
from common import START, expect, part, report

CUTS = int(sys.argv[1]) if sys.argv[1:] else 20_000
GROUP = 500
AT = START + timedelta(hours=1)
KEY = SigningKey(name="example.org/log", seed=b"7" * 32)
RULES = b"""---
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

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | suspend | all | 300 days |
"""


def begun(store: Store, log: PublishedLog, rules: bytes = RULES) -> Proceedings:
    """A record with its agreement, ready for messages."""
    entropy = CountedEntropy()
    recorder = Recorder(store, log, KEY, entropy)
    recorder.begin(mode="replay", operator="benchmark", at=START)
    agreement = load("rules.md", rules, lambda _: None).agreement
    if agreement is None:
        sys.exit("the rules do not load")
    recorder.publish_version(version_of(agreement, name="rules.md", effective=START), START)
    terms = Terms(mode="replay", delivery=Duration(count=1, unit=Unit.MINUTE), history_key=b"h" * 32)
    return Proceedings(store, recorder, FixedClock(START), entropy, terms)


def fill(store: Store, log: PublishedLog) -> None:
    record = begun(store, log)
    for first in range(0, CUTS, GROUP):
        record.take([spam(number) for number in range(first, min(first + GROUP, CUTS))])


def spam(number: int) -> Message:
    author = AccountId(f"account-{number:024d}")
    return Message(
        id=MessageId(f"{number}"), source="b", author=author, channel=Channel("posts"), text="buy now", sent=START
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = LogFolder(folder / "log")
        with closing(SqliteStore(folder / "comity.db")) as store:
            fill(store, log)
            measure(FeedSource(store, log, lambda statement: f"https://rules.example.org/r/{statement}"), log)


def measure(source: FeedSource, log: PublishedLog) -> None:
    manner = Manner(policy=Policy(logs=(KnownLog(key=KEY.verifier),)))
    start = time.process_time()
    entries = BytesIO()
    head, tail = source.write_snapshot(entries)
    content = head + entries.getvalue() + tail
    told = time.process_time()
    pieces = [content[at : at + (1 << 16)] for at in range(0, len(content), 1 << 16)]
    begun = time.process_time()
    taken = take(pieces, log.read, manner, AT)
    took = time.process_time() - begun
    expect(len(taken.known.records) == CUTS and not taken.known.unproven, "the gate knows and believes all of it")
    part("the centre tells an entry", (told - start) / CUTS * 1e6, "us")
    part("bytes of an entry", len(content) / CUTS, "bytes")
    part("memory at most, of both", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB")
    report(took / CUTS * 1e6, "us", target="<= 20 us an entry, at the gate")


if __name__ == "__main__":
    main()
