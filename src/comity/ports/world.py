"""The clock, chance, and the two lists beside the record: machines' tokens and gates' acknowledgements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from comity.model.access import GateAck, Token


class GateAcks(Protocol):
    """What gates have acknowledged lately."""

    def add(self, ack: GateAck) -> None:
        """Keep it, beside the last ones of the same gate."""

    def every(self) -> Sequence[GateAck]:
        """The last one of each gate, by the gates' names."""

    def first_after(self, gate: str, seq: int) -> GateAck | None:
        """The first with which that gate had applied the change `seq`."""


class Tokens(Protocol):
    """The tokens that machines may bring."""

    def find(self, hashed: bytes, at: datetime) -> Token | None:
        """The token whose secret has that SHA-256, unless it has expired by `at` or was revoked."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, aware UTC."""


class Entropy(Protocol):
    def token(self, length: int) -> bytes:
        """Fresh random bytes that nobody can guess."""
