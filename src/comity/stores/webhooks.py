"""Webhooks in a file of their own, `webhooks.db`: addresses, secrets to sign with, and the ids of events on their way.

The secrets are there in the clear, since they sign: the file is its owner's alone to read. Of events it holds no more
than their ids, so that nothing of a person stays here when their data are erased.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from comity.model.webhook import Letter, Webhook, WebhookId
from comity.stores.database import opened
from comity.stores.layout import micros, moment

WEBHOOKS_FILE: Final = "webhooks.db"
_FORMAT: Final = 1
_LONGEST_ERROR: Final = 300
_SCHEMA: Final = """
create table hooks (id text primary key, body blob not null, position integer not null) strict, without rowid;
create table letters (
  seq integer primary key, hook text not null, event text not null, attempts integer not null, due integer,
  error text not null, unique (hook, event)
) strict;
create index letters_by_due on letters (hook, due, seq);
"""
_HOOK: Final = msgspec.json.Decoder(Webhook)


class WebhookFile:
    """The webhooks of one record. Raises `StoreError` as the store does."""

    def __init__(self, path: Path) -> None:
        self._db = opened(path, _FORMAT, _SCHEMA)

    def add(self, hook: Webhook) -> None:
        with self._db.transaction():
            body = msgspec.json.encode(hook)
            self._db.execute("insert into hooks values (?, ?, ?)", hook.id, body, hook.position)

    def retire(self, id_: WebhookId) -> bool:
        """Nothing is sent there any more. False: there is no such webhook."""
        with self._db.transaction():
            found = self._db.number("select count(*) from hooks where id = ?", id_) > 0
            self._db.execute("delete from hooks where id = ?", id_)
            self._db.execute("delete from letters where hook = ?", id_)
        return found

    def every(self) -> Sequence[Webhook]:
        rows = self._db.rows(tuple[bytes, int], "select body, position from hooks")
        found = (msgspec.structs.replace(_HOOK.decode(body), position=position) for body, position in rows)
        return sorted(found, key=lambda hook: hook.created)

    def put(self, hook: WebhookId, events: Sequence[str], position: int, at: datetime) -> None:
        with self._db.transaction():
            insert = "insert into letters (hook, event, attempts, due, error) values (?, ?, 0, ?, '')"
            insert += " on conflict do nothing"
            self._db.executemany(insert, [(hook, event, micros(at)) for event in events])
            self._db.execute("update hooks set position = ? where id = ?", position, hook)

    def due(self, hook: WebhookId, at: datetime, most: int) -> Sequence[Letter]:
        where = "hook = ? and due <= ? order by seq limit ?"
        return tuple(self._letters(where, hook, micros(at), most))

    def is_paused(self, hook: WebhookId, at: datetime) -> bool:
        query = "select count(*) from letters where hook = ? and due > ? and attempts between 1 and 2"
        return self._db.number(query, hook, micros(at)) > 0

    def waiting(self, hook: WebhookId) -> int:
        return self._db.number("select count(*) from letters where hook = ? and due is not null", hook)

    def dead(self, hook: WebhookId) -> Sequence[Letter]:
        return tuple(self._letters("hook = ? and due is null order by seq", hook))

    def keep(self, letter: Letter) -> None:
        due = None if letter.due is None else micros(letter.due)
        with self._db.transaction():
            update = "update letters set attempts = ?, due = ?, error = ? where hook = ? and event = ?"
            error = letter.error[:_LONGEST_ERROR]
            self._db.execute(update, letter.attempts, due, error, letter.hook, letter.event)

    def drop(self, letter: Letter) -> None:
        with self._db.transaction():
            self._db.execute("delete from letters where hook = ? and event = ?", letter.hook, letter.event)

    def again(self, hook: WebhookId, at: datetime) -> int:
        with self._db.transaction():
            count = self._db.number("select count(*) from letters where hook = ? and due is null", hook)
            update = "update letters set attempts = 0, due = ? where hook = ? and due is null"
            self._db.execute(update, micros(at), hook)
        return count

    def go_back(self, position: int) -> None:
        """The record has come to `position` and no further: what happens from there on is still to be told."""
        with self._db.transaction():
            self._db.execute("update hooks set position = ?1 where position > ?1", position)
            self._db.execute("delete from letters where cast(event as integer) > ?", position)

    def _letters(self, where: str, *values: str | int) -> Iterator[Letter]:
        query = f"select hook, event, attempts, due, error from letters where {where}"  # noqa: S608 - constants
        for hook, event, attempts, due, error in self._db.rows(tuple[str, str, int, int | None, str], query, *values):
            yield Letter(
                hook=WebhookId(hook),
                event=event,
                attempts=attempts,
                due=None if due is None else moment(due),
                error=error,
            )

    def close(self) -> None:
        self._db.close()
