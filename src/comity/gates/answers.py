"""What a gate is told about one attempt to communicate, and what it does when it cannot know."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from comity.model.ids import DecisionId


class Allow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Let it pass. `is_stale`: the centre has been away for too long, and this account was not known to be cut."""

    is_stale: bool = False


class Limited(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Let pass as much as `limit` says: a rate such as `3 an hour`, or `reach` or `hold`."""

    limit: str
    statement: DecisionId
    reason: str
    until: datetime | None
    link: str


class Deny(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Refuse it, and say why, until when, and which statement gives the reasons. `link` leads there; or is empty."""

    statement: DecisionId
    reason: str
    until: datetime | None
    link: str


class Unavailable(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Nothing can be said: answer with a temporary error of the protocol's own kind."""

    reason: str


Answer = Allow | Limited | Deny | Unavailable


class WhenStale(StrEnum):
    """What becomes of accounts that are not known to be restricted, while the centre is away for too long."""

    OPEN = "open"
    CLOSED = "closed"
