"""Windows counted as messages come in: exact, ties and messages out of order included, in bounded memory.

A window counts the messages taken in up to and including this one, in intake order, whose `sent` lies in
`(sent - within, sent]`. Kept is what lies within `horizon` (the widest window and `lateness`) of the newest `sent`.
A message later than `lateness` is counted over what is still known, which depends on nothing but the messages.
Breaches and notices count from when they were recorded, if that was later than `sent - within`.

The state is rebuilt by feeding it the stored traces in intake order (`refill` spares those that no window reaches any
more), and the recorded breaches and notices.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

from comity.engine.lateness import EARLIEST, EPOCH, Newest, microseconds, since_epoch
from comity.engine.tallies import Distinct, Sums, Times
from comity.engine.trace import Trace
from comity.engine.windows import Counted, Window
from comity.model.ids import AccountId, ClauseId

_LATEST: Final = 2**62

Counts = dict[Window, int | float]
GroupOf = Callable[[Trace], Hashable]


class History:
    """The running counts of one store. Not safe to share between threads."""

    def __init__(self, windows: Iterable[Window], *, lateness: timedelta) -> None:
        windows = tuple(dict.fromkeys(windows))
        widest = max((window.within for window in windows), default=timedelta())
        self.horizon: Final = widest + lateness
        """How far back from the newest `sent` anything is kept."""
        self._kept = microseconds(self.horizon)
        self._newest = Newest(microseconds(lateness))
        by_kind: dict[tuple[Counted, str], list[Window]] = {}
        for window in windows:
            key = "" if window.counted in EVENTS else window.key
            by_kind.setdefault((window.counted, key), []).append(window)
        self._series = [series_of(counted, key, of) for (counted, key), of in by_kind.items() if counted not in EVENTS]
        self._events = {counted: Events(of) for (counted, _), of in by_kind.items() if counted in EVENTS}

    def take(self, trace: Trace) -> tuple[Mapping[Window, int | float], bool]:
        """The counts of all windows for this message, itself included, and whether it came too late.

        From now on it counts for those that come after it.
        """
        at = since_epoch(trace.sent)
        is_late = self._newest.take(at)
        floor = self._newest.at - self._kept
        counts: Counts = {}
        for series in self._series:
            series.take(trace, at, floor, counts)
        for events in self._events.values():
            events.count(trace.author, at, floor, counts)
        return counts, is_late

    @property
    def reached(self) -> datetime | None:
        """The newest `sent` that the stream has come to; None before two messages agree."""
        at = self._newest.at
        return None if at == EARLIEST else EPOCH + timedelta(microseconds=at)

    def refill(self, traces: Iterable[Trace], reached: datetime) -> None:
        """Take in again what was taken in before, when the stream had come to `reached` after the last of them.

        Those sent before `reached` and the horizon may be left out. That changes which messages are next to each
        other, so how far time has come is not asked of them.
        """
        newest, last = since_epoch(reached), EARLIEST
        for trace in traces:
            last = since_epoch(trace.sent)
            for series in self._series:
                series.take(trace, last, newest - self._kept, {})
        lateness = self._newest.lateness
        self._newest = Newest(lateness, at=newest, claimed=last if last > newest + lateness else None)

    def breach(self, account: AccountId, clause: ClauseId, recorded: datetime) -> None:
        """A decision confirmed that the account breached the clause; told before the next message is taken."""
        self._happened(Counted.BREACHES, account, clause, recorded)

    def notice(self, account: AccountId, clause: ClauseId, recorded: datetime) -> None:
        """A reviewer upheld a notice about the account under the clause; told before the next message is taken."""
        self._happened(Counted.NOTICES, account, clause, recorded)

    def _happened(self, counted: Counted, account: AccountId, clause: ClauseId, recorded: datetime) -> None:
        if counted in self._events:
            self._events[counted].add(account, clause, since_epoch(recorded), self._newest.at - self._kept)

    def __len__(self) -> int:
        """How many entries are kept, over all windows."""
        return sum(map(len, self._series)) + sum(map(len, self._events.values()))


class _Tally(Protocol):
    @property
    def newest(self) -> int: ...
    def forget(self, floor: int) -> None: ...
    def __len__(self) -> int: ...


T = TypeVar("T", bound=_Tally)


class _Groups(Generic[T]):
    """Tallies by group, those touched last at the end, so that idle ones are found at the front and forgotten."""

    __slots__ = ("_make", "_tallies")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._tallies: OrderedDict[Hashable, T] = OrderedDict()

    def touched(self, group: Hashable, floor: int) -> T:
        """The group's tally, to be added to; what is not after `floor` may go."""
        tallies = self._tallies
        while tallies and next(iter(tallies.values())).newest <= floor:
            tallies.popitem(last=False)
        tally = tallies.get(group)
        if tally is None:
            tally = tallies[group] = self._make()
        else:
            tallies.move_to_end(group)
            tally.forget(floor)
        return tally

    def get(self, group: Hashable) -> T | None:
        return self._tallies.get(group)

    def __len__(self) -> int:
        return sum(len(tally) for tally in self._tallies.values())


class Series(Protocol):
    """The windows that count the same over different times."""

    def take(self, trace: Trace, at: int, floor: int, counts: Counts) -> None:
        """Adds the message, unless it is not after `floor`, and puts the windows' counts into `counts`."""

    def __len__(self) -> int: ...


class _Messages:
    """Counts messages of a group; a trace without a group has none of what is counted."""

    def __init__(self, group_of: GroupOf, windows: Iterable[Window]) -> None:
        self._group_of = group_of
        self._windows = _with_lengths(windows)
        self._groups = _Groups(Times)

    def take(self, trace: Trace, at: int, floor: int, counts: Counts) -> None:
        group = self._group_of(trace)
        if group is None or at <= floor:
            counts.update((window, 0 if group is None else 1) for window, _ in self._windows)
            return
        times = self._groups.touched(group, floor)
        times.add(at)
        for window, length in self._windows:
            counts[window] = times.count(max(at - length, floor), at)

    def __len__(self) -> int:
        return len(self._groups)


class _Members:
    """Counts the distinct members of a group's messages."""

    def __init__(
        self, group_of: GroupOf, members_of: Callable[[Trace], tuple[Hashable, ...]], windows: Iterable[Window]
    ) -> None:
        self._group_of = group_of
        self._members_of = members_of
        self._windows = _with_lengths(windows)
        self._groups = _Groups(Distinct)

    def take(self, trace: Trace, at: int, floor: int, counts: Counts) -> None:
        group, members = self._group_of(trace), self._members_of(trace)
        if group is None or at <= floor:
            counts.update((window, 0 if group is None else len(members)) for window, _ in self._windows)
            return
        distinct = self._groups.touched(group, floor) if members else self._groups.get(group)
        if distinct is not None:
            for member in members:
                distinct.add(member, at)
        for window, length in self._windows:
            counts[window] = distinct.count(max(at - length, floor), at) if distinct else 0

    def __len__(self) -> int:
        return len(self._groups)


class _Totals:
    """Sums a number over an account's messages."""

    def __init__(self, key: str, windows: Iterable[Window]) -> None:
        self._key = key
        self._windows = _with_lengths(windows)
        self._groups = _Groups(Sums)

    def take(self, trace: Trace, at: int, floor: int, counts: Counts) -> None:
        value = trace.numbers.get(self._key, 0.0)
        if at <= floor:
            counts.update((window, value) for window, _ in self._windows)
            return
        sums = self._groups.touched(trace.author, floor) if value else self._groups.get(trace.author)
        if sums is not None and value:
            sums.add(at, value)
        for window, length in self._windows:
            counts[window] = sums.total(max(at - length, floor), at, length) if sums else 0.0

    def __len__(self) -> int:
        return len(self._groups)


class Events:
    """Counts what was recorded about an account, of one clause, of all, or of all but one."""

    def __init__(self, windows: Iterable[Window]) -> None:
        self._windows = _with_lengths(windows)
        self._groups = _Groups(Times)

    def add(self, account: AccountId, clause: ClauseId, at: int, floor: int) -> None:
        if at > floor:
            self._groups.touched((account, clause), floor).add(at)
            self._groups.touched((account, ""), floor).add(at)

    def count(self, account: AccountId, at: int, floor: int, counts: Counts) -> None:
        for window, length in self._windows:
            after = max(at - length, floor)
            counts[window] = self._of(account, window.key, after)
            if window.besides:
                counts[window] -= self._of(account, window.besides, after)

    def _of(self, account: AccountId, clause: str, after: int) -> int:
        times = self._groups.get((account, clause))
        return times.count(after, _LATEST) if times else 0

    def __len__(self) -> int:
        return len(self._groups)


EVENTS: Final = frozenset({Counted.BREACHES, Counted.NOTICES})


def series_of(counted: Counted, key: str, windows: Iterable[Window]) -> Series:
    match counted:
        case Counted.MESSAGES:
            return _Messages(_author, windows)
        case Counted.COPIES:
            return _Messages(lambda trace: (trace.author, trace.text), windows)
        case Counted.TEXT_COPIES:
            return _Messages(_text, windows)
        case Counted.TEXT_COPIERS:
            return _Members(_text, _authors, windows)
        case Counted.RECIPIENTS:
            return _Members(_author, lambda trace: trace.to, windows)
        case Counted.SAME:
            return _Messages(lambda trace: (trace.author, trace.values[key]) if key in trace.values else None, windows)
        case Counted.AUTHORS_SAME:
            return _Members(lambda trace: trace.values.get(key), _authors, windows)
        case Counted.TOTAL:
            return _Totals(key, windows)
        case Counted.BREACHES | Counted.NOTICES:
            raise ValueError(f"{counted} is no count of messages")


def _author(trace: Trace) -> Hashable:
    return trace.author


def _text(trace: Trace) -> Hashable:
    return trace.text


def _authors(trace: Trace) -> tuple[Hashable, ...]:
    return (trace.author,)


def _with_lengths(windows: Iterable[Window]) -> tuple[tuple[Window, int], ...]:
    """The windows, each with its length in microseconds."""
    return tuple((window, microseconds(window.within)) for window in windows)
