"""A gate that knows a million cuts: what asking costs, how much memory it takes, how soon it answers after a restart.

First the folder of a gate is made, with ids of 32 characters. Then another process, which does nothing else, loads it
and asks, of people who are free, of people who are cut off, drawn anew each time, and of one who tries again and again.
Processor time, since the machine may be busy. Beside them stands the same lookup in a plain `dict` of as many names,
which alone would take more memory than all of the gate: what the memory of the machine allows.
"""

from __future__ import annotations

import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from comity.gates.answers import Allow, Deny
from comity.gates.disk import Disk
from comity.gates.kept import Kept
from comity.gates.records import Records
from comity.gates.replica import Known, Manner, Replica
from comity.ledger.feed import FeedEntry, Heartbeat, ProvenSpan
from comity.model.ids import AccountId, Channel, DecisionId
from comity.model.measure import State
from comity.model.plan import Planned
from common import START, expect, part, report

CUTS = 1_000_000
ASKED = 100_000
CHANGES = 10_000
ENDS = 300
"""Whose cut ends after a day; all others last long."""
AT = START + timedelta(hours=1)
POSTS = Channel("posts")


def name(number: int) -> str:
    return f"account-{number:024d}"


def span(number: int) -> ProvenSpan:
    return ProvenSpan(
        state=State.CUT,
        start=START,
        until=START + timedelta(days=1 if number == ENDS else 36_500),
        statement=DecisionId(f"{number * 2654435761:032x}"),
        reason="“Spam”",
        link=f"https://rules.example.org/r/{number * 2654435761:043x}",
    )


def replica() -> Replica:
    return Replica(Manner(policy=None), print)


def make(folder: Path) -> None:
    records = Records()
    for number in range(1, CUTS + 1):
        records.put(number, Planned(account=AccountId(name(number)), channel=POSTS, plan=(span(number),)))
    gate = replica()
    gate.swap(Known(epoch="one", cursor=CUTS, digest=0, records=records), Kept())
    with Disk(folder) as disk:
        disk.write(gate)


def nanoseconds(ask: Callable[[str], object], names: list[str]) -> float:
    start = time.process_time()
    for each in names:
        ask(each)
    return (time.process_time() - start) / len(names) * 1e9


def measure(folder: Path) -> None:
    """In a process of its own."""
    gate, start = replica(), time.process_time()
    disk = Disk(folder)
    disk.load(gate)
    loaded = time.process_time() - start
    gate.beat(Heartbeat(cursor=CUTS, digest="0" * 64, now=AT), AT)
    expect(isinstance(gate.check("posts", name(77), AT), Deny), "77 is cut off")
    expect(gate.check("posts", name(CUTS + 1), AT) == Allow(), "nobody else is")
    expect(isinstance(gate.check("posts", name(ENDS), AT + timedelta(days=2)), Allow), "an end comes")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    part("restart with a million cuts", loaded, "s of processor time", target="< 3 s")
    part("memory at a million cuts", memory, "MB at most", target="<= 200 MB")
    ask_all(gate)
    follow(gate, disk)
    disk.close()
    del gate
    known = {name(number): number for number in range(1, CUTS)}
    chance = random.Random(7)
    drawn = nanoseconds(known.get, [name(chance.randrange(1, CUTS)) for _ in range(ASKED)])
    part("a plain dict asked of names drawn anew", drawn / 1000, "us")


def ask_all(gate: Replica) -> None:
    def ask(handle: str) -> object:
        return gate.check("posts", handle, AT)

    chance, free, cut = random.Random(7), list[float](), list[float]()
    for _ in range(5):
        free.append(nanoseconds(ask, [name(CUTS + chance.randrange(1, CUTS)) for _ in range(ASKED)]))
        cut.append(nanoseconds(ask, [name(chance.randrange(1, CUTS)) for _ in range(ASKED)]))
    again = nanoseconds(ask, [name(5)] * ASKED)
    part("asked of somebody cut off, drawn anew", statistics.median(cut) / 1000, "us")
    part("asked of somebody cut off, who tries again", again / 1000, "us", target="<= 1 us")
    part("asked of somebody free", statistics.median(free) / 1000, "us", target="<= 1 us")


def follow(gate: Replica, disk: Disk) -> None:
    """Lift and cut, each change checked, applied and appended to the journal."""
    start = time.process_time()
    for number in range(1, CHANGES + 1):
        plan = (span(number),) if number % 2 == 0 else ()
        change = FeedEntry(seq=CUTS + number, row=number, account=AccountId(name(number)), channel=POSTS, plan=plan)
        disk.append([(change, gate.change(change, AT))], gate.offset)
    part("a change applied and written down", (time.process_time() - start) / CHANGES * 1e6, "us")


def main() -> None:
    if sys.argv[1:]:
        measure(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        done = subprocess.run([sys.executable, __file__, folder], capture_output=True, text=True, check=False)
    print(done.stdout, end="")
    expect(done.returncode == 0, done.stderr)
    (line,) = (line for line in done.stdout.splitlines() if "somebody free" in line)
    report(float(line.split("|")[1].split()[0]), "us", target="<= 1 us to ask, at a million cuts")


if __name__ == "__main__":
    main()
