"""What a witness cosigned last of each log: one SQLite file, alone in use by one program, durable before it returns."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Lock
from typing import Final

from comity.ledger.checkpoint import Checkpoint
from comity.ports import Cosigned, StoreError
from comity.stores.database import Database, locked

_FORMAT: Final = 1
_SCHEMA: Final = """
create table latest (
    origin text primary key,
    size integer not null,
    root blob not null,
    at integer not null,
    note blob not null
) without rowid
"""


class WitnessState:
    """`StoreError` says when the file is in use, damaged, full, or of a newer Comity."""

    def __init__(self, path: Path) -> None:
        self._one_at_a_time = Lock()
        with ExitStack() as held:
            held.enter_context(locked(path))
            self._db = held.enter_context(closing(Database(path, creates=True)))
            with self._db.transaction():
                if self._db.format == 0:
                    self._db.declare(_FORMAT, _SCHEMA)
            if self._db.format != _FORMAT:
                raise StoreError(f"{path} was written by a newer Comity; use that one")
            self._held = held.pop_all()

    def latest(self, origin: str) -> Cosigned | None:
        with self._one_at_a_time:  # so that nothing is seen that is not yet durable
            return self._latest(origin)

    def _latest(self, origin: str) -> Cosigned | None:
        query = "select size, root, at, note from latest where origin = ?"
        for size, root, at, note in self._db.rows(tuple[int, bytes, int, bytes], query, origin):
            checkpoint = Checkpoint(origin=origin, size=size, root=root)
            return Cosigned(checkpoint=checkpoint, at=at, note=note)
        return None

    def advance(self, origin: str, step: Callable[[Cosigned | None], Cosigned]) -> Cosigned:
        # INVARIANT: between reading what was cosigned last and keeping what comes next nobody else writes.
        with self._one_at_a_time, self._db.transaction():
            new = step(self._latest(origin))
            self._db.execute(
                "insert into latest values (?1, ?2, ?3, ?4, ?5) on conflict do update"
                " set size = ?2, root = ?3, at = ?4, note = ?5",
                origin,
                new.checkpoint.size,
                new.checkpoint.root,
                new.at,
                new.note,
            )
        return new

    def close(self) -> None:
        self._held.close()
