"""A witness: checks that a log only ever grows, keeps what it saw, and only then vouches for it."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from comity.ledger.cosignature import CosigningKey
from comity.ledger.note import VerifierKey, countersigned, parse_note
from comity.ledger.witness import demand_next, parse_request, trusted_checkpoint
from comity.ports import Clock, Cosigned, StoreError, WitnessState

_SET_BACK: Final = 60
"""By how many seconds a clock may be set back before the witness asks for it to be looked at."""


class Witness:
    """Vouches for `logs`, keys by origin."""

    def __init__(self, logs: Mapping[str, VerifierKey], key: CosigningKey, state: WitnessState, clock: Clock) -> None:
        self._logs, self._key, self._state, self._clock = logs, key, state, clock
        self._origins = {sha256(origin.encode()).hexdigest(): origin for origin in logs}

    def add_checkpoint(self, body: bytes) -> bytes:
        """The cosignature's line. Raises `RefusedError`, or `StoreError` when nothing can be kept."""
        request = parse_request(body)
        checkpoint, note = trusted_checkpoint(request.checkpoint, self._logs)

        def next_(latest: Cosigned | None) -> Cosigned:
            demand_next(request, checkpoint, latest.checkpoint if latest else None)
            return Cosigned(checkpoint=checkpoint, at=self._time(latest), note=bytes(note))

        # INVARIANT: what was seen is durable before the cosignature is made.
        seen = self._state.advance(checkpoint.origin, next_)
        return str(self._key.cosign(checkpoint.text, seen.at)).encode()

    def latest(self, hash_: str) -> bytes | None:
        """The last checkpoint that was cosigned of the log with this SHA-256 of its origin, with the cosignature.

        None: it is no known log, or none was.
        """
        origin = self._origins.get(hash_)
        seen = None if origin is None else self._state.latest(origin)
        if seen is None:
            return None
        return countersigned(seen.note, [self._key.cosign(parse_note(seen.note).text, seen.at)])

    def _time(self, latest: Cosigned | None) -> int:
        """Now; two cosignatures would contradict each other if the one for the larger tree were of an earlier time."""
        now, last = int(self._clock.now().timestamp()), latest.at if latest else 0
        if last - now > _SET_BACK:
            raise StoreError(
                f"the clock is {last - now} seconds behind the last cosignature for this log; set the clock right"
            )
        return max(now, last)
