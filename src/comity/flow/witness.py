"""A witness: checks that a log only ever grows, keeps what it saw, and only then vouches for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from comity.ledger.checkpoint import Checkpoint
from comity.ledger.cosignature import CosigningKey
from comity.ledger.note import VerifierKey
from comity.ledger.witness import AddCheckpoint, demand_next, parse_request, trusted_checkpoint
from comity.ports import Clock, Cosigned, StoreError, WitnessState

_SET_BACK: Final = 60
"""By how many seconds a clock may be set back before the witness asks for it to be looked at."""


class Witness:
    """Vouches for `logs`, keys by origin."""

    def __init__(self, logs: Mapping[str, VerifierKey], key: CosigningKey, state: WitnessState, clock: Clock) -> None:
        self._logs, self._key, self._state, self._clock = logs, key, state, clock

    def add_checkpoint(self, body: bytes) -> bytes:
        """The cosignature's line. Raises `RefusedError`, or `StoreError` when nothing can be kept."""
        request = parse_request(body)
        checkpoint = trusted_checkpoint(request.checkpoint, self._logs)
        # INVARIANT: what was seen is durable before the cosignature is made.
        seen = self._state.advance(checkpoint.origin, lambda latest: self._next(request, checkpoint, latest))
        return str(self._key.cosign(checkpoint.text, seen.at)).encode()

    def _next(self, request: AddCheckpoint, checkpoint: Checkpoint, latest: Cosigned | None) -> Cosigned:
        demand_next(request, checkpoint, latest.checkpoint if latest else None)
        now, last = int(self._clock.now().timestamp()), latest.at if latest else 0
        if last - now > _SET_BACK:
            raise StoreError(
                f"the clock is {last - now} seconds behind the last cosignature for this log; set the clock right"
            )
        # Two cosignatures would contradict each other if the one for the larger tree were of an earlier time.
        return Cosigned(checkpoint=checkpoint, at=max(now, last), note=request.checkpoint)
