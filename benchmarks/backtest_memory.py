"""How many times larger than the memory it may have an archive is that `comity backtest` takes.

    python benchmarks/backtest_memory.py [ARCHIVE MB]

The command runs under a limit of its address space (`ulimit -v`), libraries included; the archive is Parquet of long
texts. Beside it: the memory that it really takes, on this archive and on one of a quarter of its length.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common import COMITY, START, expect, report

LIMIT = 720 << 20
SIZE = int(sys.argv[1]) << 20 if len(sys.argv) > 1 else int(4.1 * LIMIT)
LENGTH = 1500  # of a text
ROWS = 20_000
AGREEMENT = """---
comity: 1
title: House rules
channels: [posts]
---

# House rules

## No pills {#pills}

Do not sell pills.

```rule
text.says("cheap pills") && links.size() < 3
```

## Not so fast {#fast}

Give others the time to answer.

```rule
author.messages(hours(1)) > 40 || author.copies(days(1)) > 2
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
"""
ENVIRONMENT = {  # what libraries would reserve and not use
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
LIMITED = "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)\n"
LIMITED += "import os; os.execv(sys.argv[2], sys.argv[2:])"


def write(file: Path, size: int) -> int:
    """Texts that do not compress, two in a thousand of them spam. How many there are."""
    chance = np.random.default_rng(7)
    letters = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz      ", dtype=np.uint8)
    rows, writer = 0, None
    while not file.exists() or file.stat().st_size < size:
        drawn = letters[chance.integers(0, len(letters), ROWS * LENGTH, dtype=np.uint8)]
        texts = pa.Array.from_buffers(
            pa.string(), ROWS, [None, pa.py_buffer(np.arange(ROWS + 1, dtype=np.int32) * LENGTH), pa.py_buffer(drawn)]
        )
        is_spam = pa.array(chance.random(ROWS) < 0.002)
        numbers = np.arange(rows, rows + ROWS)
        table = pa.table(
            {
                "id": pc.cast(pa.array(numbers), pa.string()),
                "author": pc.cast(pa.array(chance.integers(0, 20_000, ROWS)), pa.string()),
                "channel": pa.array(["posts"] * ROWS),
                "text": pc.if_else(is_spam, pa.scalar("get cheap pills here"), texts),
                "sent": pa.array(int(START.timestamp()) * 1_000_000 + numbers * 2_000_000).cast(
                    pa.timestamp("us", "UTC")
                ),
            }
        )
        writer = writer or pq.ParquetWriter(
            file, table.schema, compression="none", use_dictionary=["author", "channel"]
        )
        writer.write_table(table)
        rows += ROWS
    assert writer is not None
    writer.close()
    return rows


def run(folder: Path, archive: Path) -> tuple[dict[str, object], int]:
    """The report, and the most memory that was taken, in bytes."""
    command = [sys.executable, "-c", LIMITED, str(LIMIT), str(COMITY), "backtest", "draft.md", str(archive)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    done = subprocess.run(
        [*command, "--jobs", "1", "--json"],
        cwd=folder,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    expect(done.returncode == 0, f"exit code {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return json.loads(done.stdout), max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "draft.md").write_text(AGREEMENT, encoding="utf-8", newline="\n")
    peaks = []
    for part in (4, 1):  # the smaller one first: the system only tells of the most memory so far
        archive = folder / f"{part}.parquet"
        rows = write(archive, SIZE // part)
        stored = archive.stat().st_size
        said, peak = run(folder, archive)
        peaks.append((stored, peak))
        expect(said["messages"] == rows, f"{said['messages']} of {rows} messages are read")
        archive.unlink()

for stored, peak in peaks:
    print(f"archive {stored / 1e6:,.0f} MB: {peak / 1e6:,.0f} MB of memory taken, {LIMIT / 1e6:,.0f} MB allowed")
report(peaks[-1][0] / LIMIT, "x", target=">= 4 x the memory that is allowed")
