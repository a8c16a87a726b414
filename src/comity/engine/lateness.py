"""How far time has come in a stream of messages: what is late, what may be forgotten, and whose clock is wrong.

Messages say themselves when they were sent. Time goes on with them, but one message that is dated more than `lateness`
after all others moves nothing until another agrees: a wrong clock, or a forged date in the year 2090, would make all
that follow late and empty their windows. Late messages neither confirm nor refute. What is not marked late has exact
windows, for nothing that they reach is forgotten.

Where there is a clock, a message is held against it too (see `believed`), which bounds what is dated ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from comity.engine.tallies import EARLIEST

Ints = npt.NDArray[np.int64]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
_FIRST: Final = 8


def microseconds(span: timedelta) -> int:
    return span // MICROSECOND


def since_epoch(at: datetime) -> int:
    """Whole microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def believed(sent: datetime, taken: datetime, lateness: timedelta) -> datetime:
    """When a message taken in at `taken` counts as sent: its clock is not believed further ahead than `lateness`."""
    return taken if sent > taken + lateness else sent


class Newest:
    """The newest time that a stream has reached, in microseconds since 1970."""

    __slots__ = ("at", "claimed", "lateness")

    def __init__(self, lateness: int, *, at: int = EARLIEST, claimed: int | None = None) -> None:
        self.lateness: Final = lateness
        self.at = at
        self.claimed = claimed
        """What one message dated ahead says; it holds when another agrees."""

    def take(self, at: int) -> bool:
        """Time goes on with a message; whether it came too late."""
        if self.at <= at <= self.at + self.lateness:
            self.at, self.claimed = at, None
            return False
        is_late = at < self.at - self.lateness
        if at > self.at + self.lateness:
            self._claim(at)
        elif not is_late:
            self.at = max(self.at, at)
            self.claimed = None
        return is_late

    def take_all(self, times: Iterable[int]) -> Iterator[int]:
        """The newest time after each message."""
        for at in times:
            self.take(at)
            yield self.at

    def _claim(self, at: int) -> None:
        """Two that are dated ahead agree on the earlier; if the second is earlier by far, it is the one to be asked."""
        if self.claimed is not None and at >= self.claimed - self.lateness:
            self.at = min(self.claimed, at)
        is_ahead = at > self.at + self.lateness
        self.claimed = at if is_ahead else None
        self.at = self.at if is_ahead else max(self.at, at)


def reached(newest: Newest, sent: Ints) -> Ints:
    """The newest time before all, and after each of the messages."""
    times = _in_step(newest, sent)
    if times is not None:
        return times
    before = [newest.at, *newest.take_all(sent[:_FIRST].tolist())]  # mostly the first of all: that is ahead of nothing
    rest = _in_step(newest, sent[_FIRST:])
    if rest is None:
        rest = np.array([newest.at, *newest.take_all(sent[_FIRST:].tolist())], np.int64)
    return np.append(np.array(before[:-1], np.int64), rest)


def _in_step(newest: Newest, sent: Ints) -> Ints | None:
    """The same where no message is dated ahead of the others; None, and nothing is taken, where one is."""
    times = np.maximum.accumulate(np.concatenate(([newest.at], sent)))
    if (np.diff(times) > newest.lateness).any():
        return None
    if (sent >= times[:-1] - newest.lateness).any():
        newest.claimed = None
    newest.at = int(times[-1])
    return times
