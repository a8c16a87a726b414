"""Measures that a former life of the feed told of and the present one does not: they hold until somebody acts.

A centre that was replaced, or restored from an old backup, may have forgotten whom it cut off. That is no lift.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from comity.gates.handles import Handles
from comity.gates.records import Records
from comity.model.plan import Planned


@dataclass(slots=True)
class Kept:
    """Entries found by channel and account too, since a new life numbers its rows anew."""

    records: Records = field(default_factory=Records)
    _rows: Handles = field(default_factory=Handles)

    @classmethod
    def of(cls, records: Records) -> Kept:
        """With these entries, found on disk."""
        kept = cls(records=records)
        for row in records.rows():
            if planned := records.planned(row):
                kept._rows.add(_key(planned.channel, planned.account), row)
        return kept

    def __len__(self) -> int:
        return len(self.records)

    def put(self, planned: Planned) -> None:
        row = len(self.records.place_of)
        self.records.put(row, planned)
        self._rows.add(_key(planned.channel, planned.account), row)

    def row(self, channel: str, account: str) -> int | None:
        """Where the entry of that account on that channel is, if there is one."""
        for row in self._rows.places(_key(channel, account)):
            held = self.records.planned(row)
            if held is not None and (held.channel, held.account) == (channel, account):
                return row
        return None

    def drop(self, channel: str, account: str) -> bool:
        """Whether there was an entry of that account on that channel; there is none now."""
        row = self.row(channel, account)
        if row is None:
            return False
        self.records.drop(row)
        self._rows.drop(_key(channel, account), row)
        return True

    def entries(self) -> Iterator[Planned]:
        return entries(self.records)


def kept(former: Kept, old: Records, new: Records) -> Kept:
    """What `new` does not mention of `old`, the last life's, and of `former`, which that did not mention itself."""
    told = {hash((one.channel, one.account)) for one in entries(new)}
    found = Kept()
    for one in chain(former.entries(), entries(old)):
        if hash((one.channel, one.account)) not in told:
            found.put(one)
    return found


def entries(records: Records) -> Iterator[Planned]:
    return (planned for row in records.rows() if (planned := records.planned(row)))


def _key(channel: str, account: str) -> str:
    return f"{channel} {account}"  # no channel holds a space
