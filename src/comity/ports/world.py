"""The clock, chance, and the lists beside the record: tokens, gates' acknowledgements, requests under keys, counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from comity.model.access import GateAck, Token, TokenId


class GateAcks(Protocol):
    """What gates have acknowledged lately."""

    def add(self, *acks: GateAck) -> None:
        """Keep them, beside the last ones of the same gate."""

    def every(self) -> Sequence[GateAck]:
        """The last one of each gate, by the gates' names."""

    def first_after(self, gate: str, seq: int) -> GateAck | None:
        """The first with which that gate had applied the change `seq`."""


class Tokens(Protocol):
    """The tokens that machines may bring."""

    def find(self, hashed: bytes, at: datetime) -> Token | None:
        """The token whose secret has that SHA-256, unless it has expired by `at` or was revoked."""


class Begun(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request that came under a key. `name` and `body`: keyed hashes of the key and of what came with it.

    `mark` says how the record stood before it was done; `answer` what was answered, None until that is known.
    """

    name: bytes
    body: bytes
    mark: str
    answer: bytes | None = None


class Counts(Protocol):
    """What was counted of the record, kept for the next start. It may be lost."""

    def read(self, name: str) -> bytes:
        """Empty: nothing is kept under that name."""

    def keep(self, name: str, content: bytes) -> None:
        """In the place of what was kept under it."""


class Replies(Protocol):
    """What was answered to requests that came under a key, for a while."""

    def begin(self, begun: Begun, at: datetime) -> Begun | None:
        """What is known under that name; None: nothing was, and from now on this is."""

    def end(self, name: bytes, answer: bytes) -> None:
        """It was done, and this was answered."""

    def drop(self, name: bytes) -> None:
        """It was not done: forget that it was asked for."""


class TokenList(Tokens, Protocol):
    """The same, for those who give them out."""

    def add(self, token: Token, hashed: bytes) -> None:
        """`hashed`: SHA-256 of its secret."""

    def every(self) -> Sequence[Token]:
        """All of them, expired ones too, oldest first."""

    def revoke(self, id_: TokenId) -> bool:
        """Refuse it from now on. False: there is no such token."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, aware UTC."""


class Entropy(Protocol):
    def token(self, length: int) -> bytes:
        """Fresh random bytes that nobody can guess."""
