"""Counting over an archive, part by part, in memory that does not grow with it: messages, accounts, hours, labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comity.engine.columns import Bools, Column
from comity.model.ids import ClauseId

Ints = NDArray[np.int64]

ANY: Final = ClauseId("")
"""Stands for a breach of any clause that is not a shadow rule."""

_HOUR: Final = 3_600_000_000


class Distinct:
    """How many different numbers there are; sorted arrays that are merged as they grow."""

    def __init__(self) -> None:
        self._sorted: list[Ints] = []

    def add(self, numbers: Column) -> None:
        self._sorted.append(np.unique(np.asarray(numbers, dtype=np.int64)))
        while len(self._sorted) > 1 and len(self._sorted[-1]) * 2 > len(self._sorted[-2]):
            self._sorted.append(np.union1d(self._sorted.pop(), self._sorted.pop()))

    def __len__(self) -> int:
        return len(np.unique(np.concatenate(self._sorted))) if self._sorted else 0


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was counted of some messages."""

    messages: int = 0
    accounts: Distinct = field(default_factory=Distinct)
    hours: Counter[int] = field(default_factory=Counter)  # since 1970
    labels: Counter[int] = field(default_factory=Counter)  # by what stands for them in their column

    def add(self, authors: Column, sent: Column, labels: Column | None) -> None:
        if not len(authors):
            return
        self.messages += len(authors)
        self.accounts.add(authors)
        _count(self.hours, np.floor_divide(sent, _HOUR))
        if labels is not None:
            _count(self.labels, labels)


def _count(counter: Counter[int], numbers: Column) -> None:
    values, counts = np.unique(numbers, return_counts=True)
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        counter[value] += count


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """One message of the archive: `draw` is its lot, the same whenever the same archive is read."""

    draw: int
    part: int
    row: int


class Draws:
    """A random sample that is the same for the same archive: of all that is offered those with the lowest lots."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.drawn: list[Place] = []

    def offer(self, rows: Ints, *, part: int, first: int) -> list[Place]:
        """Those of the rows that are drawn for now. `first` is the number of the part's first message."""
        if not len(rows) or not self._size:
            return []
        lots = lots_of(rows + first)
        lowest = np.argsort(lots, kind="stable")[: self._size]
        offered = [Place(draw=int(lots[each]), part=part, row=int(rows[each])) for each in lowest]
        self.drawn = sorted([*self.drawn, *offered])[: self._size]
        return [place for place in offered if place in self.drawn]


def lots_of(numbers: Ints) -> NDArray[np.uint64]:
    """A lot for each number, the same everywhere (SplitMix64, Steele, Lea and Flood 2014)."""
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def any_of(breaches: Mapping[ClauseId, Bools], clauses: Iterable[ClauseId], size: int) -> Bools:
    """Which messages breach any of the clauses."""
    found: Bools = np.zeros(size, dtype=np.bool_)
    for clause in clauses:
        found = found | breaches[clause]
    return found
