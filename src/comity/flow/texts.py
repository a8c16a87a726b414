"""Texts measured many at once, in their bytes: what `engine` says of each text, in a fraction of the time.

Texts that are not in ASCII are left to `engine`, one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comity.engine import functions, links
from comity.engine.columns import Bools
from comity.engine.fold import fold

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]

_CHARACTERS: Final = 200_000
"""Of texts in one piece, so that it fits into a processor's cache, and copies of huge texts do not add up."""

_BETWEEN: Final = "\0"
_LETTERS: Final = 26
_FOLDED: Final = "".join(map(fold, map(chr, range(128)))).encode() + bytes(range(128, 256))
"""Bytes of UTF-8 to what they are in folded text, spaces in a row and all but ASCII excepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some texts, one after the other in UTF-8, each with a zero after it."""

    texts: Sequence[str]
    joined: bytes
    starts: Ints
    foreign: Sequence[int]
    """The places of texts that are not in ASCII."""

    @property
    def raw(self) -> NDArray[np.uint8]:
        return np.frombuffer(self.joined, np.uint8)

    def counts(self, of: Bools) -> Ints:
        """How many bytes of each text are marked."""
        sums: Ints = np.add.reduceat(of, self.starts, dtype=np.int64)
        return sums


def pieces(texts: Sequence[str]) -> Iterator[Piece]:
    """The texts in their order; none for none."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    ends = np.cumsum(lengths)
    start, done = 0, 0
    while start < len(texts):
        end = int(np.searchsorted(ends, done + _CHARACTERS, "right")) + 1
        yield _piece(texts[start:end], lengths[start:end])
        start, done = end, int(ends[min(end, len(ends)) - 1])


def _piece(texts: Sequence[str], lengths: Ints) -> Piece:
    joined = _BETWEEN.join([*texts, ""]).encode()
    foreign: list[int] = []
    if len(joined) != int(lengths.sum()) + len(texts):
        foreign = [place for place, text in enumerate(texts) if not text.isascii()]
        lengths = lengths.copy()
        lengths[foreign] = [len(texts[place].encode()) for place in foreign]
    ends = np.cumsum(lengths + 1)
    return Piece(texts=texts, joined=joined, starts=ends - lengths - 1, foreign=foreign)


def sizes(piece: Piece) -> Ints:
    """Code points."""
    return np.fromiter(map(len, piece.texts), np.int64, len(piece.texts))


def capitals(piece: Piece) -> Doubles:
    """The share of capital letters, as `functions.capitals` says it."""
    raw = piece.raw
    large = piece.counts((raw - np.uint8(ord("A"))) < _LETTERS)
    letters = large + piece.counts((raw - np.uint8(ord("a"))) < _LETTERS)
    shares: Doubles = large / np.maximum(letters, 1)
    shares[piece.foreign] = [functions.capitals(piece.texts[place]) for place in piece.foreign]
    return shares


def link_counts(piece: Piece) -> Ints:
    """How many links `links.links` finds."""
    counts = np.zeros(len(piece.texts), dtype=np.int64)
    for place in _with_signs_of_links(piece):
        counts[place] = len(links.links(piece.texts[place]))
    return counts


def _with_signs_of_links(piece: Piece) -> list[int]:
    """The places of texts with `://`, or with `w.` in any case; there is no link without."""
    raw = piece.raw
    dots, colons = np.flatnonzero(raw[1:] == ord(".")), np.flatnonzero(raw[:-2] == ord(":"))
    after_w = dots[(raw[dots] | 32) == ord("w")]
    before_slashes = colons[(raw[colons + 1] == ord("/")) & (raw[colons + 2] == ord("/"))]
    signs = np.concatenate((after_w, before_slashes))
    places: list[int] = np.unique(np.searchsorted(piece.starts, signs, "right") - 1).tolist()
    return places


def folded(piece: Piece) -> list[bytes]:
    """Each text as `fold` makes it, in UTF-8."""
    joined = piece.joined.translate(_FOLDED)
    while b"  " in joined:
        joined = joined.replace(b"  ", b" ")
    every = joined.split(b"\0")[:-1]
    if len(every) != len(piece.texts):  # a text has a zero itself
        return [fold(text).encode() for text in piece.texts]
    for place in piece.foreign:
        every[place] = fold(piece.texts[place]).encode()
    return every
