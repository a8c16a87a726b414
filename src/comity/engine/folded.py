"""Folded texts in UTF-8, for what is only hashed or compared: of many at once, and without folding whole texts.

What is not ASCII's in a text is mostly few characters, and the same ones again and again (see `fold.seen_in`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np

from comity.engine.fold import LONGEST_FOREIGN_KNOWN, fold, on_their_own, seen_in, spaced
from comity.engine.joined import BETWEEN, Joined, foreign_in

_EDGES: Final = (b"", b" ")


def folded_bytes(text: str) -> bytes:
    """`fold` in UTF-8, for what is only hashed or compared."""
    raw = text.encode()
    if len(raw) == len(text):
        return spaced(raw.lower())
    foreign = foreign_in(raw)
    seen = seen_in(foreign)
    if not seen.others:
        return spaced(on_their_own(raw, seen))
    lower = raw.lower()
    folded = with_one_piece(lower, lower, foreign, folded_piece)
    return fold(text).encode() if folded is None else spaced(folded)


def folded_rows(texts: Joined) -> list[bytes]:
    """`folded_bytes` of each, quicker: put in lower case and searched for white space together."""
    if texts.has_zeros:
        return [folded_bytes(texts.text(place)) for place in range(len(texts))]
    raw, starts, ends = texts.raw.lower(), texts.starts.tolist(), texts.ends.tolist()
    rows = [raw[start:end] for start, end in zip(starts, ends, strict=True)]
    for place, folded in _folded_otherwise(texts, raw, starts, ends).items():
        rows[place] = folded
    return rows


def _folded_otherwise(texts: Joined, raw: bytes, starts: list[int], ends: list[int]) -> dict[int, bytes]:
    """Those that are not folded by lower case alone, which is `raw`, by their places."""
    folded = {place: spaced(raw[starts[place] : ends[place]]) for place in _may_be_spaced(texts)}
    for place, foreign in zip(texts.foreign, texts.foreign_parts, strict=True):
        seen = seen_in(foreign)
        if not (seen.others or seen.replaced):
            continue
        lower = folded[place] if place in folded else raw[starts[place] : ends[place]]
        if seen.others:
            whole = with_one_piece(lower, lower, foreign, folded_piece)
            folded[place] = fold(texts.text(place)).encode() if whole is None else whole
        else:
            alone = on_their_own(lower, seen)
            folded[place] = spaced(alone) if seen.moves_spaces else alone
    return folded


def with_one_piece(raw: bytes, around: bytes, foreign: bytes, made: Callable[[bytes], bytes | None]) -> bytes | None:
    """`around`, with what is made of `foreign` for it: where that, all that is not ASCII's, is a piece between spaces.

    None where it is not, or nothing is made of it. `raw`: the text, as long as `around`.
    """
    start = raw.find(foreign) if len(foreign) <= LONGEST_FOREIGN_KNOWN else -1
    end = start + len(foreign)
    if start < 0 or raw[start - 1 : start] not in _EDGES or raw[end : end + 1] not in _EDGES:
        return None
    piece = made(foreign)
    return None if piece is None else b"".join((around[:start], piece, around[end:]))


@lru_cache(maxsize=4096)
def folded_piece(foreign: bytes) -> bytes | None:
    """None if spaces may meet."""
    folded = fold(foreign.decode()).encode()
    return folded if folded and b" " not in folded else None


def _may_be_spaced(texts: Joined) -> list[int]:
    """The places of those with two spaces in a row, or with a control character."""
    is_space, is_odd = texts.codes == ord(" "), texts.codes < ord(" ")
    is_odd[: len(BETWEEN)] = False
    for number in range(len(BETWEEN)):
        is_odd[texts.ends + number] = False
    is_odd[1:] |= is_space[1:] & is_space[:-1]
    places: list[int] = np.unique(texts.places_of(np.flatnonzero(is_odd))).tolist()
    return places
