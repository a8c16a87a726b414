"""What History keeps for the windows of one kind: groups of messages, each with a tally (see `groups`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterable
from copy import copy
from hashlib import blake2b
from typing import Final, Generic, Protocol, Self

from comity.engine.groups import MEMBERS, SUMS, TIMES, E, Form, Group, Groups, T
from comity.engine.lateness import Ints, microseconds
from comity.engine.tallies import (
    MEMBER_BYTES,
    Members,
    Several,
    Sums,
    Times,
    count,
    count_members,
    with_another,
    with_members,
    with_time,
)
from comity.engine.trace import Trace, Traces
from comity.engine.windows import Counted, Window
from comity.model.ids import AccountId, ClauseId

EVENTS: Final = frozenset({Counted.BREACHES, Counted.NOTICES})

_LATEST: Final = 2**62

Counts = dict[Window, int | float]
Columns = dict[Window, list[int | float]]
GroupOf = Callable[[Trace], Group | None]
GroupsOf = Callable[[Traces], Iterable[Group | None]]
_Counted = tuple[list[int | float], int]
"""A window's column, and its length."""
MembersOf = Callable[[Trace], tuple[bytes, ...]]


class Series(Protocol):
    """The windows that count the same over different times."""

    def take(self, trace: Trace, at: int, floor: int, counts: Counts) -> None:
        """Adds the message, unless it is not after `floor`, and puts the windows' counts into `counts`."""

    def take_all(self, traces: Traces, floors: Ints, columns: Columns) -> None:
        """The same for many messages, one after the other; adds the windows' columns."""

    def aside(self, trace: Trace) -> Series:
        """A copy that knows of the message's group and of no other: what is taken there changes nothing here."""

    @property
    def groups(self) -> int: ...
    def __len__(self) -> int: ...
    def saved(self) -> bytes: ...
    def load(self, content: bytes) -> None: ...


class _Kept(Generic[T, E]):
    """What all series have: windows with their lengths, and groups."""

    def __init__(self, form: Form[T, E], windows: Iterable[Window]) -> None:
        self._windows = tuple((window, microseconds(window.within)) for window in windows)
        self._groups = Groups(form)

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


class _Stepped(ABC, _Kept[T, E]):
    """A series that takes many messages one by one."""

    @abstractmethod
    def take(self, trace: Trace, at: int, floor: int, counts: Counts) -> None: ...

    def take_all(self, traces: Traces, floors: Ints, columns: Columns) -> None:
        rows: list[Counts] = []
        for trace, at, floor in zip(traces, traces.sent.tolist(), floors.tolist(), strict=True):
            rows.append({})
            self.take(trace, at, floor, rows[-1])
        columns.update({window: [counts[window] for counts in rows] for window, _ in self._windows})


class _Messages(_Kept[Times, int]):
    """Counts messages of a group; a trace without a group has none of what is counted."""

    def __init__(self, group_of: GroupOf, groups_of: GroupsOf, windows: Iterable[Window]) -> None:
        super().__init__(TIMES, windows)
        self._group_of = group_of
        self._groups_of = groups_of

    def aside(self, trace: Trace) -> Series:
        return self._with_only(self._group_of(trace))

    def take(self, trace: Trace, at: int, floor: int, counts: Counts) -> None:
        group = self._group_of(trace)
        if group is None or at <= floor:
            counts.update((window, 0 if group is None else 1) for window, _ in self._windows)
            return
        before = self._groups.tallies.get(group)
        if before is None:
            self._groups.begin(group, at, floor)
            for window, _ in self._windows:
                counts[window] = 1
            return
        if not isinstance(before, int) and before[0] > floor and before[-1] <= at:
            before.append(at)  # the newest of several that all are known
            self._groups.go_on(group, before, floor)
            for window, length in self._windows:
                counts[window] = len(before) - bisect_right(before, at - length)
            return
        times = with_time(before, at, floor)
        self._groups.go_on(group, times, floor)
        for window, length in self._windows:
            after = at - length
            counts[window] = count(times, after if after > floor else floor, at)

    def take_all(self, traces: Traces, floors: Ints, columns: Columns) -> None:
        found: list[list[int | float]] = [[1] * len(traces) for _ in self._windows]  # itself
        lengths = [length for _, length in self._windows]
        if len(traces):
            rows = zip(self._groups_of(traces), traces.sent.tolist(), floors.tolist(), strict=True)
            is_late = bool((traces.sent - floors < max(lengths)).any())
            self._groups.began(self._count(rows, [*zip(found, lengths, strict=True)], is_late=is_late))
            self._groups.sweep_for(len(traces), int(floors[-1]))
        columns.update((window, column) for (window, _), column in zip(self._windows, found, strict=True))

    def _count(
        self, rows: Iterable[tuple[Group | None, int, int]], counted: Iterable[_Counted], *, is_late: bool
    ) -> list[Group]:
        """Corrects the columns for rows that are not the first of their group, and returns the groups that are new.

        `is_late`: a stretch may reach to where things were forgotten.
        """
        columns = [(column, length, dict[Group, int]()) for column, length in counted]
        tallies, fresh, at_hand = self._groups.tallies, list[Group](), dict[Group, Several]()
        for place, (group, at, floor) in enumerate(rows):
            if group is None:
                for column, _, _ in columns:
                    column[place] = 0
            elif (times := at_hand.get(group)) is not None and times[-1] <= at:
                times.append(at)
                for column, length, firsts in columns:
                    first, after = firsts[group], at - length
                    while times[first] <= after:  # not far: it was looked for a moment ago
                        first += 1
                    firsts[group] = first
                    column[place] = len(times) - first
            elif at <= floor:
                continue
            elif (before := tallies.get(group)) is None:
                tallies[group] = at
                fresh.append(group)
            else:
                tallies[group] = times = with_another(before, at, floor)
                for column, length, firsts in columns:
                    column[place] = count(times, max(at - length, floor), at)
                    firsts[group] = bisect_right(times, at - length)
                if not is_late:
                    at_hand[group] = times
        return fresh


class _Members(_Stepped[Members, tuple[bytes, int]]):
    """Counts the distinct members of a group's messages."""

    def __init__(self, group_of: GroupOf, members_of: MembersOf, windows: Iterable[Window]) -> None:
        super().__init__(MEMBERS, windows)
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


class _Totals(_Stepped[Sums, tuple[int, float]]):
    """Sums a number over an account's messages."""

    def __init__(self, key: str, windows: Iterable[Window]) -> None:
        super().__init__(SUMS, windows)
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
        super().__init__(TIMES, windows)

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

    def count_all(self, traces: Traces, floors: Ints, columns: Columns) -> None:
        """The same for many messages; adds the windows' columns."""
        rows: list[Counts] = []
        for account, at, floor in zip(traces.authors, traces.sent.tolist(), floors.tolist(), strict=True):
            rows.append({})
            self.count(account, at, floor, rows[-1])
        columns.update({window: [counts[window] for counts in rows] for window, _ in self._windows})

    def _of(self, account: AccountId, clause: str, after: int) -> int:
        times = self._groups.tallies.get(_event(account, clause))
        return 0 if times is None else count(times, after, _LATEST)


def series_of(counted: Counted, key: str, windows: Iterable[Window]) -> Series:
    """The series of a kind of windows that counts messages."""
    match counted:
        case Counted.MESSAGES:
            return _Messages(_author, lambda traces: traces.names, windows)
        case Counted.COPIES:
            return _Messages(lambda trace: trace.author.encode() + trace.text, _all_copies, windows)
        case Counted.TEXT_COPIES:
            return _Messages(_text, lambda traces: traces.texts, windows)
        case Counted.TEXT_COPIERS:
            return _Members(_text, _authors, windows)
        case Counted.RECIPIENTS:
            return _Members(_author, lambda trace: trace.to, windows)
        case Counted.SAME:
            return _Messages(lambda trace: _with_value(trace, key), lambda traces: _with_values(traces, key), windows)
        case Counted.AUTHORS_SAME:
            return _Members(lambda trace: trace.values.get(key), _authors, windows)
        case Counted.TOTAL:
            return _Totals(key, windows)
        case Counted.BREACHES | Counted.NOTICES:
            raise ValueError(f"{counted} is no count of messages")


def _author(trace: Trace) -> Group:
    return trace.author.encode()


def _all_copies(traces: Traces) -> Iterable[Group]:
    return [name + text for name, text in zip(traces.names, traces.texts, strict=True)]


def _text(trace: Trace) -> Group:
    return trace.text


def _with_value(trace: Trace, key: str) -> Group | None:
    """The account and the value's hash, whose length is fixed."""
    value = trace.values.get(key)
    return None if value is None else trace.author.encode() + value


def _with_values(traces: Traces, key: str) -> Iterable[Group | None]:
    pairs = zip(traces.names, traces.values[key], strict=True)
    return [name + value if value else None for name, value in pairs]


def _authors(trace: Trace) -> tuple[bytes, ...]:
    return (blake2b(trace.author.encode(), digest_size=MEMBER_BYTES).digest(),)


def _event(account: AccountId, clause: str) -> Group:
    """An id of a clause has no space."""
    return f"{clause} {account}".encode()
