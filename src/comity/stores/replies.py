"""What was answered to requests that came under a key, in a file of its own: `replies.db`.

It holds keyed hashes and answers without personal data, and each for a week.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from comity.ports import Begun
from comity.stores.database import opened
from comity.stores.layout import micros

REPLIES_FILE: Final = "replies.db"
_FORMAT: Final = 1
_KEPT: Final = timedelta(days=7)
_SCHEMA: Final = """
create table replies (name blob primary key, body blob not null, mark text not null, answer blob, at integer not null)
strict, without rowid;
create index replies_by_time on replies (at);
"""


class ReplyFile:
    """The requests of one record. Raises `StoreError` as the store does."""

    def __init__(self, path: Path) -> None:
        self._db = opened(path, _FORMAT, _SCHEMA)

    def begin(self, begun: Begun, at: datetime) -> Begun | None:
        """What is known under that name; None: nothing was, and from now on this is."""
        with self._db.transaction():
            self._db.execute("delete from replies where at < ?", micros(at - _KEPT))
            query = "select name, body, mark, answer from replies where name = ?"
            for name, body, mark, answer in self._db.rows(tuple[bytes, bytes, str, bytes | None], query, begun.name):
                return Begun(name=name, body=body, mark=mark, answer=answer)
            insert = "insert into replies values (?, ?, ?, null, ?)"
            self._db.execute(insert, begun.name, begun.body, begun.mark, micros(at))
        return None

    def end(self, name: bytes, answer: bytes) -> None:
        with self._db.transaction():
            self._db.execute("update replies set answer = ? where name = ?", answer, name)

    def drop(self, name: bytes) -> None:
        with self._db.transaction():
            self._db.execute("delete from replies where name = ?", name)

    def close(self) -> None:
        self._db.close()
