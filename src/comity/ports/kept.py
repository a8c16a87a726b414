"""What a store takes and gives: answers, versions, snapshots, plans that were told, and one decision's write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec

from comity.casework.facts import Fact
from comity.ledger.commitment import Opening
from comity.model.agreement import SourceFile
from comity.model.ids import AccountId, Channel, DecisionId, Digest, MessageId
from comity.model.message import Message
from comity.model.plan import Planned

LARGEST_ATTACHMENT: Final = 10 << 20


class Outcome(StrEnum):
    """What became of a message at intake."""

    ALLOWED = "allowed"
    REMOVED = "removed"
    HELD = "held"
    REFUSED = "refused"  # its author was cut on the channel, so it was counted and not judged
    UNBOUND = "unbound"  # no version was in force when it was sent, so it was not judged
    ERASED = "erased"  # its author's data were erased since: it is not taken in again


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a source is told about one message. `statement` is named whenever there is one."""

    message: MessageId
    outcome: Outcome
    clauses: tuple[str, ...] = ()
    statement: DecisionId | None = None


class Taken(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message taken in. `trace` is what history windows keep of it; the text stays if `keep_text`."""

    message: Message
    trace: bytes
    answer: Answer
    keep_text: bool


class Version(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A published version of the agreement and the time from which it is in force."""

    digest: Digest
    name: str
    effective: datetime
    files: tuple[SourceFile, ...]


class Publication(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """That a version was published, when, and from when it is in force."""

    digest: Digest
    effective: datetime
    at: datetime


class Sender(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who sent a message, when, and what history windows keep of it: all that is left without its text."""

    account: AccountId
    sent: datetime
    trace: bytes


class Kept(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message whose body is still kept. Until when, is for the terms of retention to say."""

    source: str
    id: MessageId
    account: AccountId
    sent: datetime


class Owned(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An opening, and the account whose data it shows: with the account's data it is erased."""

    account: AccountId
    opening: Opening


class Attachment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file that came with an appeal or a notice, kept for `account` under the SHA-256 of its content."""

    account: AccountId
    content: bytes

    def __post_init__(self) -> None:
        """Raises `StoreError` for more than any store keeps."""
        if len(self.content) > LARGEST_ATTACHMENT:
            raise StoreError(f"an attachment has {len(self.content)} bytes; at most {LARGEST_ATTACHMENT} are kept")

    @property
    def digest(self) -> Digest:
        return Digest("sha256:" + sha256(self.content).hexdigest())


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Running state as it was after the first `messages` messages and `position` facts of the record."""

    content: bytes
    messages: int
    position: int


class Running(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a write leaves of the running state, so that the next start need not read everything; the last is kept.

    `restricted` names accounts of which a measure on channels may hold from now on, `released` those of which none
    does, `reached` the time that messages have come to, and `snapshot` is the state of the windows after this write.
    """

    restricted: Sequence[AccountId] = ()
    released: Sequence[AccountId] = ()
    reached: datetime | None = None
    snapshot: bytes | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry of the gates' feed: the `row`-th thing that gates know. `planned` None: its account was erased.

    `seq`: the change that this was, or, of all entries, 0.
    """

    seq: int = 0
    row: int
    planned: Planned | None


class Entered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the ledger has of a decision: its `entry`, at `index`, and the openings of it, in no telling order."""

    index: int
    entry: bytes
    openings: tuple[Opening, ...]


class Feed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where the gates' feed stands. `epoch` names its life; `first` and `cursor` are its oldest kept and last change.

    `totals`: of each channel how many plans are not empty, and what their digests add up to.
    """

    epoch: str
    first: int
    cursor: int
    totals: Mapping[Channel, tuple[int, int]]


class Write(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything that one transaction appends. `size`, `position` and `erasures` say what it was decided on.

    `planned` is what gates are to know from now on; what they know already makes no change of the feed.
    `genesis` takes the place of the ledger's first entry: from now on it is another log, and gates begin anew.
    `size` is how many entries the ledger had, `position` how many facts the record had, and `erasures` how many of its
    accounts were erased (None: nothing was read of any account). `erased` names the statements
    whose erasure is among `entries`. `head` is what goes on with the ledger without reading it all; the last is kept.
    `published`: when `version` is; it takes a place in the record then, after the facts.
    """

    size: int
    position: int
    erasures: int | None = None
    messages: Sequence[Taken] = ()
    facts: Sequence[Fact] = ()
    entries: Sequence[bytes] = ()
    genesis: bytes = b""
    openings: Sequence[Owned] = ()
    attachments: Sequence[Attachment] = ()
    erased: Sequence[DecisionId] = ()
    checkpoint: bytes = b""
    head: bytes = b""
    running: Running = Running()
    planned: Sequence[Planned] = ()
    version: Version | None = None
    published: datetime | None = None


class StoreError(Exception):
    """The store cannot do what was asked. The message says what happened and what to do next."""


class OvertakenError(StoreError):
    """Another writer appended first: read the store again and decide anew."""
