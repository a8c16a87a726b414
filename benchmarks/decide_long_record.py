"""What one more decision costs an account that has thousands, beside what its first ones cost, by CPU time.

A breach every other hour, points that are kept for a week: eighty-four of them are live at a time. The cost should
follow these and not the decisions; a decision states every point that it was taken at, so it does grow with them.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta

from comity.agreement import load
from comity.casework.facts import Decided
from comity.flow.agreement import version_of
from comity.flow.message import Proceedings
from comity.flow.publish import Recorder
from comity.flow.terms import Terms
from comity.ledger.note import SigningKey
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message
from comity.stores.memory import MemoryStore
from comity.stores.world import CountedEntropy, FixedClock, MemoryLog
from common import START, expect, part, report

COUNT = 4_000
GROUP = 100
LIVE = 84
MEASURED = 400
RULES = b"""---
comity: 1
title: Rules
channels: [posts]
points_expire: 7 days
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
| 1 | remove, warn | | |
| 4 | remove, limit reach | same | 1 hour |
"""

store, entropy = MemoryStore(), CountedEntropy()
recorder = Recorder(store, MemoryLog(), SigningKey(name="example.org/log", seed=b"7" * 32), entropy)
recorder.begin(mode="replay", operator="benchmark", at=START)
agreement = load("rules.md", RULES, lambda _: None).agreement
if agreement is None:
    sys.exit("the rules do not load")
recorder.publish_version(version_of(agreement, name="rules.md", effective=START), START)
terms = Terms(mode="replay", delivery=Duration(count=1, unit=Unit.MINUTE), history_key=b"h" * 32)
running = Proceedings(store, recorder, FixedClock(START), entropy, terms)
sent = [
    Message(
        id=MessageId(str(number)),
        source="benchmark",
        author=AccountId("account"),
        channel=Channel("posts"),
        text=f"buy now, offer {number}",
        sent=START + timedelta(hours=number * 2),
    )
    for number in range(COUNT)
]
spent = []
for start in range(0, COUNT, GROUP):
    begun = time.process_time()
    running.take(sent[start : start + GROUP])
    spent.append((time.process_time() - begun) / GROUP * 1e6)
decided = [fact for fact in store.facts([Decided]) if isinstance(fact, Decided)]
expect(len(decided) == COUNT, f"{len(decided)} decisions of {COUNT}")
expect(len(decided[-1].counted) in (LIVE - 1, LIVE), f"{len(decided[-1].counted)} live points")
groups = MEASURED // GROUP
# the first hundred have fewer points than the others
early, late = min(spent[1 : 1 + groups]), min(spent[-groups:])
part("the 100th to 500th decision", early, "us")
part(f"the last {MEASURED} of {COUNT}", late, "us")
report(late / early, "x", target="< 1.5 x")
