"""Keyed hashes of 64 bits, that stand for names and texts in what a scan keeps: never 0, which stands for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b, shake_256
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

_MOST_KNOWN: Final = 1 << 17
_WORD: Final = 8
_HALF: Final = np.uint64(32)
_LOW: Final = np.uint64(0xFFFFFFFF)
_LONGEST: Final = 1 << 14
"""Bytes of a text up to which the key has words of its own for each of the text's."""


class Hashes(dict[str, bytes]):
    """For each name, made once for those that occur again and again. `key`: 16 to 64 bytes."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._keyed = blake2b(digest_size=8, key=key)

    def __missing__(self, name: str) -> bytes:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[name] = made = self.of_bytes(name.encode())
        return made

    def of_bytes(self, raw: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(raw)
        made = keyed.digest()
        return made if made != NOTHING else b"\x01" + made[1:]


NOTHING: Final = bytes(_WORD)


class Hasher:
    """For many texts at once: multilinear, so that two texts have one hash with a chance of 2^-64, whoever wrote them.

    Twice 32 bits, each the upper half of a sum of a text's words of 32 bits times random words of 64 (Lemire and
    Kaser, Strongly universal string hashing is fast, 2014; its theorem 3.1). The length is one of the words.
    """

    def __init__(self, key: bytes) -> None:
        words = np.frombuffer(shake_256(b"texts" + key).digest(4 * _LONGEST + 8 * _WORD), "<u8")
        self._first, self._keys = words[:4].reshape(2, 2), words[4:].reshape(2, 2, -1)
        self._long = Hashes(key)

    def of(self, raw: bytes, starts: Ints, ends: Ints) -> Ints:
        """Of the texts that stand there in `raw`."""
        sizes = ends - starts
        made = np.zeros(len(starts), dtype=np.int64)
        short = np.flatnonzero(sizes <= _LONGEST)
        if len(short):
            made[short] = self._sums(raw + NOTHING, starts[short], sizes[short])
        for place in np.flatnonzero(sizes > _LONGEST).tolist():
            hashed = self._long.of_bytes(raw[starts[place] : ends[place]])
            made[place] = int.from_bytes(hashed, "little", signed=True)
        made[made == 0] = 1
        return made

    def of_each(self, texts: Sequence[bytes]) -> Ints:
        ends = np.cumsum(np.array([len(text) for text in texts], dtype=np.int64))
        return self.of(b"".join(texts), np.concatenate((ends[:0], [0], ends))[:-1], ends)

    def _sums(self, raw: bytes, starts: Ints, sizes: Ints) -> Ints:
        """At least eight bytes come after the last text."""
        counts = sizes // _WORD + 1
        lasts = np.cumsum(counts)
        firsts = lasts - counts
        places = np.arange(lasts[-1]) - np.repeat(firsts, counts)
        at_every_byte: Words = np.ndarray(len(raw) - _WORD + 1, "<u8", raw, strides=(1,))
        words = at_every_byte[np.repeat(starts, counts) + _WORD * places]
        words[lasts - 1] &= (np.uint64(1) << (_WORD * (sizes % _WORD)).astype(np.uint64)) - np.uint64(1)
        low, high = words & _LOW, words >> _HALF
        upper, lower = (
            np.add.reduceat(low * keys[0][places] + high * keys[1][places], firsts)
            + (first[0] + first[1] * sizes.astype(np.uint64))
            for first, keys in zip(self._first, self._keys, strict=True)
        )
        made: Ints = (upper & ~_LOW | lower >> _HALF).view(np.int64)
        return made
