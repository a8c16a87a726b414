"""What History keeps for the windows of one kind: groups of messages, each with a tally, in few bytes.

A million accounts have a million groups, most of them with an entry or two: groups are known by one short string, and
go little by little as others come.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Final, Generic, Protocol, Self, TypeVar

import msgspec

from comity.engine.lateness import microseconds
from comity.engine.tallies import (
    EARLIEST,
    MEMBER_BYTES,
    Members,
    Sums,
    Times,
    count,
    count_members,
    entries_of,
    member_entries,
    newest,
    newest_of_members,
    packed_members,
    size,
    size_of_members,
    with_members,
    with_time,
)
from comity.engine.trace import Trace
from comity.engine.windows import Counted, Window
from comity.model.ids import AccountId, ClauseId

EVENTS: Final = frozenset({Counted.BREACHES, Counted.NOTICES})

_LATEST: Final = 2**62
_EVERY: Final = 8
_LOOKED_AT: Final = 32

_Moment = Annotated[int, msgspec.Meta(ge=EARLIEST, le=-EARLIEST)]
_Member = Annotated[bytes, msgspec.Meta(max_length=MEMBER_BYTES)]

Counts = dict[Window, int | float]
Group = bytes
GroupOf = Callable[[Trace], Group | None]
MembersOf = Callable[[Trace], tuple[bytes, ...]]
T = TypeVar("T")
E = TypeVar("E")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form(Generic[T, E]):
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


_TIMES: Final = _Form(
    newest=newest, size=size, entries=entries_of, made=_times_of, saved=list[tuple[Group, list[_Moment]]]
)
_MEMBERS: Final = _Form(
    newest=newest_of_members,
    size=size_of_members,
    entries=member_entries,
    made=packed_members,
    saved=list[tuple[Group, list[tuple[_Member, _Moment]]]],
)
_SUMS: Final = _Form(
    newest=Sums.newest,
    size=len,
    entries=Sums.entries,
    made=_sums_of,
    saved=list[tuple[Group, list[tuple[_Moment, float]]]],
)


class _Groups(Generic[T, E]):
    """Tallies by group. Those in which nothing is left to count go little by little, as others come."""

    __slots__ = ("_due", "_form", "_queue", "tallies")

    def __init__(self, form: _Form[T, E]) -> None:
        self._form = form
        self._due = _EVERY
        self._queue: deque[Group] = deque()  # INVARIANT: each group once
        self.tallies: dict[Group, T] = {}

    def put(self, group: Group, tally: T, floor: int) -> None:
        """The group's tally from now on; what is not after `floor` may go."""
        if group not in self.tallies:
            self._queue.append(group)
        self.tallies[group] = tally
        self.sweep(floor)

    def sweep(self, floor: int) -> None:
        """Every few times it is called: looks at what has been there longest, and drops it if it may go."""
        self._due -= 1
        if not self._due:
            self._due = _EVERY
            self._drop(floor)

    def _drop(self, floor: int) -> None:
        for _ in range(min(_LOOKED_AT, len(self._queue))):
            first = self._queue.popleft()
            if self._form.newest(self.tallies[first]) > floor:
                self._queue.append(first)
                return
            del self.tallies[first]

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

    def only(self, group: Group | None) -> _Groups[T, E]:
        """A copy that has one group at most."""
        one = _Groups(self._form)
        tally = None if group is None else self.tallies.get(group)
        if group is not None and tally is not None:
            one.tallies[group] = self._form.made(self._form.entries(tally))
            one._queue.append(group)
        return one


class Series(Protocol):
    """The windows that count the same over different times."""

    def take(self, trace: Trace, at: int, floor: int, counts: Counts) -> None:
        """Adds the message, unless it is not after `floor`, and puts the windows' counts into `counts`."""

    def aside(self, trace: Trace) -> Series:
        """A copy that knows of the message's group and of no other: what is taken there changes nothing here."""

    @property
    def groups(self) -> int: ...
    def __len__(self) -> int: ...
    def saved(self) -> bytes: ...
    def load(self, content: bytes) -> None: ...


class _Kept(Generic[T, E]):
    """What all series have: windows with their lengths, and groups."""

    def __init__(self, form: _Form[T, E], windows: Iterable[Window]) -> None:
        self._windows = tuple((window, microseconds(window.within)) for window in windows)
        self._groups = _Groups(form)

    def _with_only(self, group: Group | None) -> Self:
        one = copy(self)
        one._groups = self._groups.only(group)
        return one

    @property
    def groups(self) -> int:
        return len(self._groups.tallies)

    def __len__(self) -> int:
        return len(self._groups)

    def saved(self) -> bytes:
        return self._groups.saved()

    def load(self, content: bytes) -> None:
        self._groups.load(content)


class _Messages(_Kept[Times, int]):
    """Counts messages of a group; a trace without a group has none of what is counted."""

    def __init__(self, group_of: GroupOf, windows: Iterable[Window]) -> None:
        super().__init__(_TIMES, windows)
        self._group_of = group_of

    def aside(self, trace: Trace) -> Series:
        return self._with_only(self._group_of(trace))

    def take(self, trace: Trace, at: int, floor: int, counts: Counts) -> None:
        group = self._group_of(trace)
        if group is None or at <= floor:
            counts.update((window, 0 if group is None else 1) for window, _ in self._windows)
            return
        before = self._groups.tallies.get(group)
        if before is None:
            self._groups.put(group, at, floor)
            for window, _ in self._windows:
                counts[window] = 1
            return
        times = with_time(before, at, floor)
        if times is before:  # an array that grew
            self._groups.sweep(floor)
        else:
            self._groups.put(group, times, floor)
        for window, length in self._windows:
            after = at - length
            counts[window] = count(times, after if after > floor else floor, at)


class _Members(_Kept[Members, tuple[bytes, int]]):
    """Counts the distinct members of a group's messages."""

    def __init__(self, group_of: GroupOf, members_of: MembersOf, windows: Iterable[Window]) -> None:
        super().__init__(_MEMBERS, windows)
        self._group_of = group_of
        self._members_of = members_of

    def aside(self, trace: Trace) -> Series:
        return self._with_only(self._group_of(trace))

    def take(self, trace: Trace, at: int, floor: int, counts: Counts) -> None:
        group, added = self._group_of(trace), self._members_of(trace)
        if group is None or at <= floor:
            counts.update((window, 0 if group is None else len(added)) for window, _ in self._windows)
            return
        members = self._groups.tallies.get(group)
        if added:
            members = with_members(members, added, at, floor)
            self._groups.put(group, members, floor)
        for window, length in self._windows:
            counts[window] = count_members(members, max(at - length, floor), at) if members else 0


class _Totals(_Kept[Sums, tuple[int, float]]):
    """Sums a number over an account's messages."""

    def __init__(self, key: str, windows: Iterable[Window]) -> None:
        super().__init__(_SUMS, windows)
        self._key = key

    def aside(self, trace: Trace) -> Series:
        return self._with_only(_author(trace))

    def take(self, trace: Trace, at: int, floor: int, counts: Counts) -> None:
        value = trace.numbers.get(self._key, 0.0)
        if at <= floor:
            counts.update((window, value) for window, _ in self._windows)
            return
        account = trace.author.encode()
        sums = self._groups.tallies.get(account)
        if value:
            sums = Sums() if sums is None else sums
            sums.forget(floor)
            sums.add(at, value)
            self._groups.put(account, sums, floor)
        for window, length in self._windows:
            counts[window] = sums.total(max(at - length, floor), at, length) if sums else 0.0


class Events(_Kept[Times, int]):
    """Counts what was recorded about an account, of one clause, of all, or of all but one."""

    def __init__(self, windows: Iterable[Window]) -> None:
        super().__init__(_TIMES, windows)

    def add(self, account: AccountId, clause: ClauseId, at: int, floor: int) -> None:
        if at > floor:
            for group in (_event(account, clause), _event(account, "")):
                self._groups.put(group, with_time(self._groups.tallies.get(group), at, floor), floor)

    def count(self, account: AccountId, at: int, floor: int, counts: Counts) -> None:
        for window, length in self._windows:
            after = max(at - length, floor)
            counts[window] = self._of(account, window.key, after)
            if window.besides:
                counts[window] -= self._of(account, window.besides, after)

    def _of(self, account: AccountId, clause: str, after: int) -> int:
        times = self._groups.tallies.get(_event(account, clause))
        return 0 if times is None else count(times, after, _LATEST)


def series_of(counted: Counted, key: str, windows: Iterable[Window]) -> Series:
    """The series of a kind of windows that counts messages."""
    match counted:
        case Counted.MESSAGES:
            return _Messages(_author, windows)
        case Counted.COPIES:
            return _Messages(lambda trace: trace.author.encode() + trace.text, windows)
        case Counted.TEXT_COPIES:
            return _Messages(_text, windows)
        case Counted.TEXT_COPIERS:
            return _Members(_text, _authors, windows)
        case Counted.RECIPIENTS:
            return _Members(_author, lambda trace: trace.to, windows)
        case Counted.SAME:
            return _Messages(lambda trace: _with_value(trace, key), windows)
        case Counted.AUTHORS_SAME:
            return _Members(lambda trace: trace.values.get(key), _authors, windows)
        case Counted.TOTAL:
            return _Totals(key, windows)
        case Counted.BREACHES | Counted.NOTICES:
            raise ValueError(f"{counted} is no count of messages")


def _author(trace: Trace) -> Group:
    return trace.author.encode()


def _text(trace: Trace) -> Group:
    return trace.text


def _with_value(trace: Trace, key: str) -> Group | None:
    """The account and the value's hash, whose length is fixed."""
    value = trace.values.get(key)
    return None if value is None else trace.author.encode() + value


def _authors(trace: Trace) -> tuple[bytes, ...]:
    return (blake2b(trace.author.encode(), digest_size=MEMBER_BYTES).digest(),)


def _event(account: AccountId, clause: str) -> Group:
    """An id of a clause has no space."""
    return f"{clause} {account}".encode()
