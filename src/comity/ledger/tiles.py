"""C2SP tlog-tiles: where the tree's hashes and the entries lie as static files, and what those files hold.

Names a file by its path below the log's prefix; reading and writing it is left to others. Hashes read from tiles
prove nothing by themselves: whoever uses them checks the proof made of them against a signed root.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from comity.ledger.tree import HASH_LENGTH, TILE_HEIGHT, TILE_WIDTH, FullTile, HashReader, Tree, top

LONGEST_ENTRY: Final = 0xFFFF
LARGEST_FILE: Final = TILE_WIDTH * (2 + LONGEST_ENTRY)
"""The most bytes that any file of a log can have: a full bundle of the longest entries."""
_MOST_TILES: Final = 16
"""Kept at hand while proofs are made: a proof needs one or two of each level."""

FileReader = Callable[[str], bytes | None]
"""`read(path)`: the file's bytes, or None where there is no such file."""

_PATH: Final = re.compile(
    r"tile/(?P<level>0|[1-9]|[1-5][0-9]|6[0-3]|entries)/(?P<n>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class TileError(ValueError):
    """A file of the log is missing or malformed; `path` names it."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePlace:
    """Which tile: `level` None is a bundle of entries; `width` 256 is a full one."""

    level: int | None
    n: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        level = "entries" if self.level is None else str(self.level)
        digits = str(self.n)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
        name = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
        return f"tile/{level}/{name}" + ("" if self.width == TILE_WIDTH else f".p/{self.width}")

    @property
    def whole(self) -> TilePlace:
        """The full tile that takes this one's place once the tree has grown."""
        return TilePlace(level=self.level, n=self.n)


def parse_path(path: str) -> TilePlace | None:
    """The tile at `path`; None if it is not exactly as `TilePlace.path` writes it."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    level = None if match["level"] == "entries" else int(match["level"])
    width = int(match["width"]) if match["width"] else TILE_WIDTH
    place = TilePlace(level=level, n=int(match["n"].replace("x", "").replace("/", "")), width=width)
    return place if place.path == path and width <= TILE_WIDTH else None


def tile_widths(size: int) -> tuple[tuple[int, int], ...]:
    """For each level of a tree of `size`: how many full tiles it has, and the width of its partial one (or 0)."""
    widths = []
    while size:
        widths.append(divmod(size, TILE_WIDTH))
        size //= TILE_WIDTH
    return tuple(widths)


def full_tile(tile: FullTile) -> tuple[str, bytes]:
    """The file of a tile that `grow` filled."""
    return TilePlace(level=tile.level, n=tile.n).path, tile.hashes


def partial_tiles(tree: Tree, since: int) -> tuple[tuple[str, bytes], ...]:
    """The files of the tiles that are not yet full; those that a tree of `since` leaves had are left out."""
    before = dict(enumerate(tile_widths(since)))
    return tuple(
        (TilePlace(level=level, n=full, width=width).path, tree.rims[level])
        for level, (full, width) in enumerate(tile_widths(tree.size))
        if width and before.get(level) != (full, width)
    )


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries, each after its length in two bytes. Raises `ValueError` for one that is too long."""
    for n, entry in enumerate(entries):
        if len(entry) > LONGEST_ENTRY:
            raise ValueError(f"Entry {n} of the bundle has {len(entry)} bytes, more than {LONGEST_ENTRY}.")
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def parse_bundle(path: str, content: bytes, width: int) -> tuple[tuple[bytes, ...], int]:
    """The first `width` entries of a bundle, and where the last ends. Raises `TileError` when it breaks off before."""
    entries = []
    start, whole = 0, len(content)
    for n in range(width):
        first = start + 2
        end = first + (content[start] << 8) + content[start + 1] if first <= whole else first
        if end > whole:
            raise TileError(path, f"it breaks off in entry {n} of {width}")
        entries.append(content[first:end])
        start = end
    return tuple(entries), start


def fetch(read: FileReader, place: TilePlace) -> tuple[str, bytes]:
    """A tile, or where a partial one is gone, the full one that replaced it. Raises `TileError` if neither is there."""
    content = read(place.path)
    if content is not None:
        return place.path, content
    content = None if place.width == TILE_WIDTH else read(place.whole.path)
    if content is None:
        raise TileError(place.path, "there is no such file")
    return place.whole.path, content


def fetch_hashes(read: FileReader, place: TilePlace) -> bytes:
    """The hashes of a tile, cut to its width. Raises `TileError`."""
    path, content = fetch(read, place)
    wanted = place.width * HASH_LENGTH
    exact = TILE_WIDTH * HASH_LENGTH if path == place.whole.path else wanted
    if len(content) != exact:
        raise TileError(path, f"it has {len(content)} bytes, not {exact}")
    return content[:wanted]


def hashes_from_tiles(read: FileReader, size: int) -> HashReader:
    """A reader of subtree hashes for proofs in a tree of `size`, from its tiles. It raises `TileError`."""
    widths = tile_widths(size)

    @lru_cache(_MOST_TILES)
    def tile_at(level: int, n: int) -> tuple[int, bytes]:
        full, partial = widths[level] if level < len(widths) else (0, 0)
        width = TILE_WIDTH if n < full else partial if n == full else 0
        return width, fetch_hashes(read, TilePlace(level=level, n=n, width=width)) if width else b""

    def subtree(height: int, n: int) -> bytes:
        level, rest = divmod(height, TILE_HEIGHT)
        tile, start = divmod(n << rest, TILE_WIDTH)
        width, hashes = tile_at(level, tile)
        if start + (1 << rest) > width:
            raise ValueError(f"A tree of {size} entries has no subtree {n} of height {height}.")
        return top([hashes[at * HASH_LENGTH : (at + 1) * HASH_LENGTH] for at in range(start, start + (1 << rest))])

    return subtree
