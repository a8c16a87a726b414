"""`comity verify` over a ledger of a million statements in a folder: tree, tiles, entries and the ladder's rows.

Taken in CPU time, since the machine may be busy; memory is what the audit adds to the process, which did not make
the ledger. ENTRIES=100000 for a quick run.
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

from comity.agreement import load
from comity.ledger import entry as ledger
from comity.ledger.entry import canonical
from comity.ledger.log import Log, append, publication, signed_head
from comity.ledger.note import SigningKey
from comity.ledger.verify import verify
from comity.ledger.versions import version_file
from comity.stores.log_folder import LogFolder
from common import START, expect, part, report

ENTRIES = int(os.environ.get("ENTRIES", "1000000"))
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
    """Of the n-th statement, one a minute: every second is a warning."""
    at = ledger.hour_of(START + timedelta(minutes=number))
    points = 1 + number % 2
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
    found = verify(LogFolder(folder).read, str(KEY.verifier))
    taken = time.process_time() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    expect(found.is_fine and found.size == ENTRIES, f"{found.problems[:3]}")
    expect(any("ladders foresee" in each for each in found.proved), "the rows were not looked up")
    part("memory that the audit adds", grown / 1e6, "MB")
    part("of that for each entry", grown / ENTRIES, "bytes")
    report(taken * 1e6 / ENTRIES, "seconds-per-million", target="<= 10 seconds of one core")


if len(sys.argv) > 1:
    write_log(Path(sys.argv[1]))
else:
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.executable, __file__, name], check=True)
        audit(Path(name))
