"""Draws versions and messages for as long as asked, and judges them in every way there is: all answers must agree.

    make fuzz MINUTES=60 CASES=10000000 JOBS=2 SEED=0
    tools/fuzz.py --faults    how many cases it takes until each of the planted faults is found

A case is one rule, one message and all ways of judging it: by the reference, alone, in batches, from a file. Ends when
the time is over or so many cases were judged, whichever comes first. At the first difference it prints the seed and
the smallest stream that still shows it, and ends with exit code 1; the seed goes into a test.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "properties"))

from engine_faults import FAULTS, tried
from engine_laws import Law, drawn, shown, smallest

STREAMS = 100
EVERY = 15.0  # seconds
_ROUNDS = 20
"""Then another process goes on: CEL's evaluator, which the reference asks, keeps 0.4 MB of each version for good."""


def judge(seeds: range) -> tuple[int, int | None]:
    """How many cases, and the first seed that breaks the law."""
    cases = 0
    with tempfile.TemporaryDirectory() as folder:
        law = Law(Path(folder))
        for seed in seeds:
            made = drawn(seed)
            cases += made.cases
            if law.difference(made) is not None:
                return cases, seed
    return cases, None


def rounds(jobs: int, first: int) -> Iterator[tuple[range, int, int | None]]:
    """Each round as it ends: its seeds, cases, and the seed that breaks the law."""
    turns = (range(start, start + STREAMS) for start in count(first, STREAMS))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), max_tasks_per_child=_ROUNDS) as pool:
        running: dict[Future[tuple[int, int | None]], range] = {}
        try:
            while True:
                while len(running) < 2 * jobs:
                    seeds = next(turns)
                    running[pool.submit(judge, seeds)] = seeds
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    yield running.pop(each), *each.result()
        finally:
            pool.shutdown(cancel_futures=True)


def report(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        law = Law(Path(folder))
        small = smallest(drawn(seed), lambda made: law.difference(made) is not None)
        print(f"seed {seed}: {law.difference(small)}\n{shown(small)}")


def faults() -> int:
    """A table of the planted faults; 1 if one was not found."""
    print("| planted fault | found after, cases | streams |\n|---|---|---|")
    is_missed = False
    for name in FAULTS:
        streams, cases, is_found = tried(name)
        is_missed |= not is_found
        print(f"| {name} | {f'{cases:,}' if is_found else f'not in {cases:,}'} | {streams} |", flush=True)
    return int(is_missed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--cases", type=int, default=10**12)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faults", action="store_true")
    asked = parser.parse_args()
    if asked.faults:
        return faults()
    start = shown_at = time.monotonic()
    cases = streams = 0
    for seeds, judged, bad in rounds(asked.jobs, asked.seed):
        cases, streams = cases + judged, streams + len(seeds)
        now = time.monotonic()
        if bad is not None:
            print(f"{cases:,} cases, then a difference:", flush=True)
            report(bad)
            return 1
        is_over = now - start > asked.minutes * 60 or cases >= asked.cases
        if is_over or now - shown_at > EVERY:
            shown_at = now
            print(f"{cases:,} cases, {cases / (now - start):,.0f}/s, {streams:,} seeds from {asked.seed}", flush=True)
        if is_over:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
