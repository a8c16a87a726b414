"""The log as a value: what a transaction appends to it, signs, and afterwards publishes.

The order that keeps a log from forking is the caller's to keep, and these are its steps:

1. in one transaction: store the facts, the entries' bytes, and `signed_head(appended.log, ...)`;
2. after the commit: write `publication(appended, signed)`, in its order, the checkpoint last;
3. then acknowledge.

At start, `resume` compares what is stored with what was published last; if a crash between 1 and 2 left anything
unpublished, `republication` gives it. Tiles are a cache of the stored entries; nothing is read back from them here.
A `Frontier` stored now and then spares reading all entries: `resume_from` goes on from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.note import Signer
from comity.ledger.tiles import LONGEST_ENTRY, TilePlace, encode_bundle, full_tile, partial_tiles
from comity.ledger.tree import TILE_WIDTH, Tree, grow, leaf_hashes

File = tuple[str, bytes]
"""A path below the log's prefix, and the content to write there."""

CHECKPOINT_PATH: Final = "checkpoint"
COSIGNED_PATH: Final = "cosigned"
"""The last checkpoint that met the log's own policy; `checkpoint` may be newer, and waits for its cosignatures."""
VKEY_PATH: Final = "vkey"
_AT_ONCE: Final = 64 * TILE_WIDTH


class ForkError(Exception):
    """Going on would make a second history: what is stored does not continue what was published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A log of `tree.size` entries. `tail`: the entries after the last full bundle."""

    tree: Tree = Tree()  # noqa: RUF009 - an immutable value
    tail: tuple[bytes, ...] = ()

    @property
    def size(self) -> int:
        return self.tree.size

    @property
    def root(self) -> bytes:
        return self.tree.root


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """What appending needs of a log of `size` entries besides those from `first` on: its right edge, as it was."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()
    rims: tuple[bytes, ...] = ()  # of the levels above the leaves

    @property
    def first(self) -> int:
        """The first entry that is still to be read."""
        return self.size - self.size % TILE_WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What appending came to. The entries have indices from `first` on; `files` are the tiles and bundles it filled."""

    log: Log
    first: int
    leaves: tuple[bytes, ...]
    files: tuple[File, ...]


def append(log: Log, entries: Sequence[bytes]) -> Appended:
    """`log` with `entries` after its last. Raises `ValueError` for an entry that fits no bundle."""
    for n, entry in enumerate(entries):
        if len(entry) > LONGEST_ENTRY:
            raise ValueError(f"Entry {log.size + n} has {len(entry)} bytes, more than {LONGEST_ENTRY}.")
    leaves = tuple(leaf_hashes(entries))
    tree, full = grow(log.tree, leaves)
    waiting = (*log.tail, *entries)
    whole = len(waiting) - len(waiting) % TILE_WIDTH
    first_bundle = log.size // TILE_WIDTH
    bundles = tuple(
        (TilePlace(level=None, n=first_bundle + n).path, encode_bundle(waiting[start : start + TILE_WIDTH]))
        for n, start in enumerate(range(0, whole, TILE_WIDTH))
    )
    grown = Log(tree=tree, tail=waiting[whole:])
    return Appended(log=grown, first=log.size, leaves=leaves, files=(*bundles, *map(full_tile, full)))


def signed_head(log: Log, origin: str, signers: Iterable[Signer]) -> bytes:
    """The signed checkpoint of `log` as it is. Raises `NoteError`."""
    return sign_checkpoint(Checkpoint(origin=origin, size=log.size, root=log.root), signers)


def publication(appended: Appended, checkpoint: bytes) -> tuple[File, ...]:
    """What to write once `appended` is committed, in this order: bundles, tiles, and the checkpoint last."""
    return (*appended.files, *partial_files(appended.log, appended.first), (CHECKPOINT_PATH, checkpoint))


def partial_files(log: Log, since: int) -> tuple[File, ...]:
    """The files that are not yet full, but for those that the log already had when it was of `since` entries.

    Of several appends published together only the last's are needed.
    """
    bundle = TilePlace(level=None, n=log.size // TILE_WIDTH, width=len(log.tail))
    bundles = ((bundle.path, encode_bundle(log.tail)),) if log.tail and log.size > since else ()
    return (*bundles, *partial_tiles(log.tree, since))


def resume(entries: Iterable[bytes], published: Checkpoint | None) -> Log:
    """The log of all the stored `entries`. Raises `ForkError` if it does not continue the `published` checkpoint.

    If the log is larger than what was published, write `republication` before anything else.
    """
    source = iter(entries)
    log = _taken(Log(), source, published.size if published else 0)
    if published is not None:
        demand_continuation(log, published)
    return _taken(log, source, None)


def frontier_of(log: Log) -> Frontier:
    """What to store so that `resume_from` can go on from `log`."""
    return Frontier(size=log.size, peaks=log.tree.peaks, rims=log.tree.rims[1:])


def resume_from(frontier: Frontier, entries: Iterable[bytes], published: Checkpoint | None) -> Log:
    """`resume`, reading only the stored `entries` from `frontier.first` on. Raises `ForkError` likewise.

    The frontier is believed: compare the root with the checkpoint that was signed when the last entry was stored.
    Raises `ValueError` if it is of a larger log than is stored, or than was published.
    """
    source = iter(entries)
    tail = tuple(islice(source, frontier.size - frontier.first))
    if len(tail) < frontier.size - frontier.first or (published is not None and published.size < frontier.size):
        raise ValueError(f"the frontier of {frontier.size} entries is ahead of the log")
    rims = (b"".join(leaf_hashes(tail)), *frontier.rims)
    log = Log(tree=Tree(size=frontier.size, peaks=frontier.peaks, rims=rims), tail=tail)
    if published is not None:
        log = _taken(log, source, published.size)
        demand_continuation(log, published)
    return _taken(log, source, None)


def demand_continuation(log: Log, published: Checkpoint) -> None:
    """Raises `ForkError` unless `log`, cut to the published size, is what was published; says what to do."""
    mend = (
        "Nothing was signed. Restore the newest backup of the store; if there is none, begin a new log"
        " whose genesis cites the published checkpoint."
    )
    if log.size < published.size:
        raise ForkError(
            f"The store has {log.size} entries, but {published.size} were already published under {published.origin}:"
            f" it was restored from an older backup, or belongs to another log. {mend}"
        )
    if log.size == published.size and log.root != published.root:
        raise ForkError(
            f"The store's first {log.size} entries are not those that were published under {published.origin}"
            f" (root {log.root.hex()} against {published.root.hex()}). {mend}"
        )


def republication(entries: Iterable[bytes], published: int) -> Iterator[File]:
    """Every file that a log of `entries` has and one of its first `published` had not; the checkpoint is yours to add.

    `entries` are all of them, from entry 0; they are read as they are needed.
    """
    source = iter(entries)
    log = _taken(Log(), source, published)
    while chunk := tuple(islice(source, _AT_ONCE)):
        appended = append(log, chunk)
        yield from appended.files
        log = appended.log
    yield from partial_files(log, published)


def _taken(log: Log, source: Iterator[bytes], until: int | None) -> Log:
    while until is None or log.size < until:
        most = _AT_ONCE if until is None else min(_AT_ONCE, until - log.size)
        chunk = tuple(islice(source, most))
        if not chunk:
            return log
        log = append(log, chunk).log
    return log
