"""Appending finished entries to a ledger in memory: leaf hashes, tree, tiles, bundles and a signature per group.

Taken in CPU time, since the machine may be busy.
"""

from __future__ import annotations

import os
import time

from comity.ledger.log import Log, append, publication, resume, signed_head
from comity.ledger.note import SigningKey
from common import expect, report

ENTRIES, GROUP = 200_000, 100
KEY = SigningKey(name="example.org/log", seed=b"7" * 32)

entries = [os.urandom(300).hex().encode() for _ in range(ENTRIES)]
log, files = Log(), 0
start = time.process_time()
for first in range(0, ENTRIES, GROUP):
    grown = append(log, entries[first : first + GROUP])
    files += len(publication(grown, signed_head(grown.log, KEY.name, [KEY])))
    log = grown.log
taken = time.process_time() - start
expect(log.root == resume(entries, None).root, "groups give another root than all at once")
report(ENTRIES / taken, "entries/s", target=f">= 100000 entries/s, in groups of {GROUP}")
