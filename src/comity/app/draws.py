"""Chance that is the same everywhere: numbered draws from a seed, with every machine and every version of Python."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

_FINE: Final = 1 << 53
Each = TypeVar("Each")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What chance decides about one thing. Other draws neither see nor move it."""

    seed: int
    of: int | str

    def below(self, limit: int, what: str) -> int:
        """A number from 0 to `limit` - 1."""
        drawn = hashlib.sha256(f"{self.seed}/{self.of}/{what}".encode()).digest()
        return int.from_bytes(drawn[:8]) % limit

    def one_of(self, choices: Sequence[Each], what: str) -> Each:
        return choices[self.below(len(choices), what)]

    def share(self, what: str) -> float:
        """A number above 0 and at most 1."""
        return (self.below(_FINE, what) + 1) / _FINE

    def happens(self, chance: float, what: str) -> bool:
        return self.share(what) <= chance
