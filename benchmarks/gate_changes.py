"""Changes as gates follow them: what one costs the centre that tells four gates of it, and each gate that applies it.

A record on SQLite cuts accounts off on four channels, some together, as a busy service records them. After each such
group the centre reads what is new, proves it and writes it for four gates, one a channel; each gate reads its lines,
holds the proofs against the log and writes what changed to its journal. Processor time, since the machine may be busy.
python benchmarks/gate_changes.py [CUTS [TOGETHER]]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from comity.flow.feed import FeedSource, scoped
from comity.gates.disk import Disk
from comity.gates.kept import Kept
from comity.gates.records import Records
from comity.gates.replica import Known, Manner, Replica
from comity.ledger.feed import Heartbeat, decode_line, encode_line
from comity.ledger.policy import KnownLog, Policy
from comity.model.ids import Channel
from comity.stores.log_folder import LogFolder
from comity.stores.sqlite import SqliteStore
from common import expect, part, report
from gate_snapshot import AT, KEY, RULES, begun, spam

_GIVEN = [int(one) for one in sys.argv[1:]]
CUTS, TOGETHER = *_GIVEN, *(5_000, 10)[len(_GIVEN) :]
CHANNELS = tuple(map(Channel, ("posts", "mail", "chat", "network")))


class Spent:
    """Seconds of processor time, by what for."""

    def __init__(self) -> None:
        self.decided = self.told = self.applied = 0.0


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, spent = Path(name), Spent()
        log = LogFolder(folder / "log")
        with closing(SqliteStore(folder / "comity.db")) as store:
            record = begun(store, log, RULES.replace(b"[posts]", b"[posts, mail, chat, network]"))
            source = FeedSource(store, log, lambda statement: f"https://rules.example.org/r/{statement}")
            gates = [attached(folder / channel, store.feed.epoch) for channel in CHANNELS]
            follow = [gate_of(*gate) for gate in gates]
            for gate in follow:
                next(gate)
            after = 0
            for first in range(0, CUTS, TOGETHER):
                start = time.process_time()
                record.take([spam(number) for number in range(first, first + TOGETHER)])
                decided = time.process_time()
                changes = list(source.changes(store.feed.epoch, after))
                lines = [[*map(encode_line, scoped(changes, frozenset({one})))] for one in CHANNELS]
                told = time.process_time()
                for gate, content in zip(follow, lines, strict=True):
                    gate.send(content)
                spent.decided += decided - start
                spent.told += told - decided
                spent.applied += time.process_time() - told
                after = changes[-1].seq
            for replica, disk in gates:
                known = replica.known
                expect(known is not None and len(known.records) == CUTS and not known.unproven, "it believes all")
                disk.close()
    changes_made = CUTS * len(CHANNELS)
    part("the decision, recorded and published", spent.decided / CUTS * 1e6, "us an account")
    part("the centre tells four gates", spent.told / CUTS * 1e6, "us an account, on four channels")
    part("four gates apply it", spent.applied / CUTS * 1e6, "us an account, on four channels")
    report(spent.applied / changes_made * 1e6, "us", target="<= 60 us a change, at its gate")


def attached(folder: Path, epoch: str) -> tuple[Replica, Disk]:
    """A gate that knows nobody yet."""
    replica = Replica(Manner(policy=Policy(logs=(KnownLog(key=KEY.verifier),))), print)
    replica.swap(Known(epoch=epoch, cursor=0, digest=0, records=Records()), Kept())
    disk = Disk(folder)
    disk.write(replica)
    return replica, disk


def gate_of(replica: Replica, disk: Disk) -> Iterator[None]:
    lines: list[bytes] = []
    while True:
        changes = [change for change in map(decode_line, lines) if not isinstance(change, Heartbeat)]
        disk.append([(change, replica.change(change, AT)) for change in changes], replica.offset)
        lines = yield


if __name__ == "__main__":
    main()
