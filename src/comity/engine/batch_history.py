"""Windows counted for many messages at once, by sort and search: the same counts as `History`, several times quicker.

Messages come as columns (`Traces`, or `Hashed` from archives), part by part in intake order; what the widest window
still needs is carried over, so memory is flat in the length of the archive. Counts of messages are found by searching
(see `runs`); distinct members and sums are counted as online; breaches and notices one message after the other, as they
are recorded.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from comity.engine.hashed import NONE, Hashed, Numbers
from comity.engine.lateness import Newest, microseconds, reached, since_epoch
from comity.engine.runs import MOST_GROUPS, Flags, Ints, Run, Runs, entry, ranks_of
from comity.engine.series import EVENTS, Counts, Events, Series, series_of
from comity.engine.trace import Traces
from comity.engine.windows import Counted, Window
from comity.model.ids import AccountId, ClauseId

Columns = dict[Window, npt.NDArray[np.int64] | npt.NDArray[np.float64]]

_SEARCHED: Final = (Counted.MESSAGES, Counted.COPIES, Counted.TEXT_COPIES, Counted.SAME)
_NEVER_RARE: Final = 65_536
"""Group numbers that are kept without asking whether they are still of use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallied:
    """The counts of one part's messages, by window, and which of them came too late. Breaches and notices excepted."""

    counts: Columns
    late: Flags

    def rows(self) -> list[Counts]:
        """The counts message by message."""
        windows = tuple(self.counts)
        if not windows:
            return [{} for _ in range(len(self.late))]
        return [
            dict(zip(windows, row, strict=True))
            for row in zip(*(of.tolist() for of in self.counts.values()), strict=True)
        ]


class BatchHistory:
    """The running counts of one archive. Not safe to share between threads."""

    def __init__(self, windows: Iterable[Window], *, lateness: timedelta) -> None:
        windows = tuple(dict.fromkeys(windows))
        self.horizon: Final = max((window.within for window in windows), default=timedelta()) + lateness
        """How far back from the newest `sent` anything is kept."""
        self._kept = microseconds(self.horizon)
        self._newest = Newest(microseconds(lateness))
        self._floor = 0
        self._windows = windows
        self._events = {counted: Events(of) for (counted, _), of in _by_kind(windows) if counted in EVENTS}
        kinds = [(counted, key, of) for (counted, key), of in _by_kind(windows) if counted not in EVENTS]
        self._searched = [_Searched(counted, key, of) for counted, key, of in kinds if counted in _SEARCHED]
        self._stepped = [series_of(counted, key, of) for counted, key, of in kinds if counted not in _SEARCHED]
        self._runs = Runs()

    @property
    def reads_events(self) -> bool:
        """Whether windows count breaches or notices, so that messages have to be judged one after the other."""
        return bool(self._events)

    def take(self, traces: Traces | Hashed) -> Tallied:
        """The counts of all windows but those of breaches and notices, for the next part of the stream.

        One stream comes as the one or as the other.
        """
        floors, late = self._times(traces.sent)
        return self._tallied(traces, floors, late)

    def judging(self, traces: Traces) -> Iterator[tuple[Counts, bool]]:
        """For each message all counts, and whether it came too late; breaches told in between count for the next."""
        floors, late = self._times(traces.sent)
        tallied = self._tallied(traces, floors, late)
        rows = zip(
            tallied.rows(), traces.authors, traces.sent.tolist(), floors.tolist(), tallied.late.tolist(), strict=True
        )
        for counts, author, at, floor, is_late in rows:
            self._floor = floor
            for events in self._events.values():
                events.count(author, at, floor, counts)
            yield counts, is_late

    def breach(self, account: AccountId, clause: ClauseId, recorded: datetime) -> None:
        """A decision confirmed that the account breached the clause; told before the next message is judged."""
        self._happened(Counted.BREACHES, account, clause, recorded)

    def notice(self, account: AccountId, clause: ClauseId, recorded: datetime) -> None:
        """A reviewer upheld a notice about the account under the clause; told before the next message is judged."""
        self._happened(Counted.NOTICES, account, clause, recorded)

    def _happened(self, counted: Counted, account: AccountId, clause: ClauseId, recorded: datetime) -> None:
        if counted in self._events:
            self._events[counted].add(account, clause, since_epoch(recorded), self._floor)

    def __len__(self) -> int:
        """How many entries are kept, over all windows."""
        return len(self._runs) + sum(map(len, self._stepped)) + sum(map(len, self._events.values()))

    def _times(self, sent: Ints) -> tuple[Ints, Flags]:
        """For each message what may be forgotten when it is taken, and whether it came too late."""
        newest = reached(self._newest, sent)
        return newest[1:] - self._kept, sent < newest[:-1] - self._newest.lateness

    def _tallied(self, traces: Traces | Hashed, floors: Ints, late: Flags) -> Tallied:
        found: Columns = {}
        part = _Part(traces.sent, floors)
        entries = []
        for number, series in enumerate(self._searched):
            entries.append(series.take(traces, part, self._runs, number, found))
        if self._searched and len(traces.sent):
            self._runs.add(Run(times=part.times, entries=tuple(entries)), int(floors[-1]))
            for number, series in enumerate(self._searched):
                series.forget(self._runs, number)
        for stepped in self._stepped:
            found.update(_stepped(stepped, traces, floors))
        ordered = {window: found[window] for window in self._windows if window in found}
        return Tallied(counts=ordered, late=late)


def _by_kind(windows: Iterable[Window]) -> list[tuple[tuple[Counted, str], list[Window]]]:
    kinds: dict[tuple[Counted, str], list[Window]] = {}
    for window in windows:
        kinds.setdefault((window.counted, "" if window.counted in EVENTS else window.key), []).append(window)
    return list(kinds.items())


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


class _Groups(dict[Hashable, int]):
    """Numbers for groups, given as they come."""

    made = 0

    def __missing__(self, group: Hashable) -> int:
        if self.made >= MOST_GROUPS:
            raise OverflowError(_TOO_MANY)
        number = self[group] = self.made
        self.made += 1
        return number

    def keep(self, live: Ints) -> None:
        """Drops all numbers but these."""
        numbers = np.fromiter(self.values(), np.int64, len(self))
        kept = [pair for pair, is_live in zip(self.items(), np.isin(numbers, live).tolist(), strict=True) if is_live]
        self.clear()
        self.update(kept)


class _Searched:
    """The windows that count the same messages of a group over different times."""

    def __init__(self, counted: Counted, key: str, windows: Iterable[Window]) -> None:
        self._counted = counted
        self._key = key
        self._windows = [(window, microseconds(window.within)) for window in windows]
        self._groups = _Groups()
        self._hashes = Numbers()
        self._most = _NEVER_RARE

    def take(self, traces: Traces | Hashed, part: _Part, runs: Runs, series: int, found: Columns) -> Ints:
        """The entries of this part; its counts are put into `found`."""
        groups, is_alone = self._numbers(traces)
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
        if len(self._groups) + len(self._hashes) > self._most:
            live = runs.groups(series)
            self._groups.keep(live)
            self._hashes.keep(live)
            self._most = max(2 * (len(self._groups) + len(self._hashes)), _NEVER_RARE)

    def _numbers(self, traces: Traces | Hashed) -> tuple[Ints, Flags]:
        """Each message's group, -1 for none; and whether it is known to be that group's only one."""
        if isinstance(traces, Hashed):
            return self._numbers_of_hashes(traces)
        values = traces.values.get(self._key, ())
        groups: Iterable[Hashable]
        match self._counted:
            case Counted.MESSAGES:
                groups = traces.authors
            case Counted.TEXT_COPIES:
                groups = traces.texts
            case Counted.COPIES:
                groups = zip(traces.authors, traces.texts, strict=True)
            case _:
                groups = zip(traces.authors, values, strict=True)
        numbers = np.fromiter(map(self._groups.__getitem__, groups), np.int64, len(traces.sent))
        if self._counted is Counted.SAME:
            numbers[np.fromiter((not value for value in values), np.bool_, len(numbers))] = -1
        return numbers, np.zeros(len(numbers), dtype=np.bool_)

    def _numbers_of_hashes(self, traces: Hashed) -> tuple[Ints, Flags]:
        numbers, is_alone = self._hashes.of(traces.groups(self._counted, self._key))
        if self._hashes.made > MOST_GROUPS:
            raise OverflowError(_TOO_MANY)
        if self._counted is Counted.SAME:
            numbers[traces.values[self._key] == NONE] = -1
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


def _stepped(series: Series, traces: Traces | Hashed, floors: Ints) -> Columns:
    """Counts as online, message by message."""
    rows: list[Counts] = []
    for trace, at, floor in zip(traces, traces.sent.tolist(), floors.tolist(), strict=True):
        counts: Counts = {}
        series.take(trace, at, floor, counts)
        rows.append(counts)
    return {window: _column(window, [row[window] for row in rows]) for window in rows[0]} if rows else {}


def _column(window: Window, counts: Sequence[int | float]) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
    return np.array(counts, np.float64) if window.counted is Counted.TOTAL else np.array(counts, np.int64)
