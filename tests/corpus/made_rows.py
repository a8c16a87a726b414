"""Statements under one agreement: such as its ladders foresee, and such as they do not, for every verifier."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from comity.agreement.load import load
from comity.ledger import entry as ledger
from comity.ledger.entry import Automation, PublicMeasure, canonical, measure
from comity.ledger.log import republication, resume, signed_head
from comity.ledger.note import SigningKey
from comity.ledger.versions import version_file, version_path

AT = datetime(2026, 7, 30, 14, tzinfo=UTC)
KEY = SigningKey(name="example.com/log", seed=bytes(range(32)))
TEXT = """---
comity: 1
title: House rules
channels: [posts, mail, chat]
contact: appeals@example.org
review_within: 5 days
---

# House rules

## No spam {#spam}

Send no advertising.

```rule points=2 counts=both
text.says('spam')
```

| points | measure | channels | for |
|---|---|---|---|
| 2 | mark | | |
| 4 | remove, limit to 3 a day | posts | 1 to 5 days |

## No floods {#flood}

Send no floods.

```rule points=1
author.messages(hours(1)) > 30
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
| 2 | remove, suspend | all | 90 minutes |
| 4 | suspend | same | 1 month |
| 6 | suspend | posts, chat | until reviewed |
| 9 | terminate | all | |
"""


def published(*entries: ledger.Entry, text: bytes | None = TEXT.encode()) -> Mapping[str, bytes]:
    """A log with the version's text beside it; none for None."""
    genesis = ledger.GenesisEntry(
        id=f"{0:032x}", at=AT, operator="Us", origin=KEY.name, key=str(KEY.verifier), retention=7
    )
    version = ledger.AgreementEntry(id=f"{1:032x}", at=AT, agreement=DIGEST, effective=AT)
    contents = [canonical(each) for each in (genesis, version, *entries)]
    files = dict(republication(contents, 0))
    files |= {"checkpoint": signed_head(resume(contents, None), KEY.name, [KEY]), "vkey": str(KEY.verifier).encode()}
    return files if text is None else {**files, version_path(DIGEST): text}


AGREEMENT = load("rules.md", TEXT.encode(), lambda _: None).agreement
assert AGREEMENT is not None
DIGEST = AGREEMENT.digest
PATH, CONTENT = version_file(AGREEMENT.files)
EVERY = frozenset({"posts", "mail", "chat"})


def statement(
    *measures: PublicMeasure,
    live: Mapping[str, int] | None,
    clauses: tuple[str, ...] = ("spam",),
    by: str = "rule",
    points: int = 2,
) -> ledger.StatementEntry:
    return ledger.statement(
        entry_id=f"{2:032x}",
        at=AT,
        agreement=DIGEST,
        clauses=clauses,
        points=points,
        measures=measures,
        by=by,  # type: ignore[arg-type]
        auto=Automation(found=1, decided=1 if by == "rule" else 0),
        live=live,
    )


def until(**time: int) -> datetime:
    return AT + timedelta(**time)


FIRST = {"measures": 2, "spam": 2}
REMOVE, MARK, WARN = measure("remove"), measure("mark"), measure("warn")
CUT = measure("suspend", EVERY, until(minutes=90))
LIMIT = measure("limit to 3 a day", frozenset({"posts"}), until(days=1))
MONTH = measure("suspend", frozenset({"mail"}), datetime(2026, 8, 30, 14, tzinfo=UTC))
REVIEWED = measure("suspend", frozenset({"posts", "chat"}), until(days=5), ("reviewed",))


FORESEEN: tuple[ledger.StatementEntry, ...] = (
    statement(REMOVE, CUT, live=FIRST),
    statement(REMOVE, replace(CUT, until=until(hours=3)), live=FIRST),  # decided within the hour, rounded up
    statement(REMOVE, LIMIT, CUT, live={"measures": 3, "spam": 4}),
    statement(REMOVE, LIMIT, MONTH, live={"measures": 5, "spam": 9}),
    statement(REVIEWED, MARK, live={"measures": 8, "spam": 2}),
    statement(REVIEWED, MARK, live={"measures": 100, "spam": 2}),  # a rule stops below termination
    statement(live={"measures": 0}, clauses=("flood",), points=0),
    statement(WARN, live={"measures": 1}, clauses=("flood",), points=1),
    statement(CUT, live={"measures": 2}, clauses=("flood",), points=1),  # conduct is never removed
    statement(MARK, live={"measures": 6, "spam": 2}, points=0),  # nothing added to its step: the message alone
    statement(measure("terminate", EVERY), live={"measures": 9, "spam": 2}, by="person"),
    statement(measure("hold", EVERY, until(hours=1)), live=FIRST, by="person"),
    statement(WARN, live=FIRST, by="person"),
    statement(live=FIRST, by="person"),
    statement(measure("limit to 9 a day", frozenset({"posts"}), until(days=5)), live=FIRST | {"spam": 4}, by="person"),
)

UNFORESEEN: tuple[tuple[ledger.StatementEntry, str], ...] = (
    (statement(REMOVE, measure("suspend", EVERY), live=FIRST), "a rule took remove; suspend on chat, mail, posts,"),
    (
        statement(REMOVE, replace(CUT, until=until(hours=4)), live=FIRST),
        "until 2026-07-30 18:00, but the ladder's row",
    ),
    (statement(REMOVE, replace(CUT, until=until(hours=1)), live=FIRST), "a rule took"),
    (
        statement(WARN, live={"measures": 2}, clauses=("flood",)),
        "a rule took warn, but the ladder's row is suspend",
    ),
    (statement(live=FIRST), "a rule took nothing, but"),
    (statement(CUT, live=FIRST), "a rule took"),
    (statement(REMOVE, CUT, MONTH, live=FIRST), "a rule took"),
    (statement(REMOVE, replace(CUT, chan=("mail", "posts")), live=FIRST), "a rule took"),
    (statement(REMOVE, LIMIT, MONTH, live={"measures": 3, "spam": 4}), "a rule took"),
    (statement(MARK, replace(REVIEWED, until=until(days=9)), live={"measures": 8, "spam": 2}), "a rule took"),
    (statement(live={"measures": 9}, clauses=("flood",)), "a rule took nothing, but the ladder's row is suspend"),
    (
        statement(WARN, live={"measures": 0}, clauses=("flood",)),
        "a rule took warn, but the ladder's row is nothing",
    ),
    (statement(REMOVE, CUT, live={"measures": 2}), "it counts on the ladders measures, but its clauses on"),
    (statement(REMOVE, CUT, live=FIRST | {"flood": 2}), "it counts on the ladders"),
    (statement(REMOVE, CUT, live={}), "it counts on the ladders none,"),
    (statement(measure("terminate", EVERY), live=FIRST, by="person"), "a person took terminate"),
    (statement(measure("suspend", EVERY), live=FIRST, by="person"), "harsher than the ladder's row"),
    (statement(replace(CUT, until=until(hours=4)), live=FIRST, by="person"), "a person took"),
    (statement(WARN, live={"measures": 0}, clauses=("flood",), by="person"), "a person took warn"),
    (
        statement(replace(LIMIT, until=until(days=6)), live={"measures": 0, "spam": 4}, by="person"),
        "which is harsher than the ladder's row: remove; limit to 3 a day on posts for 5 days",
    ),
)
"""Each with what Comity says of it."""
