"""Windows counted as messages come in: exact, ties and messages out of order included, in bounded memory.

A window counts the messages taken in up to and including this one, in intake order, whose `sent` lies in
`(sent - within, sent]`. Kept is what lies within `horizon` (the widest window and `lateness`) of the newest `sent`.
A message later than `lateness` is counted over what is still known, which depends on nothing but the messages.
Breaches and notices count from when they were recorded, if that was later than `sent - within`.

The state is rebuilt by feeding it the stored traces in intake order (`refill` spares those that no window reaches any
more), and the recorded breaches and notices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime, timedelta
from typing import Final

from comity.engine import snapshots
from comity.engine.lateness import EPOCH, Newest, microseconds, reached, since_epoch
from comity.engine.series import EVENTS, Counts, Events, Series, series_of
from comity.engine.tallies import EARLIEST
from comity.engine.trace import Trace, Traces
from comity.engine.windows import Counted, Window
from comity.model.ids import AccountId, ClauseId


class History:
    """The running counts of one store. Not safe to share between threads."""

    def __init__(self, windows: Iterable[Window], *, lateness: timedelta) -> None:
        windows = tuple(dict.fromkeys(windows))
        widest = max((window.within for window in windows), default=timedelta())
        self.horizon: Final = widest + lateness
        """How far back from the newest `sent` anything is kept."""
        self._windows = windows
        self._lateness = lateness
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

    def take_all(self, traces: Traces) -> tuple[dict[Window, list[int | float]], list[bool]]:
        """What `take` says of each of these messages in turn, as columns; told meanwhile is no breach and no notice."""
        newest = reached(self._newest, traces.sent)
        floors = newest[1:] - self._kept
        columns: dict[Window, list[int | float]] = {}
        for series in self._series:
            series.take_all(traces, floors, columns)
        for events in self._events.values():
            events.count_all(traces, floors, columns)
        late: list[bool] = (traces.sent < newest[:-1] - self._newest.lateness).tolist()
        return columns, late

    def would_take(self, trace: Trace) -> tuple[Mapping[Window, int | float], bool]:
        """What `take` would say now; nothing is taken."""
        aside = copy(self)
        aside._newest = copy(self._newest)
        aside._series = [series.aside(trace) for series in self._series]
        return aside.take(trace)

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

    def snapshot(self) -> bytes:
        """All that is known, for `restore`: a history of the same windows goes on from it as this one would."""
        return snapshots.written(
            snapshots.Snapshot(
                windows=snapshots.digest_of(self._windows, self._newest.lateness),
                newest=self._newest.at,
                claimed=self._newest.claimed,
                series=[series.saved() for series in self._every()],
            )
        )

    def restore(self, content: bytes) -> None:
        """Go on from a snapshot, in place of all that is known.

        Raises `SnapshotError` if it is none, is damaged, or is of other windows; then nothing is changed.
        """
        read = snapshots.read(content, snapshots.digest_of(self._windows, self._newest.lateness))
        fresh = History(self._windows, lateness=self._lateness)
        snapshots.fill(fresh._every(), read)
        fresh._newest = Newest(self._newest.lateness, at=read.newest, claimed=read.claimed)
        self._series, self._events, self._newest = fresh._series, fresh._events, fresh._newest

    def _every(self) -> list[Series | Events]:
        return [*self._series, *self._events.values()]

    def breach(self, account: AccountId, clause: ClauseId, recorded: datetime) -> None:
        """A decision confirmed that the account breached the clause; told before the next message is taken."""
        self._happened(Counted.BREACHES, account, clause, recorded)

    def notice(self, account: AccountId, clause: ClauseId, recorded: datetime) -> None:
        """A reviewer upheld a notice about the account under the clause; told before the next message is taken."""
        self._happened(Counted.NOTICES, account, clause, recorded)

    def _happened(self, counted: Counted, account: AccountId, clause: ClauseId, recorded: datetime) -> None:
        if counted in self._events:
            self._events[counted].add(account, clause, since_epoch(recorded), self._newest.at - self._kept)

    @property
    def groups(self) -> int:
        """How many groups of entries are kept: no more than there are entries, and known at once."""
        return sum(series.groups for series in self._every())

    def __len__(self) -> int:
        """How many entries are kept, over all windows. Takes a while: all groups are asked."""
        return sum(map(len, self._series)) + sum(map(len, self._events.values()))
