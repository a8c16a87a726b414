"""What gates are to know, kept with the digest over all of it: the embedded store's part of the feed.

Erasing an account empties its rows, which is a change like any other and names nobody.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec

from comity.ledger.plan_digest import exchanged, plan_digest
from comity.model.ids import AccountId, Channel, DecisionId
from comity.model.plan import Planned
from comity.ports import Entered, Feed, Told
from comity.stores.database import Database
from comity.stores.layout import listed, moment, place_of_openings, place_of_plan, unpack_openings
from comity.stores.people import People

_AT_ONCE: Final = 500
_KEPT: Final = 1_000_000
"""Changes that a gate may be behind by; one that is further behind takes a new snapshot."""
_FEED: Final = (  # one statement, so that all of it is of one moment
    "select epoch, (select coalesce(min(seq), 0) from changes), (select coalesce(max(seq), 0) from changes),"
    " channel, count, digest from feed left join totals"
)
_ENTERED: Final = (
    "select ids.id, ids.entry, entries.body, openings.subject, openings.body from json_each(?) as wanted"
    " join ids on ids.id = wanted.value join entries on entries.seq = ids.entry"
    " left join openings on openings.entry = ids.id"
)
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Planned)


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

    def append(self, every: Sequence[Planned], subjects: Mapping[AccountId, int]) -> None:
        """Keep what is new of it. What is known already, and an empty plan of which nothing is known, is no change."""
        latest = {(subjects[one.account], one.channel): one for one in every}
        if not latest:
            return
        known, free = self._known(latest), self._db.number("select coalesce(max(row), 0) + 1 from plans")
        changed: list[tuple[int, int, Planned]] = []
        exchanges: list[tuple[Planned | None, Planned]] = []
        for place, one in latest.items():
            row, old = known.get(place, (free, None))
            if old == one or (old is None and not one.plan):
                continue
            free += row == free
            changed.append((row, place[0], one))
            exchanges.append((old, one))
        self._keep(changed)
        self._count(exchanges)

    def erase(self, subject: int) -> None:
        """Before the subject's rows are emptied: take them out of the totals."""
        query = "select row, body from plans where subject = ? and body is not null"
        rows = list(self._db.rows(tuple[int, bytes], query, subject))
        self._count([(self._opened(subject, row, body), None) for row, body in rows])

    def settle(self) -> None:
        """Count anew if rows were emptied of which nobody could say any more what was in them."""
        if self._db.number("select is_settled from feed"):
            return
        with self._db.transaction():
            self._db.execute("delete from totals")
            self._count([(None, one.planned) for one in self.told()])
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
        return next((moment(at) for (at,) in rows), None)

    def last_change(self, subject: int, channel: Channel) -> int | None:
        query = "select max(seq) from changes join plans using (row) where subject = ? and channel = ?"
        return next(seq for (seq,) in self._db.rows(tuple[int | None], query, subject, channel))

    def changes(self, after: int) -> Iterator[Told]:
        query = "select seq, row, subject, body from changes join plans using (row) where seq > ? order by seq"
        rows = self._db.rows(tuple[int, int, int | None, bytes | None], query, after)
        while some := list(islice(rows, _AT_ONCE)):
            self._people.have_ready({subject for _, _, subject, _ in some if subject is not None})
            for seq, row, subject, body in some:
                planned = None if subject is None or body is None else self._opened(subject, row, body)
                yield Told(seq=seq, row=row, planned=planned)

    def entered(self, decisions: Collection[DecisionId]) -> Mapping[DecisionId, Entered]:
        """What proves plans; of an entry whose openings were erased there are none."""
        found = dict[DecisionId, Entered]()
        wanted = listed(decisions)
        rows = self._db.rows(tuple[DecisionId, int, bytes, int | None, bytes | None], _ENTERED, wanted)
        for id_, index, entry, subject, body in rows:
            before = found[id_].openings if id_ in found else ()
            place = place_of_openings(id_)
            content = None if subject is None or body is None else self._people.unseal(subject, place, body)
            openings = () if content is None else unpack_openings(id_, content)
            found[id_] = Entered(index=index, entry=entry, openings=(*before, *openings))
        return found

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

    def _known(self, places: Iterable[tuple[int, Channel]]) -> dict[tuple[int, Channel], tuple[int, Planned | None]]:
        """The rows of these subjects and channels, and what stands in them."""
        query = (
            "select row, subject, channel, body from plans where (subject, channel) in"
            " (select value ->> 0, value ->> 1 from json_each(?))"
        )
        rows = self._db.rows(tuple[int, int, Channel, bytes], query, msgspec.json.encode(list(places)).decode())
        return {(subject, channel): (row, self._opened(subject, row, body)) for row, subject, channel, body in rows}

    def _keep(self, changed: Sequence[tuple[int, int, Planned]]) -> None:
        rows = [
            (row, subject, one.channel, self._people.seal(subject, place_of_plan(row), _ENCODER.encode(one)))
            for row, subject, one in changed
        ]
        self._db.executemany("insert or replace into plans values (?, ?, ?, ?)", rows)
        self._db.executemany("insert into changes (row) values (?)", [(row,) for row, _, _ in changed])
        self._db.execute("delete from changes where seq <= (select max(seq) from changes) - ?", _KEPT)

    def _opened(self, subject: int, row: int, body: bytes) -> Planned | None:
        content = self._people.unseal(subject, place_of_plan(row), body)
        return None if content is None else _DECODER.decode(content)

    def _count(self, exchanges: Iterable[tuple[Planned | None, Planned | None]]) -> None:
        """Bring the totals up to date: of each pair the second takes the place of the first."""
        rows = self._db.rows(tuple[Channel, int, bytes], "select channel, count, digest from totals")
        totals = {channel: (count, int.from_bytes(digest, "big")) for channel, count, digest in rows}
        for old, new in exchanges:
            for channel in {one.channel for one in (old, new) if one}:
                count, total = totals.get(channel, (0, 0))
                count += bool(new and new.plan) - bool(old and old.plan)
                totals[channel] = count, exchanged(total, plan_digest(old), plan_digest(new))
        changed = [(channel, count, total.to_bytes(32, "big")) for channel, (count, total) in totals.items()]
        self._db.executemany("insert or replace into totals values (?, ?, ?)", changed)
