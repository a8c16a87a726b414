"""A replica that one thread keeps up to date while others ask it.

Everything a question reads changes under one lock, which is held for microseconds: proofs are checked, snapshots built
and files written outside of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from comity.gates.answers import Answer
from comity.gates.kept import Kept
from comity.gates.replica import Known, Replica
from comity.ledger.feed import Change


@dataclass(slots=True)
class SharedReplica(Replica):
    """A `Replica` of which each question and each change is whole, whatever thread it comes from."""

    _lock: Lock = field(default_factory=Lock)

    def check(self, channel: str, handle: str, at: datetime) -> Answer:
        with self._lock:
            return Replica.check(self, channel, handle, at)

    def put(self, change: Change, believed: datetime | None) -> None:
        with self._lock:
            Replica.put(self, change, believed)

    def swap(self, known: Known, kept: Kept) -> None:
        with self._lock:
            Replica.swap(self, known, kept)
