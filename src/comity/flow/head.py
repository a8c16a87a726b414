"""Where the ledger stands: what its next write goes on from, without all entries being read at each start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from typing import Final

import msgspec

from comity.ledger.checkpoint import Checkpoint, open_checkpoint
from comity.ledger.entry import AgreementEntry, CensusEntry, Entry, parse_entry
from comity.ledger.log import ForkError, Frontier, Log, frontier_of, resume, resume_from
from comity.ledger.note import VerifierKey
from comity.ledger.tree import TILE_WIDTH
from comity.ports import Store

_READ_AT_ONCE: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the entries so far said last: on which day, on which day of a census, which entry of a version."""

    day: date | None = None
    census: date | None = None
    agreement: str | None = None

    def after_all(self, entries: Sequence[Entry]) -> Seen:
        """Of most entries only the last one's day is new."""
        telling = [entry for entry in entries if isinstance(entry, CensusEntry | AgreementEntry)]
        return reduce(Seen.after, (*telling, *entries[-1:]), self)

    def after(self, entry: Entry) -> Seen:
        day = entry.at.date()
        seen = replace(self, day=day) if day != self.day else self
        match entry:
            case CensusEntry():
                return replace(seen, census=day)
            case AgreementEntry():
                return replace(seen, agreement=entry.id)
            case _:
                return seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The log and what was seen in it. The store keeps it in short as it was at `stored` entries."""

    log: Log
    seen: Seen = Seen()
    stored: int | None = None

    def after(self, log: Log, entries: Sequence[Entry]) -> Head:
        """With `entries` appended, which made it `log`."""
        return replace(self, log=log, seen=self.seen.after_all(entries))

    def kept(self) -> Head:
        """After a write that had `short`."""
        return replace(self, stored=self.log.size) if self.short() else self

    def short(self) -> bytes:
        """What the store keeps with a write; empty while little was appended since it was kept last."""
        if self.stored is not None and self.stored // TILE_WIDTH == self.log.size // TILE_WIDTH:
            return b""
        return _ENCODER.encode(_Short(frontier=frontier_of(self.log), seen=self.seen))


class _Short(msgspec.Struct, frozen=True):
    frontier: Frontier
    seen: Seen


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(_Short)


def stored_entries(store: Store, start: int = 0) -> Iterator[bytes]:
    """All entries from `start` on."""
    while batch := store.entries(start, start + _READ_AT_ONCE):
        yield from batch
        start += len(batch)


def read_head(store: Store, key: VerifierKey, published: Checkpoint | None) -> Head:
    """Where the stored ledger stands. Raises `ForkError` if it does not continue what was published.

    What the store keeps in short is used only if it leads to the root that was signed last.
    """
    return _read_short(store, key, published) or _read_whole(store, published)


def _read_short(store: Store, key: VerifierKey, published: Checkpoint | None) -> Head | None:
    try:
        short = _DECODER.decode(store.head)
        log = resume_from(short.frontier, stored_entries(store, short.frontier.first), published)
        signed = open_checkpoint(store.checkpoint, [key], key.name)
    except (ForkError, ValueError, msgspec.MsgspecError):
        return None  # none is kept yet, or it was altered: the entries themselves say what is so
    if (signed.size, signed.root) != (log.size, log.root):
        return None
    seen = _seen(short.seen, stored_entries(store, short.frontier.size))
    return Head(log=log, seen=seen, stored=short.frontier.size)


def _read_whole(store: Store, published: Checkpoint | None) -> Head:
    log = resume(stored_entries(store), published)
    return Head(log=log, seen=_seen(Seen(), stored_entries(store)))


def _seen(seen: Seen, entries: Iterable[bytes]) -> Seen:
    content = b""
    for content in entries:
        if b'"t":"census"' in content or b'"t":"agreement"' in content:
            seen = seen.after(parse_entry(content))
    return seen.after(parse_entry(content)) if content else seen
