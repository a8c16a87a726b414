"""What gates are told, from the store: everything at once, or each change in its turn, with what proves it.

Nothing is told before the ledger that proves it is published, so a change waits for its entry, and what follows it
waits too. A gate that may not know a channel gets the numbers of its changes and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from itertools import islice
from typing import IO, Final

from msgspec.structs import replace

from comity.ledger.checkpoint import Checkpoint, unverified_checkpoint
from comity.ledger.commitment import Opening
from comity.ledger.feed import (
    AccountOpening,
    Change,
    EntryOpening,
    FeedEntry,
    FeedSnapshot,
    Heartbeat,
    ProvenSpan,
    Skipped,
    around,
    decode_snapshot,
    encode_entry,
)
from comity.ledger.log import CHECKPOINT_PATH
from comity.ledger.plan_digest import exchanged, plan_digest
from comity.ledger.sealed import FIELD
from comity.ledger.tiles import hashes_from_tiles
from comity.ledger.tlog_proof import TlogProof
from comity.ledger.tree import TILE_HEIGHT, beside, node_hash, range_hash
from comity.model.ids import AccountId, Channel, DecisionId
from comity.model.plan import Span
from comity.ports import Feed, PublishedLog, Store, Told

Channels = frozenset[Channel] | None
"""The channels that a gate may know; None: all."""


class DamagedFeedError(Exception):
    """The plans do not add up to the digest that was kept with them: nothing is told until the store is mended."""


class GoneError(Exception):
    """The feed cannot go on from there: it is another life's, or too long ago, or ahead. Take a new snapshot."""


class FeedSource:
    """The feed of one store, which is only read, and its published log."""

    def __init__(self, store: Store, log: PublishedLog, link: Callable[[DecisionId], str]) -> None:
        self._store, self._log, self._link = store, log, link
        self._proofs = _Proofs(log)

    def snapshot(self, channels: Channels = None) -> FeedSnapshot:
        """All of it in memory. Raises `DamagedFeedError`."""
        entries = BytesIO()
        head, tail = self.write_snapshot(entries, channels)
        return decode_snapshot(head + entries.getvalue() + tail)

    def write_snapshot(self, entries: IO[bytes], channels: Channels = None) -> tuple[bytes, bytes]:
        """Write the entries; what comes before and after them. Raises `DamagedFeedError`."""
        count = digest = 0
        with self._store.at_once():
            feed = self._store.feed
            for one in self._store.told():
                if _is_for(one, channels):
                    entries.write((b",\n" if count else b"") + encode_entry(_entry(one, self._at_index)))
                    count, digest = count + 1, exchanged(digest, 0, plan_digest(one.planned))
        if (count, digest) != _total(feed, channels):
            raise DamagedFeedError("the plans in the store are not those that were counted; restore a backup of it")
        checkpoint = self._log.read(CHECKPOINT_PATH) or b""  # read last, so that it has what was told
        return around(
            FeedSnapshot(
                epoch=feed.epoch,
                cursor=feed.cursor,
                count=count,
                digest=_hex(digest),
                checkpoint=checkpoint.decode(),
                entries=(),
            )
        )

    def changes(self, epoch: str, after: int) -> Iterator[FeedEntry]:
        """Those after `after` whose entries are published, of all channels: see `scoped`. Raises `GoneError`."""
        feed = self._store.feed
        if epoch != feed.epoch or after > feed.cursor or after + 1 < feed.first:
            raise GoneError("the feed does not go on from there; take a new snapshot")
        self._proofs.renew()
        changes = self._store.changes(after)
        while some := list(islice(changes, _AT_ONCE)):
            shown = self._shown(some)
            for one in some:
                if not all([span.statement in shown for span in _plan(one)]):
                    return
                yield _entry(one, shown.__getitem__)

    def was_published(self) -> bool:
        """Whether anything was since `changes` was asked last."""
        return self._proofs.are_old

    def heartbeat(self, now: datetime, channels: Channels = None) -> Heartbeat:
        feed = self._store.feed
        return Heartbeat(cursor=feed.cursor, digest=_hex(_total(feed, channels)[1]), now=now)

    def _at_index(self, statement: DecisionId) -> _Shown:
        index = self._store.entry_index(statement)
        return self._what_shows(statement, self._store.openings(statement), index=index)

    def _shown(self, changes: Iterable[Told]) -> Mapping[DecisionId, _Shown]:
        """What shows the statements whose entries are published. A decision changes several channels at once."""
        entered = self._store.entered({span.statement for one in changes for span in _plan(one)})
        return {
            statement: self._what_shows(statement, one.openings, proof=self._proofs.of(one.index, one.entry))
            for statement, one in entered.items()
            if one.index < self._proofs.size
        }

    def _what_shows(
        self, statement: DecisionId, openings: Iterable[Opening], *, proof: str | None = None, index: int | None = None
    ) -> _Shown:
        by_field = {each.field: each for each in openings}
        account, inside = by_field.get("account"), by_field.get(FIELD)
        return _Shown(
            proof=proof,
            index=index,
            opening=AccountOpening(salt=account.salt, value=AccountId(str(account.value))) if account else None,
            inside=EntryOpening(salt=inside.salt, value=str(inside.value)) if inside else None,
            link=self._link(statement),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What a span brings so that a gate believes it."""

    proof: str | None
    index: int | None
    opening: AccountOpening | None
    inside: EntryOpening | None
    link: str


def _entry(one: Told, shows: Callable[[DecisionId], _Shown]) -> FeedEntry:
    planned = one.planned
    if planned is None:
        return FeedEntry(seq=one.seq, row=one.row, account=None, channel=None)
    return FeedEntry(
        seq=one.seq,
        row=one.row,
        account=planned.account,
        channel=planned.channel,
        handles=planned.handles,
        plan=tuple([_proven(span, shows(span.statement)) for span in planned.plan]),
    )


def _proven(span: Span, shown: _Shown) -> ProvenSpan:
    return ProvenSpan(
        state=span.state,
        start=span.start,
        until=span.until,
        limit=span.limit,
        condition=span.condition,
        statement=span.statement,
        reason=span.reason,
        proof=shown.proof,
        index=shown.index,
        opening=shown.opening,
        inside=shown.inside,
        link=shown.link,
    )


_AT_ONCE: Final = 500
_MOST_HASHES: Final = 20_000


class _Proofs:
    """Proofs in the log as it was published last. Full tiles are read once, and full subtrees hashed once."""

    def __init__(self, log: PublishedLog) -> None:
        self._log, self._tiles, self._hashes = log, dict[str, bytes](), dict[tuple[int, int], bytes]()
        self._signed, self._checkpoint = b"", Checkpoint(origin="", size=0, root=b"")
        self._hash_anew = hashes_from_tiles(self._read, 0)

    @property
    def size(self) -> int:
        return self._checkpoint.size

    @property
    def are_old(self) -> bool:
        return self._log.read(CHECKPOINT_PATH) != self._signed

    def renew(self) -> None:
        signed = self._log.read(CHECKPOINT_PATH)
        if signed is not None and signed != self._signed:
            before, self._signed, self._checkpoint = self._checkpoint, signed, unverified_checkpoint(signed)
            if before.origin != self._checkpoint.origin or len(self._hashes) > _MOST_HASHES:
                self._tiles, self._hashes = {}, {}
            self._tiles = {path: tile for path, tile in self._tiles.items() if ".p/" not in path}
            self._hash_anew = hashes_from_tiles(self._read, self.size)

    def of(self, index: int, entry: bytes) -> str:
        hashes = tuple([self._over(start, end) for start, end in beside(index, self.size)])
        return bytes(TlogProof(index=index, hashes=hashes, checkpoint=self._signed, extra=entry)).decode()

    def _over(self, start: int, end: int) -> bytes:
        """The hash over these leaves, which never becomes another one."""
        known = self._hashes.get((start, end))
        if known is None:
            known = self._hashes[start, end] = range_hash(start, end, self._hash)
        return known

    def _hash(self, height: int, n: int) -> bytes:
        """Of a complete subtree: out of its halves, unless it stands in a tile."""
        if height % TILE_HEIGHT == 0:
            return self._hash_anew(height, n)
        length = 1 << height - 1
        start = 2 * n * length
        return node_hash(self._over(start, start + length), self._over(start + length, start + 2 * length))

    def _read(self, path: str) -> bytes | None:
        known = self._tiles.get(path)
        if known is None and (known := self._log.read(path)) is not None:
            self._tiles[path] = known
        return known


def scoped(changes: Iterable[FeedEntry], channels: Channels) -> Iterator[Change]:
    """The changes for a gate that may know those channels: of others it hears that there were some.

    Of whoever was erased nobody knows the channel any more; every gate hears of it.
    """
    skips = seq = 0
    for one in changes:
        seq = one.seq
        if not _is_told(one, channels):
            skips += 1
            continue
        yield replace(one, skips=skips) if skips else one
        skips = 0
    if skips:
        yield Skipped(since=seq - skips + 1, seq=seq)


def _is_told(one: FeedEntry, channels: Channels) -> bool:
    return channels is None or one.channel is None or one.channel in channels


def _total(feed: Feed, channels: Channels) -> tuple[int, int]:
    count = digest = 0
    for channel, (plans, part) in feed.totals.items():
        if channels is None or channel in channels:
            count, digest = count + plans, exchanged(digest, 0, part)
    return count, digest


def _plan(one: Told) -> tuple[Span, ...]:
    return one.planned.plan if one.planned else ()


def _is_for(one: Told, channels: Channels) -> bool:
    return one.planned is not None and (channels is None or one.planned.channel in channels)


def _hex(digest: int) -> str:
    return digest.to_bytes(32, "big").hex()
