"""Messages a second that one core takes through `comity backtest` from Parquet, history windows included.

    python benchmarks/backtest_parquet.py [MESSAGES]

Beside it, on the same file: what `pyarrow` takes to turn its columns into Python values and do nothing with them; the
same backtest with all cores; and the same again after a number in a clause was changed. The findings are compared with
those of `comity judge`, message by message, on a file that is small enough for that.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common import START, WORDS, comity, expect, part, report, seconds

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
COMPARED = 100_000
AT_ONCE = 1 << 17
YEAR = 365 * 86_400 * 1_000_000
ACCOUNTS = 50_000
SPAM = (
    "Buy now: cheap pills http://a.example http://b.example http://c.example http://d.example",
    "Win the prize at http://casino.example or call 555-123-4567 NOW",
    "You idiot, write to fred@mail.example if you dare",
    "THIS IS THE LAST TIME THAT I ASK YOU ALL",
)
AGREEMENT = """---
comity: 1
title: House rules
channels: [posts, mail]
lexicons:
  pills: pills.txt
  traps: {file: traps.txt, kind: domains}
---

# House rules

## No flooding {#flooding}

Do not flood.

```rule
links.size() > 3 && author.age < days(7) || text.size() > 30 && author.copies(hours(1)) >= 3
```

## No pills {#pills}

Do not sell pills.

```rule points=2
text.saysAny("pills") || text.contains("wallet") && text.matches("0x[0-9a-f]{40}")
```

## No traps {#traps}

Do not lay traps.

```rule
domains.under("traps") || links.size() > 10
```

## No numbers {#numbers}

Do not post telephone numbers or addresses.

```rule decide=shadow
text.matches("[0-9]{3}-[0-9]{3}-[0-9]{4}") || text.matches("[a-z0-9.]+@[a-z0-9.]+[.][a-z]+")
```

## Be civil {#civil}

Do not insult anybody.

```rule decide=review
text.says("idiot") && !is_reply
```

## Do not shout {#shouting}

Do not write in capitals.

```rule
text.capitals() > 0.8 && text.size() > 20
```

## Not so fast {#fast}

Give others the time to answer.

```rule
author.messages(hours(1)) > 40
```

## Not the same from many {#campaigns}

Do not send round what others wrote.

```rule
text.copies(days(1)) > 6 && author.age < days(30)
```

## Not again {#again}

Who was told so does not do it again.

```rule points=2
author.breaches("pills", days(30)) >= 3
```

## What happens {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
| 2 | remove | | |
| 4 | remove, suspend | same | 7 days |
| 8 | remove, suspend | all | until reviewed |
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    messages: dict[str, int]
    wall: float
    cpu: float


def write(file: Path, count: int) -> None:
    """Messages of a year, three in a hundred of them spam, a third of the accounts new at some time."""
    chance = np.random.default_rng(7)
    pool = pa.array([" ".join(chance.choice(WORDS, chance.integers(5, 40))) for _ in range(100_000)])
    spam = pa.array(SPAM)
    tails = pa.array([f" {word} {number}" for word in WORDS for number in range(300)])
    writer = None
    for start in range(0, count, AT_ONCE):
        table = batch(chance, pool, spam, tails, start, min(AT_ONCE, count - start), count)
        writer = writer or pq.ParquetWriter(file, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()


def batch(
    chance: np.random.Generator, pool: pa.Array, spam: pa.Array, tails: pa.Array, start: int, size: int, count: int
) -> pa.Table:
    numbers = np.arange(start, start + size)
    is_spam = chance.random(size) < 0.03
    plain = pc.binary_join_element_wise(
        pool.take(pa.array(chance.integers(0, len(pool), size))),
        tails.take(pa.array(chance.integers(0, len(tails), size))),
        "",
    )
    texts = pc.if_else(pa.array(is_spam), spam.take(pa.array(chance.integers(0, len(spam), size))), plain)
    accounts = (chance.random(size) ** 3 * ACCOUNTS).astype(np.int64)
    accounts = np.where(is_spam, accounts // 20 * 20, accounts)
    first = int(START.timestamp()) * 1_000_000
    created = first + (accounts % 500 - 250) * 86_400 * 1_000_000
    micros = pa.timestamp("us", "UTC")
    return pa.table(
        {
            "id": pc.cast(pa.array(numbers), pa.string()),
            "author": pc.binary_join_element_wise("account", pc.cast(pa.array(accounts), pa.string()), "-"),
            "channel": pa.array(["posts"] * size),
            "text": texts,
            "sent": pa.array(first + numbers * (YEAR // count)).cast(micros),
            "author_created": pa.array(created, mask=accounts % 3 != 0).cast(micros),
        }
    )


def run(folder: Path, draft: str, archive: str, *options: str) -> Run:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found: list[str] = []
    wall = seconds(lambda: found.append(comity("backtest", draft, archive, "--json", *options, folder=folder)))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = json.loads(found[0])
    return Run(messages={clause["id"]: clause["messages"] for clause in said["clauses"]}, wall=wall, cpu=cpu)


def changed(agreement: str) -> Iterator[str]:
    """The agreement with other numbers."""
    for old, new in (("> 3 &&", "> 2 &&"), (">= 3\n", ">= 4\n"), ("> 0.8", "> 0.7"), ("> 40", "> 30")):
        expect(old in agreement, old)
        agreement = agreement.replace(old, new)
        yield agreement


def plain_scan(file: Path) -> None:
    for rows in pq.ParquetFile(file).iter_batches(8192):
        rows.to_pylist()


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    agreements = [AGREEMENT, *changed(AGREEMENT)]
    (folder / "draft.md").write_text(agreements[0], encoding="utf-8", newline="\n")
    (folder / "changed.md").write_text(agreements[-1], encoding="utf-8", newline="\n")
    (folder / "pills.txt").write_text("cheap pills\nblue pills\n" + "".join(f"pill {n}\n" for n in range(60)))
    (folder / "traps.txt").write_text("casino.example\ntrap.example\n")
    write(folder / "small.parquet", COMPARED)
    write(folder / "archive.parquet", COUNT)
    for draft in ("draft.md", "changed.md"):
        run(folder, draft, "small.parquet", "--out", "found.jsonl")
        comity("judge", draft, "small.parquet", "--out", "judged.jsonl", folder=folder)
        judged = (folder / "judged.jsonl").read_bytes()
        expect(judged == (folder / "found.jsonl").read_bytes(), f"{draft}: backtest and judge differ")
        expect(judged.count(b"\n") > COMPARED // 100, "too little is found to compare")
    size = (folder / "archive.parquet").stat().st_size
    one = run(folder, "draft.md", "archive.parquet", "--jobs", "1", "--store", "one")
    every = run(folder, "draft.md", "archive.parquet", "--store", "all")
    again = run(folder, "changed.md", "archive.parquet", "--against", "draft.md", "--store", "all")
    expect(one.messages == every.messages, "one process and several differ")
    scan = seconds(lambda: plain_scan(folder / "archive.parquet"))

print(f"{COUNT:,} messages, {size / 1e6:,.0f} MB of Parquet, {len(one.messages)} clauses: {one.messages}")
print("start-up, ladder, samples and report are in all of the times")
part("one process", one.wall, "s")
part("processor time of that", one.cpu, "s")
part(f"{os.cpu_count()} cores", every.wall, "s")
part("numbers changed, held against the draft before", again.wall, "s")
part("pyarrow alone, columns to Python values", scan, "s")
part("one process : pyarrow alone", one.cpu / scan, "x")
report(COUNT / one.cpu, "messages/s/core", target=">= 150000 messages/s/core")
