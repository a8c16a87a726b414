"""What a gate is told of one account on one channel: the states from now on, in order of time and without overlap.

A plan holds by itself: whoever has it knows without asking when a state begins and when it ends.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.model.ids import AccountId, Channel, DecisionId
from comity.model.measure import State


class Span(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The account is `limited` or `cut` from `start` until `until` (None: no fixed end), as `statement` says.

    `limit`: what a limited account still may: `3 an hour`, or `reach` or `hold` by name. `condition`: what ends it
    besides. `reason`: the clauses, by their titles in the agreement; nothing that the account wrote.
    """

    state: State
    start: datetime
    until: datetime | None = None
    limit: str | None = None
    condition: tuple[str, ...] = ()
    statement: DecisionId
    reason: str

    def covers(self, at: datetime) -> bool:
        return self.start <= at and (self.until is None or at < self.until)


Plan = tuple[Span, ...]
"""Empty: open."""


class Called(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the channel calls the account, from `start` until `until` (None: further notice)."""

    handle: str
    start: datetime
    until: datetime | None = None


class Planned(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The plan of one account on one channel, and what it is called there. Without handles it is the account's id."""

    account: AccountId
    channel: Channel
    handles: tuple[Called, ...] = ()
    plan: Plan = ()
