"""Runs the benchmarks and writes one page with tables and plots: benchmarks/results.html, results-some.html of some.

python benchmarks [NAME...]

The page is written anew after each, so nothing that was measured is lost: not by one that fails, by one that takes too
long, or by Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer

from machine import machine
from page import page
from results import Result, read

FOLDER = Path(__file__).parent
RESULTS, SOME = FOLDER / "results.html", FOLDER / "results-some.html"
NO_BENCHMARKS = (
    *("__main__", "common", "machine", "page", "results"),
    *("twenty", "by_hand", "engines", "gates", "million", "asking"),
)
FIRST = ("judge_twenty_clauses", "judge_scaling", "backtest_parquet", "check_fifty_clauses")
"""What the table of speeds is made of."""

NAMED = ("gate_matrix", "gate_postfix")
"""Run only when they are named: they need the servers of others, and minutes. `make bench-gates` measures all gates."""

LONGEST = 900
"""Seconds for one of them."""


def main(wanted: list[str]) -> int:
    """Exit code 1 if any benchmark fails, 2 if there is none of that name, 130 after Ctrl-C."""
    every = sorted(file.stem for file in FOLDER.glob("*.py") if file.stem not in NO_BENCHMARKS)
    usual = [name for name in every if name not in NAMED]
    names = [name.replace("-", "_") for name in wanted] or sorted(usual, key=lambda name: (name not in FIRST, name))
    if unknown := [name for name in names if name not in every]:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(every)}", file=sys.stderr)
        return 2
    begun, results, place = datetime.now(UTC), list[Result](), SOME if wanted else RESULTS
    try:
        for name in names:
            results.append(run(FOLDER / f"{name}.py"))
            write(place, page(results, machine(begun), left=len(names) - len(results)))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    finally:
        print(f"\n{sum(not result.problem for result in results)} of {len(names)} benchmarks; see {place}")
    return int(any(result.problem for result in results))


def run(file: Path) -> Result:
    """Runs one in a process of its own, and shows its lines as they come."""
    print(f"== {file.stem}", flush=True)
    begun, lines = time.perf_counter(), list[str]()
    command = [sys.executable, "-u", file]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        limit = Timer(LONGEST, end, [process])
        limit.start()
        try:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                lines.append(line.rstrip("\n"))
            process.wait()
        except KeyboardInterrupt:
            end(process)
            raise
        finally:
            limit.cancel()
    seconds, code = time.perf_counter() - begun, process.returncode
    failed = f"took longer than {LONGEST} s" if seconds >= LONGEST else f"failed, exit code {code}" if code else ""
    result = read(file.stem, lines, failed=failed, seconds=seconds)
    if result.problem:
        print(f"{file.stem}: {result.problem}", file=sys.stderr)
    return result


def end(process: subprocess.Popen[str]) -> None:
    """With all that it started, which had a moment to tidy up."""
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def write(place: Path, text: str) -> None:
    aside = place.with_suffix(".tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(place)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
