"""Windows counted for many messages at once, by sort and search: the same counts as `History`, several times quicker.

Messages come as columns, part by part in intake order; what the widest window still needs is carried over, so memory is
flat in the length of the archive. Counts of messages are found by searching (see `runs`); distinct members and sums are
counted as online. Breaches and notices are no messages: they are counted elsewhere.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from comity.engine.hashed import NONE, Hashed, Numbers
from comity.engine.lateness import Newest, microseconds, reached
from comity.engine.runs import MOST_GROUPS, Flags, Ints, Run, Runs, entry, ranks_of
from comity.engine.series import EVENTS, Counts, Series, series_of
from comity.engine.windows import Counted, Window

Columns = dict[Window, npt.NDArray[np.int64] | npt.NDArray[np.float64]]

_SEARCHED: Final = (Counted.MESSAGES, Counted.COPIES, Counted.TEXT_COPIES, Counted.SAME)
_NEVER_RARE: Final = 65_536
"""Group numbers that are kept without asking whether they are still of use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallied:
    """The counts of one part's messages, by window, and which of them came too late. Breaches and notices excepted."""

    counts: Columns
    late: Flags


class BatchHistory:
    """The running counts of one archive. Not safe to share between threads."""

    def __init__(self, windows: Iterable[Window], *, lateness: timedelta) -> None:
        windows = tuple(dict.fromkeys(windows))
        self.horizon: Final = max((window.within for window in windows), default=timedelta()) + lateness
        """How far back from the newest `sent` anything is kept."""
        self._kept = microseconds(self.horizon)
        self._newest = Newest(microseconds(lateness))
        kinds = [(counted, key, of) for (counted, key), of in _by_kind(windows).items()]
        self._searched = [_Searched(counted, key, of) for counted, key, of in kinds if counted in _SEARCHED]
        self._stepped = [series_of(counted, key, of) for counted, key, of in kinds if counted not in _SEARCHED]
        self._runs = Runs()

    def take(self, messages: Hashed) -> Tallied:
        """The counts of all windows but those of breaches and notices, for the next part of the stream."""
        newest = reached(self._newest, messages.sent)
        floors, late = newest[1:] - self._kept, messages.sent < newest[:-1] - self._newest.lateness
        found: Columns = {}
        part = _Part(messages.sent, floors)
        entries = []
        for number, series in enumerate(self._searched):
            entries.append(series.take(messages, part, self._runs, number, found))
        if self._searched and len(messages.sent):
            self._runs.add(Run(times=part.times, entries=tuple(entries)), int(floors[-1]))
            for number, series in enumerate(self._searched):
                series.forget(self._runs, number)
        for stepped in self._stepped:
            found.update(_stepped(stepped, messages, floors))
        return Tallied(counts=found, late=late)

    def __len__(self) -> int:
        """How many entries are kept, over all windows."""
        return len(self._runs) + sum(map(len, self._stepped))


def _by_kind(windows: Iterable[Window]) -> dict[tuple[Counted, str], list[Window]]:
    kinds: dict[tuple[Counted, str], list[Window]] = {}
    for window in windows:
        if window.counted not in EVENTS:
            kinds.setdefault((window.counted, window.key), []).append(window)
    return kinds


class _Part:
    """The times of one part's messages: in intake order, and in order of time with each message's place there."""

    __slots__ = ("floors", "order", "ranks", "sent", "times")

    def __init__(self, sent: Ints, floors: Ints) -> None:
        self.sent = sent
        self.floors = floors
        self.order = np.argsort(sent, kind="stable")
        self.times = sent[self.order]
        self.ranks = np.empty_like(self.order)
        self.ranks[self.order] = np.arange(len(sent))


_TOO_MANY: Final = f"an archive with more than {MOST_GROUPS:,} groups in one window kind"


class _Searched:
    """The windows that count the same messages of a group over different times."""

    def __init__(self, counted: Counted, key: str, windows: Iterable[Window]) -> None:
        self._counted = counted
        self._key = key
        self._windows = [(window, microseconds(window.within)) for window in windows]
        self._groups = Numbers()
        self._most = _NEVER_RARE

    def take(self, messages: Hashed, part: _Part, runs: Runs, series: int, found: Columns) -> Ints:
        """The entries of this part; its counts are put into `found`."""
        groups, is_alone = self._numbers(messages)
        kept = np.flatnonzero((groups >= 0) & (part.sent > part.floors))
        entries = entry(groups[kept], part.ranks[kept])
        entries.sort()
        places = part.order[ranks_of(entries)]
        order = np.flatnonzero(~is_alone[places])  # the others are counted once whatever the window
        places = places[order]
        of, at = groups[places], part.sent[places]
        crossed = _crossed(of, places)
        for window, length in self._windows:
            after = np.maximum(at - length, part.floors[places])
            first = np.searchsorted(entries, entry(of, np.searchsorted(part.times, after, "right")))
            counts = order + 1 - first
            if len(crossed):
                counts[crossed] = _one_by_one(of[crossed], at[crossed], after[crossed], places[crossed])
            whole = (groups >= 0).astype(np.int64)
            whole[places] = counts + runs.count(series, of, after, at)
            found[window] = whole
        return entries

    def forget(self, runs: Runs, series: int) -> None:
        """Drops the numbers of groups that have no entries any more, once they are most of them."""
        if len(self._groups) > self._most:
            self._groups.keep(runs.groups(series))
            self._most = max(2 * len(self._groups), _NEVER_RARE)

    def _numbers(self, messages: Hashed) -> tuple[Ints, Flags]:
        """Each message's group, -1 for none; and whether it is known to be that group's only one."""
        numbers, is_alone = self._groups.of(messages.groups(self._counted, self._key))
        if self._groups.made > MOST_GROUPS:
            raise OverflowError(_TOO_MANY)
        if self._counted is Counted.SAME:
            numbers[messages.values[self._key] == NONE] = -1
        return numbers, is_alone


def _crossed(groups: Ints, places: Ints) -> Ints:
    """Where groups stand whose messages did not come in order of time. In order of group and time."""
    is_crossing = (groups[1:] == groups[:-1]) & (places[1:] < places[:-1])
    return np.flatnonzero(np.isin(groups, groups[1:][is_crossing])) if is_crossing.any() else np.empty(0, np.int64)


def _one_by_one(groups: Ints, at: Ints, after: Ints, places: Ints) -> Ints:
    """Counts for messages out of order: of each group those in `(after, at]` that came before, and itself."""
    counts = np.empty(len(places), np.int64)
    order = np.lexsort((places, groups))
    group, seen = -1, list[int]()
    for place, one, low, high in zip(order, groups[order], after[order], at[order].tolist(), strict=True):
        if one != group:
            group, seen = one, []
        insort(seen, high)
        counts[place] = bisect_right(seen, high) - bisect_right(seen, low)
    return counts


def _stepped(series: Series, messages: Hashed, floors: Ints) -> Columns:
    """Counts as online, message by message."""
    rows: list[Counts] = []
    for trace, at, floor in zip(messages, messages.sent.tolist(), floors.tolist(), strict=True):
        counts: Counts = {}
        series.take(trace, at, floor, counts)
        rows.append(counts)
    return {window: _column(window, [row[window] for row in rows]) for window in rows[0]} if rows else {}


def _column(window: Window, counts: Sequence[int | float]) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
    return np.array(counts, np.float64) if window.counted is Counted.TOTAL else np.array(counts, np.int64)
