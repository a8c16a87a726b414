"""What the shell asks of the world. Each is made of something in `stores` or `app`, and of something else in tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import msgspec

from comity.casework.facts import Fact
from comity.ledger.commitment import Opening
from comity.model.agreement import SourceFile
from comity.model.ids import AccountId, DecisionId, Digest, MessageId
from comity.model.message import Message


class Outcome(StrEnum):
    """What became of a message at intake."""

    ALLOWED = "allowed"
    REMOVED = "removed"
    HELD = "held"
    REFUSED = "refused"  # its author was cut on the channel, so it was counted and not judged
    UNBOUND = "unbound"  # no version was in force when it was sent, so it was not judged


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a source is told about one message. `statement` is named whenever there is one."""

    message: MessageId
    outcome: Outcome
    clauses: tuple[str, ...] = ()
    statement: DecisionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A message taken in. `trace` is what history windows keep of it; the text is kept only with a finding."""

    message: Message
    trace: bytes
    answer: Answer
    keep_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A published version of the agreement and the time from which it is in force."""

    digest: Digest
    name: str
    effective: datetime
    files: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Everything that one transaction appends. `size` and `position` say what it was decided on.

    `size` is how many entries the ledger had, `position` how many facts the record had.
    """

    size: int
    position: int
    messages: Sequence[Taken] = ()
    facts: Sequence[Fact] = ()
    entries: Sequence[bytes] = ()
    openings: Sequence[Opening] = ()
    checkpoint: bytes = b""
    version: Version | None = None


class StoreError(Exception):
    """The store cannot do what was asked. The message says what happened and what to do next."""


class OvertakenError(StoreError):
    """Another writer appended first: read the store again and decide anew."""


class Store(Protocol):
    """Keeps what `append` was given, whole or not at all, durably before it returns."""

    def append(self, write: Write) -> None:
        """Raises `OvertakenError`, and keeps nothing, if the write was decided on what is no longer the whole record.

        That is: the ledger is not at `write.size`, the facts not at `write.position`, or a message was taken in before.
        """

    def versions(self) -> Sequence[Version]:
        """All published versions, first to last."""

    def facts_of(self, account: AccountId) -> Sequence[Fact]:
        """The account's facts, in the record's order."""

    def facts(self) -> Iterator[Fact]:
        """All facts, in the record's order."""

    def account_of(self, decision: DecisionId) -> AccountId | None:
        """Whose decision (and so statement) that is."""

    def answers(self, source: str, ids: Sequence[MessageId]) -> dict[MessageId, Answer]:
        """What was answered for those of the messages that were taken in before."""

    def message(self, source: str, message: MessageId) -> Message | None:
        """The message, if its text was kept."""

    def traces(self, within: timedelta) -> Iterator[bytes]:
        """The traces of the messages sent within that long of the newest, in intake order."""

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        """The ledger's entries of that half-open range."""

    def openings(self, entry: str) -> Sequence[Opening]:
        """The openings of the entry of that id."""

    @property
    def size(self) -> int:
        """How many entries the ledger has."""

    @property
    def position(self) -> int:
        """How many facts the record has."""

    @property
    def checkpoint(self) -> bytes:
        """The last signed checkpoint; empty before the first."""

    def close(self) -> None:
        """Give back what is held; a closed store is not used again."""


class PublishedLog(Protocol):
    """Where the ledger is published: a folder, or anything that a static file server can serve."""

    def publish(self, files: Iterable[tuple[str, bytes]], checkpoint: bytes) -> None:
        """Write the files durably, then the checkpoint that speaks of them. Raises `ForkError`."""

    def read(self, path: str) -> bytes | None:
        """A published file; None if there is none."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, aware UTC."""


class Entropy(Protocol):
    def token(self, length: int) -> bytes:
        """Fresh random bytes that nobody can guess."""
