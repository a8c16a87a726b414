"""A record of a million facts for benchmarks, written in large transactions by the record's own means.

Of each of 200,000 accounts a message, an acceptance, a finding, a case, a decision with its ledger entry and openings,
and its delivery, all over a year.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from comity.agreement import load
from comity.casework.case_facts import CaseClosed, CaseOpened, Found
from comity.casework.facts import Accepted, Decided, Delivered, Fact, How
from comity.casework.recorded import Recorded, recorded
from comity.engine.trace import Tracer
from comity.flow.agreement import Versions, version_of
from comity.flow.message import Proceedings
from comity.flow.publish import Recorder
from comity.flow.terms import Terms
from comity.ledger.note import SigningKey
from comity.model.clause import Decide
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, CaseId, Channel, DecisionId, MessageId, ReviewerId
from comity.model.message import Message
from comity.ports import Answer, Outcome, Running, Store, Taken
from comity.stores.log_folder import LogFolder
from comity.stores.world import CountedEntropy, FixedClock
from common import START

FACTS = 1_000_000
AT_ONCE = 5_000
"""Decisions in a transaction; five facts each."""
DECISIONS = FACTS // 5
STEP = timedelta(days=365) / DECISIONS
RESTRICTED = 500
"""As many of those decided last are restricted still; at the first message of a day a census asks all of them."""
HISTORY_KEY = b"h" * 32
MARA = ReviewerId("mara")
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
text.says("buy now") || author.copies(hours(1)) > 5
```

## Often {#often}

Do not go on breaching.

```rule
author.breaches(days(30)) >= 9
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | remove, limit reach | same | 1 day |
"""


def recorder(store: Store, folder: Path) -> Recorder:
    return Recorder(store, LogFolder(folder / "log"), KEY, CountedEntropy(str(store.position)))


def proceedings(store: Store, folder: Path) -> Proceedings:
    terms = Terms(mode="replay", delivery=Duration(count=1, unit=Unit.MINUTE), history_key=HISTORY_KEY)
    return Proceedings(store, recorder(store, folder), FixedClock(START), CountedEntropy(str(store.position)), terms)


def spam(number: int, at: datetime) -> Message:
    author = AccountId(f"account-{number}")
    return Message(
        id=MessageId(f"{number}"), source="b", author=author, channel=Channel("posts"), text="buy now", sent=at
    )


def template(store: Store, folder: Path) -> Decided:
    """A decision that the record took, to make the others after."""
    writer = recorder(store, folder)
    writer.begin(mode="replay", operator="benchmark", at=START)
    agreement = load("rules.md", RULES, lambda _: None).agreement
    if agreement is None:
        sys.exit("the rules do not load")
    writer.publish_version(version_of(agreement, name="rules.md", effective=START), START)
    proceedings(store, folder).take([spam(-1, START)])
    return next(fact for fact in store.facts([Decided]) if isinstance(fact, Decided))


def facts_of(number: int, like: Decided, *, is_closed: bool) -> tuple[Fact, ...]:
    """What happened to one account, all of it in its moment of the year. `is_closed`: a person decided its case."""
    at, account, decision = START + STEP * number, AccountId(f"account-{number}"), DecisionId(f"{number:032x}")
    ago = at - like.at
    measures = tuple(
        msgspec.structs.replace(
            one,
            account=account,
            decision=decision,
            start=at,
            end=one.end + ago if one.end else None,
        )
        for one in like.measures
    )
    statement = msgspec.structs.replace(like.statement, id=decision, account=account, at=at, measures=measures)
    decided = msgspec.structs.replace(
        like, account=account, at=at, decision=decision, measures=measures, statement=statement
    )
    breach, case = like.breaches[0], CaseId(f"c{number}")
    closed = CaseClosed(account=account, at=at, case=case, by=MARA, why="It is.", decision=decision)
    return (
        Accepted(account=account, at=at, agreement=breach.agreement, language="und"),
        Found(account=account, at=at, breach=breach, decide=Decide.REVIEW, case=case),
        CaseOpened(account=account, at=at, case=case, why="A rule asks for a person."),
        msgspec.structs.replace(decided, by=MARA) if is_closed else decided,
        Delivered(account=account, at=at, decision=decision, how=How.REPLAY),
        *((closed,) if is_closed else ()),
    )


def fill(store: Store, folder: Path, *, waiting: int = DECISIONS) -> None:
    """The million facts, and a message to each decision. `waiting`: so many of the last cases are still open."""
    like, writer = template(store, folder), recorder(store, folder)
    tracer = Tracer(Versions(store.versions()).windows, key=HISTORY_KEY)
    for first in range(0, DECISIONS, AT_ONCE):
        numbers = range(first, first + AT_ONCE)
        facts = [fact for number in numbers for fact in facts_of(number, like, is_closed=number < DECISIONS - waiting)]
        by_id = {fact.decision: recorded(fact) for fact in facts if isinstance(fact, Decided)}
        restricted = [AccountId(f"account-{number}") for number in numbers[-RESTRICTED:]]
        running = Running(reached=facts[-1].at, restricted=restricted, released=tuple(store.restricted()))
        writer.record(
            [taken(spam(number, START + STEP * number), tracer) for number in numbers],
            facts,
            recorded=partial(known, by_id),
            active=lambda _: [],
            running=partial(replace, running),
        )


def known(by_id: Mapping[DecisionId, Recorded], _: AccountId, decision: DecisionId) -> Recorded:
    return by_id[decision]


def taken(message: Message, tracer: Tracer) -> Taken:
    answer = Answer(message=message.id, outcome=Outcome.REMOVED)
    return Taken(message=message, trace=tracer.encode(tracer.trace(message)), answer=answer, keep_text=True)
