"""Counting by sort and search: which entries of a group lie in a stretch of time, for many questions at once.

What was taken in before is kept in *runs*: arrays in order of time, and for each series its entries as sorted numbers
`group << 32 | rank of the time`. A question is then two searches in each run. Runs grow by merging, each at least
twice as large as the next, so that there are few, and go as a whole or by halves when time has passed them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_RIGHT: Final = "right"  # stretches begin after their first moment and end with their last
_RANK: Final = 32
_RANKS: Final = (1 << _RANK) - 1
MOST_GROUPS: Final = 1 << 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Messages of a stretch of intake: their times in order, and the entries of each series in order."""

    times: Ints
    entries: tuple[Ints, ...]

    def count(self, series: int, groups: Ints, after: Ints, until: Ints) -> Ints:
        """How many entries of each group lie in `(after, until]`."""
        entries = self.entries[series]
        high = np.searchsorted(entries, entry(groups, np.searchsorted(self.times, until, _RIGHT)))
        return high - np.searchsorted(entries, entry(groups, np.searchsorted(self.times, after, _RIGHT)))

    @property
    def newest(self) -> int:
        return int(self.times[-1])

    def since(self, floor: int) -> Run:
        """What is after `floor`."""
        cut = int(np.searchsorted(self.times, floor, _RIGHT))
        kept = (entries[ranks_of(entries) >= cut] - cut for entries in self.entries)
        return Run(times=self.times[cut:].copy(), entries=tuple(kept))


def entry(groups: Ints, ranks: Ints) -> Ints:
    """Entries, or where the group's entries of that rank and later begin."""
    return (groups << _RANK) | ranks


def ranks_of(entries: Ints) -> Ints:
    return entries & _RANKS


def groups_of(entries: Ints) -> Ints:
    return entries >> _RANK


def merged(one: Run, other: Run) -> Run:
    """The messages of both."""
    times = np.concatenate((one.times, other.times))
    order = np.argsort(times, kind="stable")
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(order))
    parts = zip(one.entries, other.entries, strict=True)
    entries = tuple(np.concatenate((_moved(a, ranks), _moved(b, ranks[len(one.times) :]))) for a, b in parts)
    for each in entries:
        each.sort()
    return Run(times=times[order], entries=entries)


def _moved(entries: Ints, ranks: Ints) -> Ints:
    return entry(groups_of(entries), ranks[ranks_of(entries)])


class Runs:
    """The runs of one stream, newest last."""

    __slots__ = ("_runs",)

    def __init__(self) -> None:
        self._runs: list[Run] = []

    def count(self, series: int, groups: Ints, after: Ints, until: Ints) -> Ints:
        """As `Run.count`, over all runs."""
        counts = np.zeros(len(groups), np.int64)
        oldest = after.min() if len(after) else 0
        for run in self._runs:
            if run.newest > oldest:
                counts += run.count(series, groups, after, until)
        return counts

    def add(self, run: Run, floor: int) -> None:
        """A further run; what is not after `floor` may go."""
        kept = [each if each.times[len(each.times) // 2] > floor else each.since(floor) for each in self._runs]
        self._runs = [each for each in (*kept, run) if len(each.times)]
        while len(self._runs) > 1 and len(self._runs[-1].times) * 2 > len(self._runs[-2].times):
            newer, older = self._runs.pop(), self._runs.pop()
            self._runs.append(merged(older.since(floor), newer))

    def groups(self, series: int) -> Ints:
        """The groups that have entries, in order; some several times."""
        found = [_each_once(groups_of(run.entries[series])) for run in self._runs]
        return np.sort(np.concatenate([np.empty(0, np.int64), *found]))

    def __len__(self) -> int:
        """How many entries are kept, over all series."""
        return sum(len(entries) for run in self._runs for entries in run.entries)


def _each_once(ordered: Ints) -> Ints:
    return ordered[np.flatnonzero(np.diff(ordered, prepend=-1))]
