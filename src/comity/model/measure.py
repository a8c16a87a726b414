"""Measures and the standing that follows from them: predicates over time, so that nothing must run for them to end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from comity.model.clause import Kind, Rate
from comity.model.duration import Duration
from comity.model.ids import AccountId, Channel, DecisionId


class Pause(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A time in which a measure does not hold, because its appeal waits too long. `end` None: it still waits."""

    start: datetime
    end: datetime | None = None

    def covers(self, at: datetime) -> bool:
        return self.start <= at and (self.end is None or at < self.end)


class Measure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one decision does to one account. Made by `casework`, never by hand.

    `start` is None until a delayed measure's statement is delivered; `end` is None while it lasts until
    lifted or until its conditions are met. `casework.recorded` fills in both, and `pauses`, as the facts arrive.
    """

    account: AccountId
    decision: DecisionId  # the statement has the same id
    kind: Kind
    channels: tuple[Channel, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    rate: Rate | None = None
    length: Duration | None = None
    most: Duration | None = None  # the end of the ladder's range, when it gave one
    until: tuple[str, ...] = ()
    at_least: Duration | None = None
    delay: Duration | None = None
    not_after: datetime | None = None  # whatever else it lasts until: a later act let it end by then
    territory: tuple[str, ...] = ()  # ISO 3166 countries in which a message is removed or marked; none: everywhere
    pauses: tuple[Pause, ...] = ()

    def is_active(self, at: datetime) -> bool:
        """Whether the measure holds at `at`."""
        has_begun = self.start is not None and self.start <= at
        return has_begun and not self.is_over(at) and not (self.pauses and self.is_paused(at))

    def is_paused(self, at: datetime) -> bool:
        return any(pause.covers(at) for pause in self.pauses)

    def is_over(self, at: datetime) -> bool:
        """Whether the measure has ended by `at`; one that is still to start has not."""
        return self.end is not None and self.end <= at


class State(StrEnum):
    OPEN = "open"
    LIMITED = "limited"
    CUT = "cut"


class Standing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An account's state on one channel at one time: the strictest of its active measures (`by`)."""

    account: AccountId
    channel: Channel
    at: datetime
    state: State = State.OPEN
    by: Measure | None = None
