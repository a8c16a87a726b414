"""What an account may do now, asked of a record of 10,000 facts, beside folding those facts anew for the answer.

The facts are 5,000 decisions with their deliveries, as the record made them of 5,000 breaches; the newest restricts a
channel. That a record grown by one fact at a time says what a full replay says is checked here for the answer, and
for all kinds of facts in `tests/properties`.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from comity.agreement import load
from comity.casework.record import fold, standing
from comity.flow.agreement import version_of
from comity.flow.message import Proceedings
from comity.flow.publish import Recorder
from comity.flow.terms import Terms
from comity.ledger.note import SigningKey
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.measure import State
from comity.model.message import Message
from comity.stores.memory import MemoryStore
from comity.stores.world import CountedEntropy, FixedClock, MemoryLog
from common import START, expect, median_seconds, part, report

BREACHES = 5_000
ANN, POSTS = AccountId("ann"), Channel("posts")
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
| 1 | limit reach | all | 1 hour |
"""

agreement = load("rules.md", RULES, lambda _: None).agreement
if agreement is None:
    sys.exit("the rules do not load")
store, entropy = MemoryStore(), CountedEntropy()
recorder = Recorder(store, MemoryLog(), SigningKey(name="example.org/log", seed=b"7" * 32), entropy)
recorder.begin(mode="replay", operator="benchmark", at=START)
recorder.publish_version(version_of(agreement, name="rules.md", effective=START), START)
terms = Terms(mode="replay", delivery=Duration(count=1, unit=Unit.MINUTE), history_key=b"h" * 32)
running = Proceedings(store, recorder, FixedClock(START), entropy, terms)
sent = [START + timedelta(hours=2 * number) for number in range(BREACHES)]
for number, at in enumerate(sent):
    message = Message(id=MessageId(str(number)), source="s", author=ANN, channel=POSTS, text="buy now", sent=at)
    running.take([message])

record, facts, now = running.record(ANN), store.facts_of(ANN), sent[-1] + timedelta(minutes=2)
expect(len(facts) == 2 * BREACHES, f"{len(facts)} facts")
expect(standing(record, POSTS, now).state is State.LIMITED, "the newest measure does not hold")
expect(fold(ANN, facts) == record, "a full replay gives another record")
asked = median_seconds(lambda: standing(record, POSTS, now), runs=101)
replayed = median_seconds(lambda: standing(fold(ANN, facts), POSTS, now), runs=5)
part("asked of the record", asked * 1e6, "us", target="< 1000 us")
part("of its facts, folded anew", replayed * 1e6, "us")
report(replayed / asked, "times", target="> 100 times")
