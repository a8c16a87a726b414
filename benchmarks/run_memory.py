"""Peak memory of `comity run` with a million accounts in three windows that all still hold them.

The real command, in a process of its own, reads a file of messages whose texts are all different; now and then one
breaches. What is reported is the most that the operating system ever counted for that process.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from common import COMITY, START, comity, expect, part, report

ACCOUNTS = 1_000_000
BREACH_EVERY = 10_000
AGREEMENT = """---
comity: 1
title: Benchmark
channels: [mail]
---

# Benchmark

## No pills {#pills}

Do not sell pills.

```rule
text.says("cheap pills")
```

## No flooding {#flooding}

Do not flood others.

```rule
author.messages(hours(1)) > 20 || author.copies(days(1)) > 10 || author.recipients(days(7)) > 100
```

## What happens {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
"""


def messages() -> Iterator[str]:
    for number in range(ACCOUNTS):
        yield json.dumps(
            {
                "id": str(number),
                "author": f"account-{number}",
                "channel": "mail",
                "sent": (START + timedelta(milliseconds=3 * number)).isoformat(),
                "text": f"text number {number}{' of cheap pills' if number % BREACH_EVERY == 0 else ''}",
                "to": [f"a{number}@example.org", f"b{number}@example.org"],
            }
        )


def peak_of(arguments: list[str], folder: Path) -> tuple[float, str]:
    """The peak of a command's resident memory, in bytes, and what it said."""
    with (folder / "said.json").open("w+", encoding="utf-8") as said:
        child = subprocess.Popen([COMITY, *arguments], cwd=folder, stdout=said)
        _, status, _ = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        expect(child.returncode == 0, f"exit code {child.returncode}")
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        said.seek(0)
        return (used if sys.platform == "darwin" else used * 1024), said.read()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "agreement.md").write_text(AGREEMENT, encoding="utf-8", newline="\n")
        with (folder / "messages.jsonl").open("w", encoding="utf-8", newline="\n") as lines:
            lines.writelines(f"{line}\n" for line in messages())
        comity("publish", "agreement.md", "--from", "2025-01-01T00:00:00Z", "--replay", folder=folder)
        start = time.perf_counter()
        used, said = peak_of(["run", "messages.jsonl", "--as-sent", "--json"], folder)
        took = time.perf_counter() - start
        summary = json.loads(said)
        expect(sum(summary["outcomes"].values()) == ACCOUNTS, f"of {ACCOUNTS} messages: {summary}")
        expect(summary["clauses"] == {"pills": ACCOUNTS // BREACH_EVERY}, f"breaches: {summary}")
    part("messages taken in", ACCOUNTS / took, "a second")
    report(used / 1e6, "MB", target=f"< 1000 MB with {ACCOUNTS:,} accounts and three windows")


main()
