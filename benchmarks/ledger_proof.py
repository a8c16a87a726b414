"""Checking a proof of inclusion in a ledger of 100,000 entries whose checkpoint the checker has: what a gate does.

Taken in CPU time, since the machine may be busy.
"""

from __future__ import annotations

import os
import statistics
import time

from comity.ledger.log import republication, resume
from comity.ledger.tiles import hashes_from_tiles
from comity.ledger.tree import ProofError, check_inclusion, inclusion_proof, leaf_hash
from common import expect, report

ENTRIES, CHECKED = 100_000, 2_000

entries = [os.urandom(300).hex().encode() for _ in range(ENTRIES)]
root, read = resume(entries, None).root, hashes_from_tiles(dict(republication(entries, 0)).get, ENTRIES)
indices = range(0, ENTRIES, ENTRIES // CHECKED)
proofs = [(index, entries[index], inclusion_proof(index, ENTRIES, read)) for index in indices]


def check_all() -> float:
    start = time.process_time()
    for index, entry, proof in proofs:
        check_inclusion(index, ENTRIES, leaf_hash(entry), proof, root)
    return (time.process_time() - start) / len(proofs)


try:
    check_inclusion(1, ENTRIES, leaf_hash(entries[0]), proofs[0][2], root)
    expect(False, "a proof of another entry is taken")
except ProofError:
    pass
report(statistics.median(check_all() for _ in range(9)) * 1e6, "us", target="<= 40 us")
