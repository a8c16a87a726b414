"""What benchmarks share: running `comity`, taking times, making messages, and the closing line that scripts compare.

A benchmark makes its own input, checks that the answers are right, says what must be reached, and prints as its last
line `NAME VALUE UNIT`; or that it is left out, and why.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

COMITY = Path(sys.executable).with_name("comity")
START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ("ship", "garden", "letter", "summer", "bread", "river", "tall", "green", "walks", "sings", "under", "never")


def comity(*arguments: str | Path, folder: Path, exit_code: int = 0) -> str:
    """Runs a command as a user would; its output. Stops the benchmark when it ends otherwise than expected."""
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}
    done = subprocess.run(
        [COMITY, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != exit_code:
        sys.exit(f"comity {' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes, once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_seconds(work: Callable[[], object], *, runs: int) -> float:
    """The middle of several runs, after one that does not count."""
    work()
    return statistics.median(seconds(work) for _ in range(runs))


def messages(
    count: int, *, breach_every: int, breach: str, accounts: int = 1000, seed: int = 7
) -> Iterator[dict[str, str]]:
    """Messages one second apart; every `breach_every`-th holds the words `breach`. The same for the same arguments."""
    chance = random.Random(seed)
    for number in range(count):
        words = " ".join(chance.choices(WORDS, k=chance.randint(5, 40)))
        yield {
            "id": str(number),
            "author": f"account-{chance.randrange(accounts)}",
            "channel": "posts",
            "sent": (START + timedelta(seconds=number)).isoformat(),
            "text": f"{words} {breach}" if number % breach_every == breach_every - 1 else words,
        }


def write_json_lines(file: Path, records: Iterator[dict[str, str]]) -> None:
    with file.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(record) + "\n" for record in records)


def expect(claim: bool, message: str) -> None:  # noqa: FBT001 - reads as an assertion
    """Stops the benchmark when its answers are wrong: then its figures mean nothing."""
    if not claim:
        sys.exit(f"wrong answers: {message}")


def leave_out(why: str) -> NoReturn:
    """Ends a benchmark that this machine cannot run."""
    print(f"left out: {why}")
    sys.exit(0)


def report(value: float, unit: str, *, target: str) -> None:
    """The closing lines: what must be reached, then NAME VALUE UNIT."""
    name = Path(sys.argv[0]).stem.replace("_", "-")
    print(f"target: {target}")
    print(f"{name} {value:.3g} {unit}" if value < 1000 else f"{name} {value:.0f} {unit}")


def part(name: str, value: float, unit: str, *, target: str = "") -> None:
    """A figure that the result is made of: a line that `make bench` puts into the table."""
    print(f"part: {name} | {value:.3g} {unit}{f' | {target}' if target else ''}", flush=True)
