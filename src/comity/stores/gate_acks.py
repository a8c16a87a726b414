"""What gates have acknowledged, in a file of its own: `gates.db`. It may be lost: gates say it again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from comity.model.access import GateAck
from comity.stores.aside import MEND
from comity.stores.database import opened

GATES_FILE: Final = "gates.db"
_FORMAT: Final = 1
_KEPT: Final = 10_000
_SCHEMA: Final = """
create table acks (gate text not null, cursor integer not null, body blob not null, primary key (gate, cursor))
strict, without rowid;
"""
_ACK: Final = msgspec.json.Decoder(GateAck)


class GateAckFile:
    """The last acknowledgements of each gate. Raises `StoreError` as the store does."""

    def __init__(self, path: Path) -> None:
        self._db = opened(path, _FORMAT, _SCHEMA, mend=MEND)
        self._db.execute("pragma synchronous = normal")  # a cut of power may take the last ones

    def add(self, *acks: GateAck) -> None:
        with self._db.transaction():
            for ack in acks:
                self._add(ack)

    def _add(self, ack: GateAck) -> None:
        self._db.execute("delete from acks where gate = ? and cursor > ?", ack.gate, ack.cursor)  # another feed
        insert = "insert into acks values (?, ?, ?) on conflict do nothing"
        self._db.execute(insert, ack.gate, ack.cursor, msgspec.json.encode(ack))
        self._db.execute("delete from acks where gate = ? and cursor <= ? - ?", ack.gate, ack.cursor, _KEPT)

    def every(self) -> Sequence[GateAck]:
        query = "select body from acks where (gate, cursor) in (select gate, max(cursor) from acks group by gate)"
        return sorted(map(_ACK.decode, self._db.blobs(query)), key=lambda ack: ack.gate)

    def first_after(self, gate: str, seq: int) -> GateAck | None:
        query = "select body from acks where gate = ? and cursor >= ? order by cursor limit 1"
        return next(map(_ACK.decode, self._db.blobs(query, gate, seq)), None)

    def close(self) -> None:
        self._db.close()
