"""Statements on their way by e-mail, in a file of its own: `mail.db`. It holds ids, times and reply codes alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from comity.model.ids import DecisionId
from comity.model.mail import Mail, Pause
from comity.stores.database import opened
from comity.stores.layout import micros, moment

MAIL_FILE: Final = "mail.db"
_FORMAT: Final = 1
_LONGEST_ERROR: Final = 300
_SCHEMA: Final = """
create table state (name text primary key, value blob not null) strict, without rowid;
create table mails (
  statement text primary key, event integer not null, attempts integer not null, due integer, error text not null
) strict, without rowid;
create index mails_by_due on mails (due, event);
"""
_PAUSE: Final = msgspec.json.Decoder(Pause)


class MailFile:
    """The mails of one record. Raises `StoreError` as the store does."""

    def __init__(self, path: Path) -> None:
        self._db = opened(path, _FORMAT, _SCHEMA)

    @property
    def position(self) -> int | None:
        found = self._state("position")
        return None if found is None else int(found)

    @property
    def pause(self) -> Pause | None:
        found = self._state("pause")
        return None if found is None else _PAUSE.decode(found)

    def put_off(self, pause: Pause | None) -> None:
        with self._db.transaction():
            if pause is None:
                self._db.execute("delete from state where name = 'pause'")
            else:
                self._keep("pause", msgspec.json.encode(pause))

    def put(self, statements: Mapping[DecisionId, int], position: int, at: datetime) -> None:
        insert = (
            "insert into mails values (?, ?, 0, ?, '') on conflict (statement) do update set event = excluded.event,"
            " attempts = iif(due is null, 0, attempts), due = ifnull(due, excluded.due)"
        )
        with self._db.transaction():
            self._db.executemany(insert, [(statement, event, micros(at)) for statement, event in statements.items()])
            self._keep("position", b"%d" % position)

    def due(self, at: datetime, most: int) -> Sequence[Mail]:
        return tuple(self._mails("due <= ? order by event limit ?", micros(at), most))

    def waiting(self) -> int:
        return self._db.number("select count(*) from mails where due is not null")

    def dead(self) -> Sequence[Mail]:
        return tuple(self._mails("due is null order by event"))

    def keep(self, mail: Mail) -> None:
        due = None if mail.due is None else micros(mail.due)
        update = "update mails set attempts = ?, due = ?, error = ? where statement = ? and event = ?"
        with self._db.transaction():
            error = mail.error[:_LONGEST_ERROR]
            self._db.execute(update, mail.attempts, due, error, mail.statement, mail.event)

    def drop(self, mail: Mail) -> None:
        with self._db.transaction():
            self._db.execute("delete from mails where statement = ? and event = ?", mail.statement, mail.event)

    def again(self, at: datetime) -> int:
        with self._db.transaction():
            count = self._db.number("select count(*) from mails where due is null")
            self._db.execute("update mails set attempts = 0, due = ? where due is null", micros(at))
        return count

    def go_back(self, position: int) -> None:
        """The record has come to `position` and no further: what happens from there on is still to be told."""
        with self._db.transaction():
            self._db.execute("update mails set event = ?1 where event > ?1", position)
            if (self.position or 0) > position:
                self._keep("position", b"%d" % position)

    def close(self) -> None:
        self._db.close()

    def _state(self, name: str) -> bytes | None:
        query = "select value from state where name = ?"
        return next((value for (value,) in self._db.rows(tuple[bytes], query, name)), None)

    def _keep(self, name: str, value: bytes) -> None:
        self._db.execute("insert or replace into state values (?, ?)", name, value)

    def _mails(self, where: str, *values: str | int) -> Iterator[Mail]:
        query = f"select statement, event, attempts, due, error from mails where {where}"  # noqa: S608 - constants
        rows = self._db.rows(tuple[str, int, int, int | None, str], query, *values)
        for statement, event, attempts, due, error in rows:
            yield Mail(
                statement=DecisionId(statement),
                event=event,
                attempts=attempts,
                due=None if due is None else moment(due),
                error=error,
            )
