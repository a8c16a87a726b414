"""What all plans of a feed amount to, so that a gate can tell that it has just those: a sum of SHA-256, modulo 2^256.

Each part is over the canonical JSON (RFC 8785) of account, channel, handles and plan; an empty plan adds nothing.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec

from comity.model.plan import Planned

MODULUS: Final = 1 << 256


class _Span(msgspec.Struct, gc=False):
    """Its fields stand in the order of their names, which makes its JSON canonical."""

    condition: tuple[str, ...]
    limit: str | None
    reason: str
    start: str | None
    state: str
    statement: str
    until: str | None


class _Part(msgspec.Struct, gc=False):
    """So do these."""

    account: str
    channel: str
    handles: list[tuple[str, str | None, str | None]]
    plan: list[_Span]


_ENCODER: Final = msgspec.json.Encoder()


def plan_digest(planned: Planned | None) -> int:
    """What one account's plan on one channel adds to the sum."""
    if planned is None or not planned.plan:
        return 0
    part = _Part(
        planned.account,
        planned.channel,
        [(each.handle, _time(each.start), _time(each.until)) for each in planned.handles],
        [
            _Span(
                span.condition,
                span.limit,
                span.reason,
                _time(span.start),
                span.state,
                span.statement,
                _time(span.until),
            )
            for span in planned.plan
        ],
    )
    return int.from_bytes(sha256(_ENCODER.encode(part)).digest(), "big")


def exchanged(total: int, old: int, new: int) -> int:
    """The sum with one part exchanged for another."""
    return (total - old + new) % MODULUS


@lru_cache(maxsize=1024)
def _time(at: datetime | None) -> str | None:
    """An account's plans on its channels have the same times."""
    return None if at is None else at.isoformat()
