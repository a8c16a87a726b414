"""Counts over stretches of time for one group: how many, how many distinct, and exact sums.

Times are whole microseconds and may come in any order. A stretch is `(after, until]`. What is not after a `floor`
may be forgotten, for no stretch reaches there any more. Most groups have one entry or a few, so those are kept in the
fewest bytes: one time as an int, several as an array, few members as packed records.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Final, TypeAlias

EARLIEST: Final = -(2**61)
"""Before every time; sums with lengths of windows stay within 64 bits."""

_SCALE: Final = 2**1074
"""Every finite double is a whole multiple of 1 / _SCALE, so sums of such multiples are exact in any order."""

_RECORD: Final = Struct("<16sq")
_FEW: Final = 16 * _RECORD.size
MEMBER_BYTES: Final = 16

Several: TypeAlias = "array[int]"
"""Times in order."""

Times: TypeAlias = "int | Several"
"""The times of a group's entries: one or several."""


def with_time(times: Times | None, at: int, floor: int) -> Times:
    """The entries, if there were any, and one more."""
    return at if times is None else with_another(times, at, floor)


def with_another(times: Times, at: int, floor: int) -> Several:
    if isinstance(times, int):
        return array("q", (times, at) if times <= at else (at, times))
    if times[0] <= floor and _is_most(old := bisect_right(times, floor), len(times)):
        del times[:old]
    _insert(times, at)
    return times


def count(times: Times, after: int, until: int) -> int:
    """How many entries a stretch has."""
    if isinstance(times, int):
        return int(after < times <= until)
    end = len(times) if times[-1] <= until else bisect_right(times, until)
    return end - bisect_right(times, after)


def newest(times: Times) -> int:
    return times if isinstance(times, int) else times[-1]


def size(times: Times) -> int:
    return 1 if isinstance(times, int) else len(times)


def entries_of(times: Times) -> list[int]:
    return [times] if isinstance(times, int) else times.tolist()


class Distinct:
    """How many distinct members a stretch has entries of. Members are `MEMBER_BYTES` long.

    Quick for stretches up to the newest entry; for an earlier end it takes time linear in the members.
    """

    __slots__ = ("_latest", "_members")

    def __init__(self) -> None:
        self._members: dict[bytes, Times] = {}
        self._latest = array("q")  # INVARIANT: each member's newest time, in order

    def add(self, member: bytes, at: int, floor: int) -> None:
        times = self._members.get(member)
        if times is None:
            _insert(self._latest, at)
        elif at > (was := newest(times)):
            del self._latest[bisect_left(self._latest, was)]
            _insert(self._latest, at)
        self._members[member] = with_time(times, at, floor)

    def count(self, after: int, until: int) -> int:
        within = len(self._latest) - bisect_right(self._latest, after)
        if not self._latest or self._latest[-1] <= until:
            return within
        return within - sum(newest(t) > until and not count(t, after, until) for t in self._members.values())

    def forget(self, floor: int) -> None:
        old = bisect_right(self._latest, floor)
        if _is_most(old, len(self._latest)):
            del self._latest[:old]
            self._members = {member: times for member, times in self._members.items() if newest(times) > floor}

    def entries(self) -> Iterator[tuple[bytes, int]]:
        return ((member, at) for member, times in self._members.items() for at in entries_of(times))

    @property
    def newest(self) -> int:
        return self._latest[-1]

    def __len__(self) -> int:
        return sum(map(size, self._members.values()))


Members = bytes | Distinct
"""The members of a group with their times: few as packed records, else as `Distinct`."""


def with_members(members: Members | None, added: Iterable[bytes], at: int, floor: int) -> Members:
    """The entries and one more for each member that is added."""
    if isinstance(members, Distinct):
        members.forget(floor)
        for member in added:
            members.add(member, at, floor)
        return members
    packed = (members or b"") + b"".join(_RECORD.pack(member, at) for member in added)
    if len(packed) <= _FEW:
        return packed
    kept = [(member, time) for member, time in _RECORD.iter_unpack(packed) if time > floor]
    return packed_members(kept)


def packed_members(entries: Iterable[tuple[bytes, int]]) -> Members:
    """Those entries, in the fewest bytes."""
    packed = b"".join(_RECORD.pack(member, at) for member, at in entries)
    if len(packed) <= _FEW:
        return packed
    distinct = Distinct()
    for member, at in _RECORD.iter_unpack(packed):
        distinct.add(member, at, EARLIEST)
    return distinct


def count_members(members: Members, after: int, until: int) -> int:
    """How many distinct members a stretch has."""
    if isinstance(members, Distinct):
        return members.count(after, until)
    return len({member for member, at in _RECORD.iter_unpack(members) if after < at <= until})


def newest_of_members(members: Members) -> int:
    return members.newest if isinstance(members, Distinct) else max(at for _, at in _RECORD.iter_unpack(members))


def size_of_members(members: Members) -> int:
    return len(members) if isinstance(members, Distinct) else len(members) // _RECORD.size


def member_entries(members: Members) -> list[tuple[bytes, int]]:
    return list(members.entries() if isinstance(members, Distinct) else _RECORD.iter_unpack(members))


class Sums:
    """The sum of the values in a stretch, correctly rounded, whatever came or was forgotten in which order.

    For each length of stretch a cursor remembers where the last one began, so that moving on is cheap.
    """

    __slots__ = ("_cursors", "_times", "_values")

    def __init__(self) -> None:
        self._times = array("q")
        self._values = array("d")
        self._cursors: dict[int, tuple[int, int]] = {}  # INVARIANT: length -> start, the exact sum of values[start:]

    def add(self, at: int, value: float) -> None:
        place = bisect_right(self._times, at)
        self._times.insert(place, at)
        self._values.insert(place, value)
        for length, (start, total) in self._cursors.items():
            self._cursors[length] = (start, total + _exact(value)) if place >= start else (start + 1, total)

    def total(self, after: int, until: int, length: int) -> float:
        """The sum over `(after, until]`, one of the stretches of that length."""
        start, total = self._cursors.get(length, (len(self._values), 0))
        wanted = bisect_right(self._times, after)
        total += self._sum(wanted, start) - self._sum(start, wanted)
        self._cursors[length] = (wanted, total)
        return _rounded(total - self._sum(max(wanted, bisect_right(self._times, until)), len(self._values)))

    def _sum(self, start: int, end: int) -> int:
        return sum(map(_exact, self._values[start:end])) if start < end else 0

    def forget(self, floor: int) -> None:
        old = bisect_right(self._times, floor)
        if not _is_most(old, len(self._times)):
            return
        self._cursors = {
            length: (max(start - old, 0), total - self._sum(start, old))
            for length, (start, total) in self._cursors.items()
        }
        del self._times[:old]
        del self._values[:old]

    def entries(self) -> list[tuple[int, float]]:
        return list(zip(self._times, self._values, strict=True))

    def newest(self) -> int:
        return self._times[-1]

    def __len__(self) -> int:
        return len(self._times)


def _insert(times: array[int], at: int) -> None:
    if times and times[-1] > at:
        insort(times, at)
    else:
        times.append(at)


def _is_most(old: int, size: int) -> bool:
    """Whether forgetting so many of so many is worth moving the rest: keeps the cost per entry constant."""
    return old * 2 > size


def _exact(value: float) -> int:
    numerator, denominator = value.as_integer_ratio()
    return numerator * (_SCALE // denominator)


def _rounded(exact: int) -> float:
    try:
        return exact / _SCALE
    except OverflowError:
        return float("inf") if exact > 0 else float("-inf")
