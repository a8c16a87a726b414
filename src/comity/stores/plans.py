"""What gates are to know, kept with the digest over all of it: the embedded store's part of the feed.

Erasing an account empties its rows, which is a change like any other and names nobody.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from comity.ledger.plan_digest import MODULUS, exchanged, plan_digest
from comity.model.ids import AccountId
from comity.model.plan import Planned
from comity.ports import Feed, Told
from comity.stores.database import Database
from comity.stores.layout import place_of_plan
from comity.stores.people import People

_KEPT: Final = 1_000_000
"""Changes that a gate may be behind by; one that is further behind takes a new snapshot."""
_FEED: Final = (
    "select epoch, count, digest, (select coalesce(min(seq), 0) from changes),"
    " (select coalesce(max(seq), 0) from changes) from feed"
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
        self._db.execute("insert or replace into feed values (1, ?, 0, ?)", secrets.token_hex(16), _NOTHING)

    def append(self, every: Sequence[Planned], subjects: Mapping[AccountId, int]) -> None:
        """Keep what is new of it. What is known already, and an empty plan of which nothing is known, is no change."""
        if not every:
            return
        feed = self.feed
        count, digest = feed.count, feed.digest
        for one in every:
            row, old = self._known(subjects[one.account], one)
            if old == one or (old is None and not one.plan):
                continue
            if row is None:
                row = self._db.number("select coalesce(max(row), 0) + 1 from plans")
            self._keep(row, subjects[one.account], one)
            count += bool(one.plan) - bool(old and old.plan)
            digest = exchanged(digest, plan_digest(old) if old else 0, plan_digest(one))
        self._total(count, digest)

    def erase(self, subject: int) -> None:
        """Before the subject's rows are emptied: take them out of the count."""
        feed, query = self.feed, "select row, body from plans where subject = ? and body is not null"
        for row, body in self._db.rows(tuple[int, bytes], query, subject):
            old = self._opened(subject, row, body)
            if old is not None and old.plan:
                feed = msgspec.structs.replace(
                    feed, count=feed.count - 1, digest=exchanged(feed.digest, plan_digest(old), 0)
                )
        self._total(feed.count, feed.digest)

    def settle(self) -> None:
        """Count anew if rows were emptied of which nobody could say any more what was in them."""
        if self.feed.count < 0:
            every = [one.planned for one in self.told() if one.planned is not None]
            self._total(len(every), sum(map(plan_digest, every)) % MODULUS)

    def told(self) -> Iterator[Told]:
        query = "select row, subject, body from plans where body is not null order by row"
        for row, subject, body in self._db.rows(tuple[int, int, bytes], query):
            planned = self._opened(subject, row, body)
            if planned is not None and planned.plan:
                yield Told(row=row, planned=planned)

    def changes(self, after: int) -> Iterator[Told]:
        query = "select seq, row, subject, body from changes join plans using (row) where seq > ? order by seq"
        for seq, row, subject, body in self._db.rows(tuple[int, int, int | None, bytes | None], query, after):
            planned = None if subject is None or body is None else self._opened(subject, row, body)
            yield Told(seq=seq, row=row, planned=planned)

    @property
    def feed(self) -> Feed:
        ((epoch, count, total, first, cursor),) = self._db.rows(tuple[str, int, bytes, int, int], _FEED)
        return Feed(epoch=epoch, first=first, cursor=cursor, count=count, digest=int.from_bytes(total, "big"))

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

    def _total(self, count: int, digest: int) -> None:
        self._db.execute("update feed set count = ?, digest = ?", count, digest.to_bytes(32, "big"))
