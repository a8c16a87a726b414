"""What the service has counted of its record, in a file of its own: `counts.db`. It may be lost: it is counted anew.

Nobody stands in it: numbers, clauses, and the random ids of what waits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from comity.stores.aside import MEND
from comity.stores.database import opened

COUNTS_FILE: Final = "counts.db"
_FORMAT: Final = 1
_SCHEMA: Final = "create table counts (name text primary key, body blob not null) strict, without rowid;"


class CountFile:
    """Each count by its name. Raises `StoreError` as the store does."""

    def __init__(self, path: Path) -> None:
        self._db = opened(path, _FORMAT, _SCHEMA, mend=MEND)
        self._db.execute("pragma synchronous = normal")  # a cut of power may take the last ones

    def read(self, name: str) -> bytes:
        return next(self._db.blobs("select body from counts where name = ?", name), b"")

    def keep(self, name: str, content: bytes) -> None:
        with self._db.transaction():
            self._db.execute("insert or replace into counts values (?, ?)", name, content)

    def close(self) -> None:
        self._db.close()
