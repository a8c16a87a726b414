"""Checking a published log from its files alone: everything is computed anew from the entries.

The tiles are compared with what the entries give, and never used to show that an entry is right (a reader that did
left tiles unchecked: CVE-2026-56865). The checkpoint is read first and what lies beyond it is left alone, so a log can
be verified while it grows. Memory stays flat: what must be remembered of each entry is put aside on a `Scratch`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from comity.ledger.audit import Audit
from comity.ledger.entry import EntryError
from comity.ledger.heads import Head, Remembered, demand_continued, demand_signed, read_head, read_remembered
from comity.ledger.log import VKEY_PATH
from comity.ledger.mentions import Held, Scratch
from comity.ledger.note import NoteError, VerifierKey
from comity.ledger.policy import Policy
from comity.ledger.report import MOST_PROBLEMS, Problem, Report, proved, unproved
from comity.ledger.tiles import (
    LARGEST_FILE,
    FileReader,
    TileError,
    TilePlace,
    fetch,
    fetch_hashes,
    parse_bundle,
)
from comity.ledger.tree import HASH_LENGTH, TILE_WIDTH, Tree, grow, leaf_hashes
from comity.ledger.versions import VersionError, read_version
from comity.model.agreement import Agreement


def verify(
    read: FileReader,
    vkey: str | None = None,
    since: Sequence[bytes] = (),
    policy: Policy | None = None,
    scratch: Scratch | None = None,
) -> Report:
    """Check the log that `read` gives files of.

    `vkey`: the operator's verifier key, got somewhere else, or in its place the logs and witnesses of a `policy`;
    without either the log's own `vkey` file is believed. `since`: signed checkpoints of this log kept from earlier,
    which the log must still continue. `scratch`: where 32 bytes for each entry are put aside; None: in memory.
    """
    walk = _Walk(read=read, scratch=scratch or Held())
    trusted = _trusted(walk, vkey, policy)
    head = None if trusted is None and vkey is not None else read_head(read, trusted, walk.object)
    if head is not None:
        walk.remembered = read_remembered(since, head, walk.object)
        _walk_entries(walk, head)
    is_fine = head is not None and not walk.problems
    return Report(
        origin=head.checkpoint.origin if head else "",
        size=head.checkpoint.size if head else 0,
        root=base64.b64encode(walk.tree.root).decode(),
        counts=dict(walk.audit.counts),
        proved=tuple(proved(walk.audit, head, walk.remembered, walk.tiles)) if head and is_fine else (),
        unproved=tuple(
            unproved(
                walk.audit,
                is_own_key=trusted is None,
                has_remembered=bool(walk.remembered),
                is_cosigned=bool(head and head.cosigned),
            )
        ),
        problems=tuple(walk.problems),
        more_problems=walk.more,
        checkpoint=head.note if head and is_fine else None,
    )


def _trusted(walk: _Walk, vkey: str | None, policy: Policy | None) -> Policy | None:
    if vkey is None:
        return policy
    try:
        return (policy or Policy()).trusting(VerifierKey.parse(vkey))
    except NoteError as error:
        walk.object("the given verifier key", str(error))
        return None


@dataclass(slots=True, kw_only=True)
class _Walk:
    """What was found on the way through the log."""

    read: FileReader
    scratch: Scratch
    audit: Audit = field(init=False)
    tree: Tree = field(default_factory=Tree)
    remembered: list[Remembered] = field(default_factory=list)
    tiles: int = 0
    problems: list[Problem] = field(default_factory=list)
    more: int = 0

    def __post_init__(self) -> None:
        self.audit = Audit(text_of=self._text, scratch=self.scratch)

    def _text(self, digest: str) -> Agreement | None:
        try:
            return read_version(self.read, digest)
        except VersionError as error:
            self.object(error.path, error.message)
            return None

    def object(self, place: str, message: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(place=place, message=message))
        else:
            self.more += 1


def _walk_entries(walk: _Walk, head: Head) -> None:
    """Grow the tree bundle by bundle, holding each tile against it as soon as it is full."""
    size = head.checkpoint.size
    demand_continued(walk.remembered, head, walk.object)
    _compare_remembered(walk, 0, [])
    try:
        for place, entries in _bundles(walk.read, size):
            _take_bundle(walk, place, entries)
    except TileError as error:
        walk.object(error.path, f"{error.message}; nothing behind it could be checked")
        return
    finally:
        for index, message in walk.audit.cited():
            walk.object(f"{_bundle(index // TILE_WIDTH, size).path}, entry {index}", message)
    _compare_rims(walk)
    _compare_root(walk, head)
    _compare_genesis(walk, head)
    demand_signed(walk.remembered, head, walk.audit.keys, walk.object)


def _bundles(read: FileReader, size: int) -> Iterator[tuple[str, tuple[bytes, ...]]]:
    for n in range(-(-size // TILE_WIDTH)):
        place = _bundle(n, size)
        path, content = fetch(read, place)
        if len(content) > LARGEST_FILE:
            raise TileError(path, f"it has more than the {LARGEST_FILE} bytes that a bundle can have")
        entries, end = parse_bundle(path, content, place.width)
        if end != len(content) and path == place.path:  # a full bundle in place of a partial one goes on
            raise TileError(path, f"it has {len(content) - end} bytes after its last entry")
        yield path, entries


def _bundle(n: int, size: int) -> TilePlace:
    return TilePlace(level=None, n=n, width=min(TILE_WIDTH, size - n * TILE_WIDTH))


def _take_bundle(walk: _Walk, path: str, entries: tuple[bytes, ...]) -> None:
    first = walk.tree.size
    for index, content in enumerate(entries, start=first):
        wrong: Sequence[str]
        try:
            wrong = walk.audit.take(index, content)
        except EntryError as error:
            wrong = (str(error),)
        for message in wrong:
            walk.object(f"{path}, entry {index}", message)
    leaves = leaf_hashes(entries)
    _compare_remembered(walk, first, leaves)
    walk.tree, full = grow(walk.tree, leaves)
    for tile in full:
        _compare(walk, TilePlace(level=tile.level, n=tile.n), tile.hashes)


def _compare_rims(walk: _Walk) -> None:
    for level, rim in enumerate(walk.tree.rims):
        if rim:
            n = walk.tree.size // TILE_WIDTH ** (level + 1)
            _compare(walk, TilePlace(level=level, n=n, width=len(rim) // HASH_LENGTH), rim)


def _compare(walk: _Walk, place: TilePlace, hashes: bytes) -> None:
    walk.tiles += 1
    try:
        published = fetch_hashes(walk.read, place)
    except TileError as error:
        walk.object(error.path, error.message)
        return
    if published == hashes:
        return
    at = next(n for n in range(place.width) if _nth(published, n) != _nth(hashes, n))
    start = (place.n * TILE_WIDTH + at) * TILE_WIDTH**place.level if place.level is not None else at
    covers = f"entry {start}" if place.level == 0 else f"the entries from {start} on"
    walk.object(place.path, f"hash {at} is not the one that {covers} gives: the tile or the entry was changed")


def _nth(hashes: bytes, n: int) -> bytes:
    return hashes[n * HASH_LENGTH : (n + 1) * HASH_LENGTH]


def _compare_root(walk: _Walk, head: Head) -> None:
    checkpoint = head.checkpoint
    if walk.tree.root != checkpoint.root:
        signed, found = base64.b64encode(checkpoint.root).decode(), base64.b64encode(walk.tree.root).decode()
        walk.object(head.place, f"it signs the root {signed}, but its {checkpoint.size} entries give {found}")


def _compare_remembered(walk: _Walk, first: int, leaves: list[bytes]) -> None:
    """Those whose last entry is among `leaves`, which begin at entry `first`; without leaves, those of no entry."""
    for one in walk.remembered:
        size = one.checkpoint.size
        if first < size <= first + len(leaves) or size == len(leaves) == 0:
            tree, _ = grow(walk.tree, leaves[: size - first])
            if tree.root != one.checkpoint.root:
                walk.object(
                    one.place,
                    f"the first {size} entries are no longer those it was signed for:"
                    " entries were changed, removed or put in",
                )


def _compare_genesis(walk: _Walk, head: Head) -> None:
    genesis = walk.audit.genesis
    if walk.tree.size == 0:
        walk.object(head.place, "it signs an empty log, without even a genesis")
    if genesis is None:
        return
    place = f"{TilePlace(level=None, n=0, width=min(TILE_WIDTH, walk.tree.size)).path}, entry 0"
    if genesis.origin != head.checkpoint.origin:
        walk.object(
            place, f"the genesis is of the log {genesis.origin!r}, the checkpoint of {head.checkpoint.origin!r}"
        )
    if not walk.audit.keys.intersection(map(str, head.keys)):
        walk.object(VKEY_PATH, "neither the genesis nor a later `key` entry names this key")
