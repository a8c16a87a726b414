"""What all plans of a feed amount to, so that a gate can tell that it has just those: a sum of SHA-256, modulo 2^256.

Each part is over the canonical JSON (RFC 8785) of account, channel, handles and plan; an empty plan adds nothing.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Final

import msgspec

from comity.model.plan import Planned

MODULUS: Final = 1 << 256
_SORTED: Final = msgspec.json.Encoder(order="sorted")  # canonical for these: strings, and keys in ASCII


def plan_digest(planned: Planned | None) -> int:
    """What one account's plan on one channel adds to the sum."""
    if planned is None or not planned.plan:
        return 0
    value = {
        "account": planned.account,
        "channel": planned.channel,
        "handles": [[each.handle, _time(each.start), _time(each.until)] for each in planned.handles],
        "plan": [
            {
                "state": span.state.value,
                "start": _time(span.start),
                "until": _time(span.until),
                "limit": span.limit,
                "condition": list(span.condition),
                "statement": span.statement,
                "reason": span.reason,
            }
            for span in planned.plan
        ],
    }
    return int.from_bytes(sha256(_SORTED.encode(value)).digest(), "big")


def exchanged(total: int, old: int, new: int) -> int:
    """The sum with one part exchanged for another."""
    return (total - old + new) % MODULUS


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
