"""What a restored store must do before anything else: erase again what the published ledger says was erased since."""

from __future__ import annotations

from collections.abc import Iterator

from comity.ledger.entry import ErasureEntry, parse_entry
from comity.ledger.tiles import FileReader, TilePlace, fetch, parse_bundle
from comity.ledger.tree import TILE_WIDTH
from comity.ports import Store


def erase_again(store: Store, read: FileReader, size: int) -> int:
    """Erase the accounts whose statements entries of the log, up to `size`, name as erased; returns how many.

    The log was verified before. An account's first statement that is named erases all of it.
    """
    count = 0
    for content in published_entries(read, store.size, size):
        entry = parse_entry(content)
        account = store.account_of(entry.prev) if isinstance(entry, ErasureEntry) else None
        if account is not None:
            store.erase(account)
            count += 1
    return count


def published_entries(read: FileReader, start: int, end: int) -> Iterator[bytes]:
    """The entries of the published log from `start` on. Raises `TileError`."""
    for n in range(start // TILE_WIDTH, -(-end // TILE_WIDTH)):
        width = min(TILE_WIDTH, end - n * TILE_WIDTH)
        path, content = fetch(read, TilePlace(level=None, n=n, width=width))
        entries, _ = parse_bundle(path, content, width)
        yield from entries[max(0, start - n * TILE_WIDTH) :]
