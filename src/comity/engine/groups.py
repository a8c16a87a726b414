"""Tallies of messages by group, in few bytes: how they are read, saved, and dropped when nothing is left to count.

A million accounts have a million groups, most of them with an entry or two: groups are known by one short string, and
go little by little as others come.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Generic, TypeVar

import msgspec

from comity.engine.tallies import (
    EARLIEST,
    MEMBER_BYTES,
    Sums,
    Times,
    entries_of,
    member_entries,
    newest,
    newest_of_members,
    packed_members,
    size,
    size_of_members,
    with_time,
)

_EVERY: Final = 8
_LOOKED_AT: Final = 32

_Moment = Annotated[int, msgspec.Meta(ge=EARLIEST, le=-EARLIEST)]
_Member = Annotated[bytes, msgspec.Meta(max_length=MEMBER_BYTES)]

Group = bytes
T = TypeVar("T")
E = TypeVar("E")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Generic[T, E]):
    """How tallies of one type are read and made again."""

    newest: Callable[[T], int]
    size: Callable[[T], int]
    entries: Callable[[T], list[E]]
    made: Callable[[list[E]], T]
    saved: type[list[tuple[Group, list[E]]]]


def _times_of(entries: list[int]) -> Times:
    times: Times | None = None
    for at in entries:
        times = with_time(times, at, EARLIEST)
    return EARLIEST if times is None else times


def _sums_of(entries: list[tuple[int, float]]) -> Sums:
    sums = Sums()
    for at, value in entries:
        if not math.isfinite(value):
            raise ValueError(f"{value} is no number to sum")
        sums.add(at, value)
    return sums


TIMES: Final = Form(
    newest=newest, size=size, entries=entries_of, made=_times_of, saved=list[tuple[Group, list[_Moment]]]
)
MEMBERS: Final = Form(
    newest=newest_of_members,
    size=size_of_members,
    entries=member_entries,
    made=packed_members,
    saved=list[tuple[Group, list[tuple[_Member, _Moment]]]],
)
SUMS: Final = Form(
    newest=Sums.newest,
    size=len,
    entries=Sums.entries,
    made=_sums_of,
    saved=list[tuple[Group, list[tuple[_Moment, float]]]],
)


class Groups(Generic[T, E]):
    """Tallies by group. Those in which nothing is left to count go little by little, as others come."""

    __slots__ = ("_due", "_form", "_queue", "tallies")

    def __init__(self, form: Form[T, E]) -> None:
        self._form = form
        self._due = _EVERY
        self._queue: deque[Group] = deque()  # INVARIANT: each group once
        self.tallies: dict[Group, T] = {}

    def began(self, fresh: Iterable[Group]) -> None:
        """Groups that were put among the tallies just now, each for the first time."""
        self._queue.extend(fresh)

    def put(self, group: Group, tally: T, floor: int) -> None:
        """The group's tally from now on; what is not after `floor` may go."""
        if group in self.tallies:
            self.go_on(group, tally, floor)
        else:
            self.begin(group, tally, floor)

    def begin(self, group: Group, tally: T, floor: int) -> None:
        """`put` for a group that there was not."""
        self._queue.append(group)
        self.go_on(group, tally, floor)

    def go_on(self, group: Group, tally: T, floor: int) -> None:
        """`put` for a group that there was."""
        self.tallies[group] = tally
        self._due -= 1
        if not self._due:
            self._due = _EVERY
            self._drop(1, floor)

    def sweep_for(self, count: int, floor: int) -> None:
        """What so many calls of `put` drop besides."""
        times = (count - self._due) // _EVERY + 1
        self._due += times * _EVERY - count
        self._drop(times, floor)

    def _drop(self, times: int, floor: int) -> None:
        """So often: looks at what has been there longest, and drops it if it may go."""
        queue, tallies, newest = self._queue, self.tallies, self._form.newest
        for _ in range(times):
            for _ in range(min(_LOOKED_AT, len(queue))):
                first = queue.popleft()
                if newest(tallies[first]) > floor:
                    queue.append(first)
                    break
                del tallies[first]

    def __len__(self) -> int:
        return sum(map(self._form.size, self.tallies.values()))

    def saved(self) -> bytes:
        """All groups and their entries."""
        return msgspec.msgpack.encode([(group, self._form.entries(tally)) for group, tally in self.tallies.items()])

    def load(self, content: bytes) -> None:
        """Takes over what was saved. `msgspec.DecodeError` or `ValueError` for anything else; then nothing is kept."""
        saved = msgspec.msgpack.decode(content, type=self._form.saved)
        tallies = {group: self._form.made(entries) for group, entries in saved if entries}
        self.tallies = tallies
        self._queue = deque(tallies)

    def only(self, group: Group | None) -> Groups[T, E]:
        """A copy that has one group at most."""
        one = Groups(self._form)
        tally = None if group is None else self.tallies.get(group)
        if group is not None and tally is not None:
            one.tallies[group] = self._form.made(self._form.entries(tally))
            one._queue.append(group)
        return one
