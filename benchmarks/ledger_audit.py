"""`comity verify` over a ledger of a million statements in a folder: tree, tiles, entries and the ladder's rows.

Taken in CPU time, since the machine may be busy, and beside the least that any audit must do: reading the files,
hashing, and parsing each entry as JSON. Memory is what the audit adds to the process, which did not make the ledger.
ENTRIES=100000 for a quick run.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import msgspec

from comity.agreement import load
from comity.ledger import entry as ledger
from comity.ledger.entry import canonical
from comity.ledger.log import Log, append, publication, signed_head
from comity.ledger.note import SigningKey
from comity.ledger.tiles import TilePlace, fetch, parse_bundle
from comity.ledger.tree import Tree, grow, leaf_hashes
from comity.ledger.verify import verify
from comity.ledger.versions import version_file
from comity.stores.log_folder import LogFolder
from comity.stores.scratch import FileScratch
from common import START, expect, part, report

ALL_DIFFER = os.environ.get("ALL_DIFFER") == "1"
ENTRIES = int(os.environ.get("ENTRIES", "1000000")) // (10 if ALL_DIFFER else 1)
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
text.says("buy now")
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
| 2 | suspend | all | 7 days |
"""


def statement(number: int, agreement: str) -> bytes:
    """Of the n-th statement, one a minute: every second is a warning; or, without end, points that nobody else has."""
    at = ledger.hour_of(START + timedelta(minutes=number))
    points = number if ALL_DIFFER else 1 + number % 2
    measure = (
        ledger.measure("warn")
        if points == 1
        else ledger.measure("suspend", frozenset({"posts"}), at + timedelta(days=7))
    )
    one = ledger.statement(
        entry_id=sha256(b"%d" % number).hexdigest()[:32],
        at=at,
        agreement=agreement,
        clauses=("spam",),
        points=1,
        measures=(measure,),
        by="rule",
        auto=ledger.Automation(found=1, decided=1),
        live={"measures": points},
        commitments={field: sha256(b"%d %s" % (number, field.encode())).hexdigest() for field in FIELDS},
    )
    return canonical(one)


FIELDS = ("account", "message", "statement")


def write_log(folder: Path) -> None:
    checked = load("rules.md", RULES, lambda _: None).agreement
    if checked is None:
        sys.exit("the rules do not load")
    published, log = LogFolder(folder), Log()
    published.write_vkey(KEY.verifier)
    genesis = ledger.GenesisEntry(
        id="0" * 32, at=START, operator="benchmark", origin=KEY.name, key=str(KEY.verifier), retention=7
    )
    version = ledger.AgreementEntry(id="1" * 32, at=START, agreement=checked.digest, effective=START)
    waiting = [canonical(genesis), canonical(version)]
    for number in range(2, ENTRIES):
        waiting.append(statement(number, checked.digest))
        if len(waiting) == 16_384 or number == ENTRIES - 1:
            grown = append(log, waiting)
            log, waiting = grown.log, []
            for path, content in (*publication(grown, b"")[:-1], version_file(checked.files)):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
    (folder / "checkpoint").write_bytes(signed_head(log, KEY.name, [KEY]))


def audit(folder: Path) -> None:
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with FileScratch() as scratch:
        found = verify(LogFolder(folder).read, str(KEY.verifier), scratch=scratch)
    taken = time.process_time() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    expect(found.is_fine and found.size == ENTRIES, f"{found.problems[:3]}")
    expect(any("ladders foresee" in each for each in found.proved), "the rows were not looked up")
    if ALL_DIFFER:
        part("where no two statements are alike", taken * 1e6 / ENTRIES, "seconds per million")
        return
    part("memory that the audit adds", grown / 1e6, "MB", target="<= 25 MB whatever the size")
    floor = least(folder)
    part("files, hashes and JSON alone", floor * 1e6 / ENTRIES, "seconds per million")
    part("the audit for each second of that", taken / floor, "s")
    report(taken * 1e6 / ENTRIES, "seconds-per-million", target="<= 10 seconds of one core")


def least(folder: Path) -> float:
    """The time for what no audit can leave out, in the same libraries."""
    read, parse, start = LogFolder(folder).read, msgspec.json.Decoder().decode, time.process_time()
    tree = Tree()
    for n, width in enumerate(256 if n < ENTRIES // 256 else ENTRIES % 256 for n in range(-(-ENTRIES // 256))):
        path, content = fetch(read, TilePlace(level=None, n=n, width=width))
        entries, _ = parse_bundle(path, content, width)
        for entry in entries:
            parse(entry)
        tree, _ = grow(tree, leaf_hashes(entries))
        read(TilePlace(level=0, n=n, width=width).path)
    return time.process_time() - start


def measure(*, all_differ: bool) -> None:
    """In processes of their own: one makes the ledger, one reads it."""
    environment = {**os.environ, "ALL_DIFFER": str(int(all_differ))}
    with tempfile.TemporaryDirectory() as name:
        for act in ("write", "audit"):
            subprocess.run([sys.executable, __file__, act, name], check=True, env=environment)


if len(sys.argv) > 1:
    {"write": write_log, "audit": audit}[sys.argv[1]](Path(sys.argv[2]))
else:
    measure(all_differ=True)
    measure(all_differ=False)
