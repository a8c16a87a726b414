"""Messages a second that `comity run` takes in, judges and records durably, when one in a hundred breaches.

Beside it, on the same disk: what SQLite alone does with the same durability (WAL, `synchronous=FULL`) when it is given
the same messages as rows, in transactions of a thousand, with nothing judged, decided, stated or signed.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import apsw

from common import comity, expect, messages, report, seconds, write_json_lines

COUNT = 50_000
BREACH_EVERY = 100
BATCH = 1000
AGREEMENT = """---
comity: 1
title: Benchmark
channels: [posts]
lexicons:
  pills: pills.txt
---

# Benchmark

## No pills {#pills}

Do not sell pills.

```rule
text.saysAny("pills")
```

```examples
breach: cheap pills here
fine: a letter
```

## No flooding {#flooding}

Do not post the same text again and again.

```rule
text.size() > 30 && author.copies(minutes(10)) >= 5
```

```examples
breach: My shop has moved to the market square, come and see it
  author.copies: 5
fine: a letter
```

## No links from new accounts {#links}

Do not post many links from a new account.

```rule
links.size() > 3 && author.age < days(7)
```

```examples
breach: http://a.example http://b.example http://c.example http://d.example
  author.age: 1 day
fine: a letter
```

## What happens {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
| 3 | remove, limit reach | same | 1 day |
"""


def bare_sqlite(file: Path) -> None:
    """The messages as rows, with the record's durability and nothing else."""
    connection = apsw.Connection(str(file))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE message (id TEXT PRIMARY KEY, author TEXT, sent TEXT, text TEXT)")
    rows = [(m["id"], m["author"], m["sent"], m["text"]) for m in made()]
    for start in range(0, COUNT, BATCH):
        with connection:
            connection.executemany("INSERT INTO message VALUES (?, ?, ?, ?)", rows[start : start + BATCH])
    connection.close()


def made() -> Iterator[dict[str, str]]:
    return messages(COUNT, breach_every=BREACH_EVERY, breach="cheap pills")


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "agreement.md").write_text(AGREEMENT, encoding="utf-8", newline="\n")
    (folder / "pills.txt").write_text("cheap pills\nblue pills\n", encoding="utf-8")
    write_json_lines(folder / "messages.jsonl", made())
    comity("publish", "agreement.md", "--from", "2025-01-01T00:00:00Z", "--replay", folder=folder)
    took = seconds(lambda: comity("run", "messages.jsonl", "--as-sent", folder=folder))
    summary = json.loads(comity("run", "messages.jsonl", "--as-sent", "--json", folder=folder))
    expect(sum(summary["outcomes"].values()) == COUNT, f"of {COUNT} messages: {summary}")
    expect(summary["clauses"] == {"pills": COUNT // BREACH_EVERY}, f"breaches: {summary}")
    expect(summary["statements"] == COUNT // BREACH_EVERY, f"statements: {summary}")
    expect("verified" in comity("verify", folder=folder), "the ledger does not verify")
    bare = seconds(lambda: bare_sqlite(folder / "bare.db"))

print(f"comity run: {COUNT / took:.0f} messages/s; bare SQLite: {COUNT / bare:.0f} rows/s; ratio {bare / took:.3f}")
report(COUNT / took, "messages/s", target="> 5000 messages/s")
