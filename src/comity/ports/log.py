"""Where the ledger is published, and what its witnesses ask and answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from comity.ledger.checkpoint import Checkpoint


class PublishedLog(Protocol):
    """Where the ledger is published: a folder, or anything that a static file server can serve."""

    def publish(self, files: Iterable[tuple[str, bytes]], checkpoint: bytes) -> None:
        """Write the files durably, then the checkpoint that speaks of them. Raises `ForkError`."""

    def read(self, path: str) -> bytes | None:
        """A published file; None if there is none."""


class Cosigned(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The checkpoint that a witness cosigned last, when (seconds since 1970), and the note as its log signed it."""

    checkpoint: Checkpoint
    at: int
    note: bytes


class WitnessState(Protocol):
    """What a witness cosigned last of each log."""

    def latest(self, origin: str) -> Cosigned | None:
        """None: nothing of that log yet."""

    def advance(self, origin: str, step: Callable[[Cosigned | None], Cosigned]) -> Cosigned:
        """Keep what `step` makes of the latest, durably before it returns, with nobody else writing in between.

        What `step` raises leaves everything as it was. Raises `StoreError`.
        """


class Reply(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An answer over HTTP. `kind`: its media type, without parameters where another side sent it."""

    status: int
    kind: str
    body: bytes


class UnreachableError(Exception):
    """No answer: nobody there, too slow, too long, or no HTTP. The message says which."""


class WitnessLink(Protocol):
    """Reaches witnesses. An answer comes within a stated time, or not at all."""

    def post(self, url: str, body: bytes) -> Reply:
        """Raises `UnreachableError`."""


class CosignedLog(Protocol):
    """A published log to which cosignatures are added."""

    def read(self, path: str) -> bytes | None:
        """A published file; None if there is none."""

    def publish_cosigned(self, cosigned: bytes, *, is_valid: bool) -> bool:
        """Add signatures to the published checkpoint, if it still is this one (False: it is not), never rolling back.

        `is_valid`: it meets the log's policy, and is kept as such until a larger one does.
        """
