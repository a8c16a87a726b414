"""Texts measured many at once, in their bytes: what `engine` says of each text, in a fraction of the time.

Texts that are not in ASCII are left to `engine`, one by one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comity.engine import functions, links
from comity.engine.columns import Bools, Column
from comity.engine.fold import fold
from comity.engine.joined import BETWEEN, Joined
from comity.flow.hashes import Hasher

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]
Measure = Callable[[Joined], Column]
"""A number for each of some texts."""

_LETTERS: Final = 26
_SPACE: Final = ord(" ")
_FOLDED: Final = "".join(map(fold, map(chr, range(128)))).encode() + bytes(range(128, 256))
"""Bytes of UTF-8 to what they are in folded text, spaces in a row and all but ASCII excepted."""


def sizes(texts: Joined) -> Ints:
    """Code points."""
    counts = texts.ends - texts.starts
    counts[texts.foreign] = [len(texts.text(place)) for place in texts.foreign]
    return counts


def capitals(texts: Joined) -> Doubles:
    """The share of capital letters, as `functions.capitals` says it."""
    large = _count(texts, (texts.codes - np.uint8(ord("A"))) < _LETTERS)
    letters = large + _count(texts, (texts.codes - np.uint8(ord("a"))) < _LETTERS)
    shares: Doubles = large / np.maximum(letters, 1)
    shares[texts.foreign] = [functions.capitals(texts.text(place)) for place in texts.foreign]
    return shares


def _count(texts: Joined, marked: Bools) -> Ints:
    """How many bytes of each text are marked."""
    sums = np.cumsum(marked, dtype=np.int32)
    return (sums[texts.ends - 1] - sums[texts.starts - 1]).astype(np.int64)  # a byte between is before each text


def link_counts(texts: Joined) -> Ints:
    """How many links `links.links` finds."""
    counts = np.zeros(len(texts), dtype=np.int64)
    for place in _with_signs_of_links(texts):
        counts[place] = len(links.links(texts.text(place)))
    return counts


def _with_signs_of_links(texts: Joined) -> list[int]:
    """The places of texts with `://`, or with `w.` in any case; there is no link without."""
    codes = texts.codes
    dots, colons = np.flatnonzero(codes[1:] == ord(".")), np.flatnonzero(codes[:-2] == ord(":"))
    after_w = dots[(codes[dots] | 32) == ord("w")]
    before_slashes = colons[(codes[colons + 1] == ord("/")) & (codes[colons + 2] == ord("/"))]
    places: list[int] = np.unique(texts.places_of(np.concatenate((after_w, before_slashes)))).tolist()
    return places


def contains(wanted: str) -> Callable[[Joined], Bools]:
    """Whether a text has the string in it, as written."""
    raw = wanted.encode()

    def found(texts: Joined) -> Bools:
        has = np.full(len(texts), not raw)
        at = texts.raw.find(raw) if raw else -1
        starts, ends = (texts.starts.tolist(), texts.ends.tolist()) if at >= 0 else ([], [])
        while at >= 0:
            place = bisect_right(starts, at) - 1
            if place >= 0 and at + len(raw) <= ends[place]:
                has[place] = True
                at = ends[place]
            at = texts.raw.find(raw, at + 1)
        return has

    return found


def hashes(hasher: Hasher) -> Callable[[Joined], Ints]:
    """What stands for each text as `fold` makes it."""

    def made(texts: Joined) -> Ints:
        raw = _folded(texts)
        found = hasher.of(raw, texts.starts, texts.ends)
        others = sorted({*texts.foreign, *_to_be_spaced(raw, texts)})
        found[others] = hasher.of_each([fold(texts.text(place)).encode() for place in others])
        return found

    return made


def _folded(texts: Joined) -> bytes:
    """All but spaces in a row and what is not ASCII."""
    between = len(BETWEEN) * (len(texts) + 1)
    has_controls = np.count_nonzero(texts.codes < _SPACE) > between
    return texts.raw.translate(_FOLDED) if has_controls else texts.raw.lower()


def _to_be_spaced(raw: bytes, texts: Joined) -> list[int]:
    """The places of texts with spaces in a row."""
    spaces = np.frombuffer(raw, np.uint8) == _SPACE
    at = np.flatnonzero(spaces[1:] & spaces[:-1])
    places: list[int] = np.unique(texts.places_of(at)).tolist() if len(at) else []
    return [place for place in places if place >= 0]
