"""Counts over stretches of time for one group: how many, how many distinct, and exact sums.

Times are whole microseconds and may come in any order. A stretch is `(after, until]`. What is not after a `floor`
may be forgotten, for no stretch reaches there any more.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Hashable, MutableSequence
from typing import Final

_SCALE: Final = 2**1074
"""Every finite double is a whole multiple of 1 / _SCALE, so sums of such multiples are exact in any order."""


class Times:
    """How many entries a stretch has."""

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times = array("q")

    def add(self, at: int) -> None:
        _insert(self._times, at)

    def count(self, after: int, until: int) -> int:
        times = self._times
        return (len(times) if times[-1] <= until else bisect_right(times, until)) - bisect_right(times, after)

    def forget(self, floor: int) -> None:
        if self._times[0] > floor:
            return
        old = bisect_right(self._times, floor)
        if _is_most(old, len(self._times)):
            del self._times[:old]

    @property
    def newest(self) -> int:
        return self._times[-1]

    def __len__(self) -> int:
        return len(self._times)


class Distinct:
    """How many distinct members a stretch has entries of.

    Quick for stretches up to the newest entry; for an earlier end it takes time linear in the members.
    """

    __slots__ = ("_latest", "_members")

    def __init__(self) -> None:
        self._members: dict[Hashable, Times] = {}
        self._latest = array("q")  # INVARIANT: each member's newest time, in order

    def add(self, member: Hashable, at: int) -> None:
        times = self._members.get(member)
        if times is None:
            times = self._members[member] = Times()
        elif at > times.newest:
            del self._latest[bisect_left(self._latest, times.newest)]
        else:
            times.add(at)
            return
        times.add(at)
        _insert(self._latest, at)

    def count(self, after: int, until: int) -> int:
        within = len(self._latest) - bisect_right(self._latest, after)
        if not self._latest or self._latest[-1] <= until:
            return within
        return within - sum(t.newest > until and not t.count(after, until) for t in self._members.values())

    def forget(self, floor: int) -> None:
        old = bisect_right(self._latest, floor)
        if _is_most(old, len(self._latest)):
            del self._latest[:old]
            self._members = {member: times for member, times in self._members.items() if times.newest > floor}
            for times in self._members.values():
                times.forget(floor)

    @property
    def newest(self) -> int:
        return self._latest[-1]

    def __len__(self) -> int:
        return sum(map(len, self._members.values()))


class Sums:
    """The sum of the values in a stretch, correctly rounded, whatever came or was forgotten in which order.

    For each length of stretch a cursor remembers where the last one began, so that moving on is cheap.
    """

    __slots__ = ("_cursors", "_times", "_values")

    def __init__(self) -> None:
        self._times = array("q")
        self._values: list[int] = []
        self._cursors: dict[int, tuple[int, int]] = {}  # INVARIANT: length -> start, the exact sum of values[start:]

    def add(self, at: int, value: float) -> None:
        numerator, denominator = value.as_integer_ratio()
        exact = numerator * (_SCALE // denominator)
        place = bisect_right(self._times, at)
        self._times.insert(place, at)
        self._values.insert(place, exact)
        for length, (start, total) in self._cursors.items():
            self._cursors[length] = (start, total + exact) if place >= start else (start + 1, total)

    def total(self, after: int, until: int, length: int) -> float:
        """The sum over `(after, until]`, one of the stretches of that length."""
        start, total = self._cursors.get(length, (len(self._values), 0))
        wanted = bisect_right(self._times, after)
        total += sum(self._values[wanted:start]) - sum(self._values[start:wanted])
        self._cursors[length] = (wanted, total)
        return _rounded(total - sum(self._values[max(wanted, bisect_right(self._times, until)) :]))

    def forget(self, floor: int) -> None:
        old = bisect_right(self._times, floor)
        if not _is_most(old, len(self._times)):
            return
        self._cursors = {
            length: (max(start - old, 0), total - sum(self._values[start:old]))
            for length, (start, total) in self._cursors.items()
        }
        del self._times[:old]
        del self._values[:old]

    @property
    def newest(self) -> int:
        return self._times[-1]

    def __len__(self) -> int:
        return len(self._times)


def _insert(times: MutableSequence[int], at: int) -> None:
    if times and times[-1] > at:
        insort(times, at)
    else:
        times.append(at)


def _is_most(old: int, size: int) -> bool:
    """Whether forgetting so many of so many is worth moving the rest: keeps the cost per entry constant."""
    return old * 2 > size


def _rounded(exact: int) -> float:
    try:
        return exact / _SCALE
    except OverflowError:
        return float("inf") if exact > 0 else float("-inf")
