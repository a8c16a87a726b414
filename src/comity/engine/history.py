"""Windows counted as messages come in: exact, ties and messages out of order included, in bounded memory.

A window counts the messages taken in up to and including this one, in intake order, whose `sent` lies in
`(sent - within, sent]`. Kept is what lies within `horizon` (the widest window and `lateness`) of the newest `sent`.
A message later than `lateness` is counted over what is still known, which depends on nothing but the messages.
Breaches and notices count from when they were recorded, if that was later than `sent - within`.

The state is rebuilt by feeding it the stored traces in intake order, and the recorded breaches and notices.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sized
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

from comity.engine.tallies import Distinct, Sums, Times
from comity.engine.trace import Trace
from comity.engine.windows import Counted, Window
from comity.model.ids import AccountId, ClauseId

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_EARLIEST: Final = -(2**62)
_LATEST: Final = 2**62
_TIMES: Final = frozenset({Counted.MESSAGES, Counted.COPIES, Counted.TEXT_COPIES, Counted.SAME})
_DISTINCT: Final = frozenset({Counted.TEXT_COPIERS, Counted.RECIPIENTS, Counted.AUTHORS_SAME})
_EVENTS: Final = frozenset({Counted.BREACHES, Counted.NOTICES})

Kind = tuple[Counted, str]  # what is counted, and its key in `meta`


class _Tally(Protocol):
    @property
    def newest(self) -> int: ...
    def forget(self, floor: int) -> None: ...
    def __len__(self) -> int: ...


T = TypeVar("T", bound=_Tally)


class History:
    """The running counts of one store. Not safe to share between threads."""

    def __init__(self, windows: Iterable[Window], *, lateness: timedelta) -> None:
        self._windows = tuple(dict.fromkeys(windows))
        widest = max((window.within for window in self._windows), default=timedelta())
        self.horizon: Final = widest + lateness
        """How far back from the newest `sent` anything is kept."""
        self._lateness = lateness // _MICROSECOND
        self._kept = self.horizon // _MICROSECOND
        self._newest = _EARLIEST
        kinds = {(window.counted, window.key) for window in self._windows}
        self._times: dict[Kind, _Groups[Times]] = {kind: _Groups(Times) for kind in kinds if kind[0] in _TIMES}
        self._distinct = {kind: _Groups(Distinct) for kind in kinds if kind[0] in _DISTINCT}
        self._sums = {kind: _Groups(Sums) for kind in kinds if kind[0] is Counted.TOTAL}
        self._events = {counted: _Groups(Times) for counted, _ in kinds if counted in _EVENTS}

    def take(self, trace: Trace) -> tuple[Mapping[Window, int | float], bool]:
        """The counts of all windows for this message, itself included, and whether it came too late.

        From now on it counts for those that come after it.
        """
        at = (trace.sent - _EPOCH) // _MICROSECOND
        is_late = at < self._newest - self._lateness
        self._newest = max(self._newest, at)
        if at > self._floor:
            self._add(trace, at)
        return {window: self._count(window, trace, at) for window in self._windows}, is_late

    def breach(self, account: AccountId, clause: ClauseId, recorded: datetime) -> None:
        """A decision confirmed that the account breached the clause; told before the next message is taken."""
        self._happened(Counted.BREACHES, account, clause, recorded)

    def notice(self, account: AccountId, clause: ClauseId, recorded: datetime) -> None:
        """A reviewer upheld a notice about the account under the clause; told before the next message is taken."""
        self._happened(Counted.NOTICES, account, clause, recorded)

    def __len__(self) -> int:
        """How many entries are kept, over all windows."""
        kinds: tuple[Mapping[Kind, Sized] | Mapping[Counted, Sized], ...]
        kinds = (self._times, self._distinct, self._sums, self._events)
        return sum(len(groups) for kind in kinds for groups in kind.values())

    @property
    def _floor(self) -> int:
        return self._newest - self._kept

    def _add(self, trace: Trace, at: int) -> None:
        for kind, times in self._times.items():
            if (group := _group(kind, trace)) is not None:
                times.touched(group, self._floor).add(at)
        for kind, distinct in self._distinct.items():
            members: tuple[Hashable, ...] = trace.to if kind[0] is Counted.RECIPIENTS else (trace.author,)
            if members and (group := _group(kind, trace)) is not None:
                series = distinct.touched(group, self._floor)
                for member in members:
                    series.add(member, at)
        for (_, key), sums in self._sums.items():
            if value := trace.numbers.get(key):
                sums.touched(trace.author, self._floor).add(at, value)

    def _happened(self, counted: Counted, account: AccountId, clause: ClauseId, recorded: datetime) -> None:
        at = (recorded - _EPOCH) // _MICROSECOND
        if counted in self._events and at > self._floor:
            self._events[counted].touched((account, clause), self._floor).add(at)
            self._events[counted].touched((account, ""), self._floor).add(at)

    def _count(self, window: Window, trace: Trace, at: int) -> int | float:
        counted, length = window.counted, window.within // _MICROSECOND
        after = max(at - length, self._floor)
        if counted in _EVENTS:
            return self._count_events(window, trace.author, after)
        if at <= self._floor:
            return _of_one(window, trace)
        kind = (counted, window.key)
        group = _group(kind, trace)
        if counted is Counted.TOTAL:
            sums = self._sums[kind].get(group)
            return sums.total(after, at, length) if sums else 0.0
        series = (self._distinct if counted in _DISTINCT else self._times)[kind].get(group)
        return series.count(after, at) if series else 0

    def _count_events(self, window: Window, account: AccountId, after: int) -> int:
        events = self._events[window.counted]
        named = events.get((account, window.key))
        besides = events.get((account, window.besides)) if window.besides else None
        count = named.count(after, _LATEST) if named else 0
        return count - (besides.count(after, _LATEST) if besides else 0)


class _Groups(Generic[T]):
    """Tallies by group, those touched last at the end, so that idle ones are found at the front and forgotten."""

    __slots__ = ("_make", "_tallies")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._tallies: OrderedDict[Hashable, T] = OrderedDict()

    def touched(self, group: Hashable, floor: int) -> T:
        """The group's tally, to be added to; what is not after `floor` may go."""
        while self._tallies and next(iter(self._tallies.values())).newest <= floor:
            self._tallies.popitem(last=False)
        if group not in self._tallies:
            self._tallies[group] = self._make()
        self._tallies.move_to_end(group)
        tally = self._tallies[group]
        tally.forget(floor)
        return tally

    def get(self, group: Hashable) -> T | None:
        return self._tallies.get(group)

    def __len__(self) -> int:
        return sum(len(tally) for tally in self._tallies.values())


def _group(kind: Kind, trace: Trace) -> Hashable:
    """Whose entries count with this message's; None if it has none of that kind."""
    counted, key = kind
    match counted:
        case Counted.COPIES:
            return trace.author, trace.text
        case Counted.TEXT_COPIES | Counted.TEXT_COPIERS:
            return trace.text
        case Counted.SAME:
            value = trace.values.get(key)
            return None if value is None else (trace.author, value)
        case Counted.AUTHORS_SAME:
            return trace.values.get(key)
        case _:
            return trace.author


def _of_one(window: Window, trace: Trace) -> int | float:
    """The count where nothing but the message itself is known."""
    match window.counted:
        case Counted.RECIPIENTS:
            return len(trace.to)
        case Counted.TOTAL:
            return trace.numbers.get(window.key, 0.0)
        case Counted.SAME | Counted.AUTHORS_SAME:
            return 1 if window.key in trace.values else 0
        case _:
            return 1
