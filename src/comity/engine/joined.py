"""Many texts in one buffer of UTF-8, with a line and a zero between: searched and measured at once, none made a string.

No pattern can miss a match because of its neighbours, and no phrase goes across.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

BETWEEN: Final = b"\n\0\n"
"""Between texts, before the first and after the last: lines for `^ $`, and what no phrase goes across."""

MOST_ASCII: Final = 127
_ASCII: Final = bytes(range(MOST_ASCII + 1))

TOGETHER: Final = 200_000
"""Bytes in one buffer, or characters: so many fit into a processor's cache, and copies of huge texts do not add up."""


@dataclass(frozen=True, kw_only=True)
class Joined:
    """Some texts in their order. Text n stands in `raw` from `starts[n]` to `ends[n]`."""

    raw: bytes
    starts: Ints
    ends: Ints
    foreign: list[int]
    """The places of texts that are not in ASCII."""

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def has_zeros(self) -> bool:
        """Whether a text has a zero byte in it."""
        return int(np.count_nonzero(self.codes == 0)) > len(self) + 1

    @cached_property
    def foreign_parts(self) -> list[bytes]:
        """What is not ASCII's of each text that has such characters."""
        return [foreign_in(self.bytes_of(place)) for place in self.foreign]

    @property
    def codes(self) -> NDArray[np.uint8]:
        return np.frombuffer(self.raw, np.uint8)

    def bytes_of(self, place: int) -> bytes:
        return self.raw[self.starts.item(place) : self.ends.item(place)]

    def text(self, place: int) -> str:
        return self.bytes_of(place).decode()

    def places_of(self, at: Ints) -> Ints:
        """The texts in which these bytes stand; what is between belongs to the text before."""
        return np.searchsorted(self.starts, at, "right") - 1


def foreign_in(raw: bytes) -> bytes:
    """What a text in UTF-8 has of characters that are not ASCII's, in their order."""
    return raw.translate(None, _ASCII)


def join(texts: Sequence[str]) -> Joined:
    """The texts as they are."""
    return _join(texts, np.fromiter(map(len, texts), np.int64, len(texts)))


def _join(texts: Sequence[str], lengths: Ints) -> Joined:
    """`lengths`: in characters."""
    raws = [text.encode() for text in texts]  # joined as text, one wide character would widen all of them
    sizes = np.fromiter(map(len, raws), np.int64, len(raws))
    return _joined(BETWEEN.join([b"", *raws, b""]), sizes, np.flatnonzero(sizes != lengths).tolist())


def joined(raw: bytes, sizes: Ints) -> Joined:
    """Texts that are joined already. `sizes`: the bytes of each."""
    made = _joined(raw, sizes, [])
    if raw.isascii():
        return made
    foreign = np.unique(made.places_of(np.flatnonzero(made.codes > MOST_ASCII)))
    return replace(made, foreign=foreign.tolist())


def _joined(raw: bytes, sizes: Ints, foreign: list[int]) -> Joined:
    ends = np.cumsum(sizes + len(BETWEEN))
    return Joined(raw=raw, starts=ends - sizes, ends=ends, foreign=foreign)


def in_turns(sizes: Ints) -> Iterator[tuple[int, int]]:
    """Where texts of these sizes are to be cut, so that each piece is about as large as `TOGETHER`, or one text."""
    ends = np.cumsum(sizes)
    start, done = 0, 0
    while start < len(sizes):
        end = max(int(np.searchsorted(ends, done + TOGETHER, "right")), start + 1)
        yield start, end
        start, done = end, int(ends[end - 1])


def pieces(texts: Sequence[str]) -> Iterator[Joined]:
    """The texts in their order, joined in turns; none for none."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    return (_join(texts[start:end], lengths[start:end]) for start, end in in_turns(lengths))
