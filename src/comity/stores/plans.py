"""What gates are to know, kept with the digest over all of it: the embedded store's part of the feed.

Erasing an account empties its rows, which is a change like any other and names nobody.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from comity.ledger.plan_digest import exchanged, plan_digest
from comity.model.ids import AccountId, Channel
from comity.model.plan import Planned
from comity.ports import Feed, Told
from comity.stores.database import Database
from comity.stores.layout import EPOCH, MICROSECOND, place_of_plan
from comity.stores.people import People

_KEPT: Final = 1_000_000
"""Changes that a gate may be behind by; one that is further behind takes a new snapshot."""
_FEED: Final = (  # one statement, so that all of it is of one moment
    "select epoch, (select coalesce(min(seq), 0) from changes), (select coalesce(max(seq), 0) from changes),"
    " channel, count, digest from feed left join totals"
)
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Planned)
_NOTHING: Final = bytes(32)


class Plans:
    """The feed of one store. Its changes belong into the store's transactions."""

    def __init__(self, db: Database, people: People) -> None:
        self._db, self._people = db, people

    def begin(self) -> None:
        """A feed of its own life, with nothing in it: gates that knew another take a new snapshot."""
        self._db.execute("insert or replace into feed values (1, ?, 1)", secrets.token_hex(16))

    def begin_anew(self) -> None:
        """The same feed under another name, since other entries prove it from now on."""
        self._db.execute("update feed set epoch = ?", secrets.token_hex(16))

    def append(self, every: Iterable[Planned], subjects: Mapping[AccountId, int]) -> None:
        """Keep what is new of it. What is known already, and an empty plan of which nothing is known, is no change."""
        for one in every:
            subject = subjects[one.account]
            row, old = self._known(subject, one)
            if old == one or (old is None and not one.plan):
                continue
            if row is None:
                row = self._db.number("select coalesce(max(row), 0) + 1 from plans")
            self._keep(row, subject, one)
            self._count(one.channel, old, one)

    def erase(self, subject: int) -> None:
        """Before the subject's rows are emptied: take them out of the totals."""
        query = "select row, body from plans where subject = ? and body is not null"
        for row, body in list(self._db.rows(tuple[int, bytes], query, subject)):
            old = self._opened(subject, row, body)
            if old is not None:
                self._count(old.channel, old, None)

    def settle(self) -> None:
        """Count anew if rows were emptied of which nobody could say any more what was in them."""
        if self._db.number("select is_settled from feed"):
            return
        with self._db.transaction():
            self._db.execute("delete from totals")
            for one in list(self.told()):
                if one.planned is not None:
                    self._count(one.planned.channel, None, one.planned)
            self._db.execute("update feed set is_settled = 1")

    def told(self) -> Iterator[Told]:
        query = "select row, subject, body from plans where body is not null order by row"
        for row, subject, body in self._db.rows(tuple[int, int, bytes], query):
            planned = self._opened(subject, row, body)
            if planned is not None and planned.plan:
                yield Told(row=row, planned=planned)

    def told_at(self, seq: int) -> datetime | None:
        """When the change was committed, by this machine's clock."""
        rows = self._db.rows(tuple[int], "select at from changes where seq = ?", seq)
        return next((EPOCH + at * MICROSECOND for (at,) in rows), None)

    def last_change(self, subject: int, channel: Channel) -> int | None:
        query = "select max(seq) from changes join plans using (row) where subject = ? and channel = ?"
        return next(seq for (seq,) in self._db.rows(tuple[int | None], query, subject, channel))

    def changes(self, after: int) -> Iterator[Told]:
        query = "select seq, row, subject, body from changes join plans using (row) where seq > ? order by seq"
        for seq, row, subject, body in self._db.rows(tuple[int, int, int | None, bytes | None], query, after):
            planned = None if subject is None or body is None else self._opened(subject, row, body)
            yield Told(seq=seq, row=row, planned=planned)

    @property
    def feed(self) -> Feed:
        rows = list(self._db.rows(tuple[str, int, int, Channel | None, int | None, bytes | None], _FEED))
        epoch, first, cursor, *_ = rows[0]
        return Feed(
            epoch=epoch,
            first=first,
            cursor=cursor,
            totals={
                channel: (count or 0, int.from_bytes(digest or b"", "big"))
                for _, _, _, channel, count, digest in rows
                if channel is not None
            },
        )

    def _known(self, subject: int, one: Planned) -> tuple[int | None, Planned | None]:
        query = "select row, body from plans where subject = ? and channel = ?"
        for row, body in self._db.rows(tuple[int, bytes], query, subject, one.channel):
            return row, self._opened(subject, row, body)
        return None, None

    def _keep(self, row: int, subject: int, one: Planned) -> None:
        body = self._people.seal(subject, place_of_plan(row), _ENCODER.encode(one))
        self._db.execute("insert or replace into plans values (?, ?, ?, ?)", row, subject, one.channel, body)
        self._db.execute("insert into changes (row) values (?)", row)
        self._db.execute("delete from changes where seq <= (select max(seq) from changes) - ?", _KEPT)

    def _opened(self, subject: int, row: int, body: bytes) -> Planned | None:
        content = self._people.unseal(subject, place_of_plan(row), body)
        return None if content is None else _DECODER.decode(content)

    def _count(self, channel: Channel, old: Planned | None, new: Planned | None) -> None:
        query = "select count, digest from totals where channel = ?"
        count, total = next(self._db.rows(tuple[int, bytes], query, channel), (0, _NOTHING))
        count += bool(new and new.plan) - bool(old and old.plan)
        digest = exchanged(int.from_bytes(total, "big"), plan_digest(old), plan_digest(new))
        self._db.execute("insert or replace into totals values (?, ?, ?)", channel, count, digest.to_bytes(32, "big"))
