"""Entries kept in SQLite in groups of 100, each group one durable transaction: what the one writer can take.

Taken by the clock, since most of it is waiting for the disk; the longest group is what a decision waits at most. Each
group takes turns with the least that any durable log must do, on the same disk: the same bytes appended to a bare file
and synced.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import closing
from pathlib import Path

from comity.ledger.log import Log, append, signed_head
from comity.ledger.note import SigningKey
from comity.ports import Write
from comity.stores.sqlite import SqliteStore
from common import expect, part, report

ENTRIES, GROUP = 50_000, 100
KEY = SigningKey(name="example.org/log", seed=b"7" * 32)

entries = [os.urandom(300).hex().encode() for _ in range(ENTRIES)]
with tempfile.TemporaryDirectory() as folder, closing(SqliteStore(Path(folder) / "comity.db")) as store:
    log, waits, floor, worked = Log(), [], [], 0.0
    bare = (Path(folder) / "bare").open("wb", buffering=0)
    for first in range(0, ENTRIES, GROUP):
        start, began = time.perf_counter(), time.process_time()
        group = entries[first : first + GROUP]
        log = append(log, group).log
        checkpoint = signed_head(log, KEY.name, [KEY])
        store.append(Write(size=first, position=0, entries=group, checkpoint=checkpoint))
        worked += time.process_time() - began
        waits.append(time.perf_counter() - start)
        start = time.perf_counter()
        bare.write(b"".join(group))
        os.fdatasync(bare.fileno())
        floor.append(time.perf_counter() - start)
    bare.close()
    expect(list(store.entries(0, ENTRIES)) == entries, "the store has other entries")
part("rows/s by CPU time alone", ENTRIES / worked, "rows/s")
part("half of the bare writes take less than", sorted(floor)[len(floor) // 2] * 1e3, "ms")
part("all groups against all bare writes", sum(waits) / sum(floor), "x")
part("half of the groups take less than", sorted(waits)[len(waits) // 2] * 1e3, "ms", target="<= 5 ms")
part("99 of 100 groups take less than", sorted(waits)[len(waits) * 99 // 100] * 1e3, "ms")
report(ENTRIES / sum(waits), "rows/s", target=f">= 20000 rows/s, in groups of {GROUP}")
