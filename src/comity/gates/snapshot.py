"""Taking in everything at once: a snapshot read as it comes, held against its count, its digest and the ledger.

It may have a million entries, so they are read one by one, and whole bundles of the published log prove 256 entries
at a time. Blocks; a gate does it beside its work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from comity.gates.records import Records
from comity.gates.replica import Known, Manner, demand_shown
from comity.gates.sound import demand_sound
from comity.ledger.alike import Alike
from comity.ledger.feed import (
    LONGEST_LINE,
    FeedEntry,
    FeedError,
    Said,
    Unproven,
    decode_entry,
    decode_snapshot,
    demand_proven,
)
from comity.ledger.note import NoteError
from comity.ledger.plan_digest import MODULUS, plan_digest
from comity.ledger.policy import Policy
from comity.ledger.tiles import FileReader, TileError, TilePlace, fetch, hashes_from_tiles, parse_bundle
from comity.ledger.tree import (
    EMPTY,
    TILE_HEIGHT,
    TILE_WIDTH,
    HashReader,
    ProofError,
    check_inclusion,
    grow,
    inclusion_proof,
    leaf_hash,
)

LARGEST_PIECE: Final = 2 * LONGEST_LINE
"""The most bytes that are held to find where an entry ends."""

_BEGIN: Final = re.compile(rb'"entries"\s*:\s*\[')
_BETWEEN: Final = re.compile(rb'\}\s*,\s*(?=\{\s*"(?:seq|row)"\s*:)')


@dataclass(slots=True, kw_only=True)
class Taken:
    """A snapshot that is right. `doubts`: what was wrong with proofs, each sort once."""

    known: Known
    doubts: set[str] = field(default_factory=set)


def take(chunks: Iterable[bytes], read: FileReader, manner: Manner, at: datetime) -> Taken:
    """The snapshot whose bytes these are; `read` gives files of the published log. Raises `FeedError`."""
    pieces = _pieces(chunks)
    head = decode_snapshot(next(pieces))
    log = _Bundles(read=read, policy=manner.policy, checkpoint=head.checkpoint.encode())
    known = Known(epoch=head.epoch, cursor=head.cursor, digest=0, records=Records())
    taken = Taken(known=known)
    for piece in pieces:
        entry = _entry(piece)
        doubt = _doubt(entry, log, manner.policy)
        if doubt:
            taken.doubts.add(doubt)
        _add(known, entry, at + manner.grace if doubt else None)
    if (len(known.records), f"{known.digest:064x}") != (head.count, head.digest):
        raise FeedError(f"the snapshot says {head.count} entries and has {len(known.records)}, or its digest is wrong")
    return taken


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The snapshot with no entries, then each entry: cut where an object follows an object, never inside of one.

    A quotation mark inside of a JSON string is escaped, so what `_BETWEEN` finds stands between entries.
    """
    source, rest = iter(chunks), b""
    while (begin := _BEGIN.search(rest)) is None:
        rest = _more(source, rest)
    yield rest[: begin.end()] + b"]}"
    rest = rest[begin.end() :]
    for chunk in source:
        *whole, rest = _BETWEEN.split(rest + chunk)
        yield from (one + b"}" for one in whole)
        if len(rest) > LARGEST_PIECE:
            raise FeedError(f"an entry of the snapshot has more than {LARGEST_PIECE} bytes")
    *whole, rest = _BETWEEN.split(rest)
    yield from (one + b"}" for one in whole)
    last, bracket, after = rest.rpartition(b"]")
    if not bracket or after.strip() != b"}":
        raise FeedError("the snapshot breaks off")
    if last.strip():
        yield last


def _more(source: Iterator[bytes], rest: bytes) -> bytes:
    chunk = next(source, None)
    if chunk is None or len(rest) > LARGEST_PIECE:
        raise FeedError("the snapshot has no entries, or breaks off before them")
    return rest + chunk


def _entry(piece: bytes) -> FeedEntry:
    entry = decode_entry(piece)
    demand_sound(entry)
    return entry


def _add(known: Known, entry: FeedEntry, believed: datetime | None) -> None:
    planned = entry.planned
    if planned is None or not planned.plan or known.records.planned(entry.row) is not None:
        raise FeedError(f"the snapshot has nothing, or something twice, in row {entry.row}")
    known.records.put(entry.row, planned)
    known.digest = (known.digest + plan_digest(planned)) % MODULUS
    if believed is not None:
        known.unproven[entry.row] = believed


def _doubt(entry: FeedEntry, log: _Bundles, policy: Policy | None) -> str | None:
    """What is wrong with the proof of an entry, if anything."""
    if policy is None or entry.account is None or entry.channel is None:
        return None
    try:
        for span in entry.plan:
            if span.index is None:
                demand_shown(entry, policy, log.alike)
            else:
                demand_proven(entry.account, entry.channel, span, log.entry(span.index), log.alike)
    except Unproven as error:
        return str(error)
    return None


@dataclass(slots=True, kw_only=True)
class _Bundles:
    """Entries of the log that a checkpoint commits to. A bundle is proven as a whole, once, and some are kept."""

    read: FileReader
    policy: Policy | None
    checkpoint: bytes
    alike: Alike[Said] = field(default_factory=Alike)
    _kept: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    _size: int = -1
    _root: bytes = b""

    def entry(self, index: int) -> bytes:
        """Raises `Unproven`."""
        number = index // TILE_WIDTH
        if number not in self._kept:
            if len(self._kept) >= 256:
                del self._kept[next(iter(self._kept))]
            self._kept[number] = self._proven(number)
        entries = self._kept[number]
        if not 0 <= index % TILE_WIDTH < len(entries):
            raise Unproven("its index is beyond the checkpoint")
        return entries[index % TILE_WIDTH]

    def _proven(self, number: int) -> tuple[bytes, ...]:
        """Following one leaf to the root takes every other leaf of its bundle into account too."""
        try:
            self._open()
            width = min(TILE_WIDTH, self._size - number * TILE_WIDTH)
            if width <= 0:
                return ()
            path, content = fetch(self.read, TilePlace(level=None, n=number, width=width))
            entries, _ = parse_bundle(path, content, width)
            leaves = tuple(map(leaf_hash, entries))
            first = number * TILE_WIDTH
            proof = inclusion_proof(first, self._size, self._hashes(first, leaves))
            check_inclusion(first, self._size, leaves[0], proof, self._root)
        except (TileError, ProofError, NoteError) as error:
            raise Unproven(str(error)) from error
        return entries

    def _open(self) -> None:
        if self._size < 0 and self.policy is not None:
            checkpoint = self.policy.open(self.checkpoint).checkpoint
            self._size, self._root = checkpoint.size, checkpoint.root
            self.read = lru_cache(maxsize=1024)(self.read)

    def _hashes(self, first: int, leaves: tuple[bytes, ...]) -> HashReader:
        outside = hashes_from_tiles(self.read, self._size)

        def read(height: int, n: int) -> bytes:
            start = (n << height) - first
            if height >= TILE_HEIGHT or not 0 <= start < TILE_WIDTH:
                return outside(height, n)
            return grow(EMPTY, leaves[start : start + (1 << height)])[0].root

        return read
