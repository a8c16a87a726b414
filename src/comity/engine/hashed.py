"""Messages in history as columns of keyed hashes of 64 bits: an archive's, of which none is taken in hand by itself.

What makes a pair of hashes one hash needs no key of its own: whoever could aim at it would have to know the hashes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from comity.engine.lateness import EPOCH
from comity.engine.tallies import MEMBER_BYTES
from comity.engine.trace import Trace
from comity.engine.windows import Counted
from comity.model.ids import AccountId

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NONE: Final = 0
"""Stands for a value that a message does not have."""

_EMPTY: Final = np.empty(0, dtype=np.int64)
_ODD: Final = np.int64(0x1E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashed:
    """Many messages in intake order. What no window needs is left empty."""

    authors: Ints
    sent: Ints  # microseconds since 1970
    texts: Ints = field(default_factory=lambda: _EMPTY)
    to: Ints = field(default_factory=lambda: _EMPTY)  # the distinct recipients of all, one message's after the other's
    to_sizes: Ints = field(default_factory=lambda: _EMPTY)
    values: Mapping[str, Ints] = field(default_factory=dict)
    numbers: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    def groups(self, counted: Counted, key: str) -> Ints:
        """What stands for the group among which each message is counted."""
        match counted:
            case Counted.MESSAGES:
                return self.authors
            case Counted.TEXT_COPIES:
                return self.texts
            case Counted.COPIES:
                return _paired(self.authors, self.texts)
            case _:
                return _paired(self.authors, self.values[key])

    def __iter__(self) -> Iterator[Trace]:
        """One by one; all are dated 1970, for who steps through them has `sent`."""
        count = len(self.authors)
        texts = _as_bytes(self.texts) or [b""] * count
        values = {key: _as_bytes(of) for key, of in self.values.items()}
        numbers = {key: of.tolist() for key, of in self.numbers.items()}
        recipients = iter([to.ljust(MEMBER_BYTES, b"\0") for to in _as_bytes(self.to)])  # as long as members are kept
        sizes = self.to_sizes.tolist() or [0] * count
        for row, (author, text, size) in enumerate(zip(self.authors.tolist(), texts, sizes, strict=True)):
            yield Trace(
                AccountId(str(author)),
                EPOCH,
                text,
                tuple(next(recipients) for _ in range(size)),
                {key: of[row] for key, of in values.items() if of[row] != _NO_VALUE},
                {key: of[row] for key, of in numbers.items() if of[row]},
            )


_NO_VALUE: Final = bytes(8)


def _as_bytes(hashes: Ints) -> list[bytes]:
    found: list[bytes] = np.ascontiguousarray(hashes).view("V8").tolist()
    return found


def _paired(ones: Ints, others: Ints) -> Ints:
    paired: Ints = ones * _ODD + others
    return paired


class Numbers:
    """Small numbers for hashes, given as they come; kept sorted by hash, and found by searching."""

    __slots__ = ("_hashes", "_numbers", "made")

    def __init__(self) -> None:
        self._hashes = self._numbers = _EMPTY
        self.made = 0

    def __len__(self) -> int:
        return len(self._hashes)

    def of(self, hashes: Ints) -> tuple[Ints, Flags]:
        """The number of each, and whether it was never seen before and is here once."""
        distinct, rows, times = np.unique(hashes, return_inverse=True, return_counts=True)
        places = np.searchsorted(self._hashes, distinct)
        is_new = np.append(self._hashes, distinct[-1:])[places] != distinct
        is_new[places == len(self._hashes)] = True
        numbers = self.made + np.cumsum(is_new) - 1
        numbers[~is_new] = self._numbers[places[~is_new]]
        self.made += int(np.count_nonzero(is_new))
        self._hashes = np.insert(self._hashes, places[is_new], distinct[is_new])
        self._numbers = np.insert(self._numbers, places[is_new], numbers[is_new])
        return numbers[rows], (is_new & (times == 1))[rows]

    def keep(self, live: Ints) -> None:
        """Drops all numbers but these, which come in order."""
        places = np.searchsorted(live, self._numbers)
        is_live = np.append(live, -1)[places] == self._numbers
        self._hashes, self._numbers = self._hashes[is_live], self._numbers[is_live]
