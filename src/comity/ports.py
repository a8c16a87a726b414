"""What the shell asks of the world. Each is made of something in `stores` or `app`, and of something else in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final, Protocol

import msgspec

from comity.casework.facts import Fact
from comity.ledger.checkpoint import Checkpoint
from comity.ledger.commitment import Opening
from comity.model.access import GateAck, Token
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
    """A message taken in. `trace` is what history windows keep of it; the text is kept only with a finding."""

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


class StoreError(Exception):
    """The store cannot do what was asked. The message says what happened and what to do next."""


class OvertakenError(StoreError):
    """Another writer appended first: read the store again and decide anew."""


class Store(Protocol):
    """Keeps what `append` was given, whole or not at all, durably before it returns; and erases an account's data."""

    def append(self, write: Write) -> None:
        """Raises `OvertakenError`, and keeps nothing, if the write was decided on what is no longer the whole record.

        That is: the ledger is not at `write.size`, the facts not at `write.position`, an account was erased since
        `write.erasures`, or a message was taken in before.
        """

    def erase(self, account: AccountId, *, keep_hash: bool = False, position: int | None = None) -> None:
        """Make everything kept of the account unreadable for good. What it may still be needed for is not asked here.

        Its facts and ids keep their places, empty. Its statements are `pending_erasures` then. `keep_hash`: the store
        can still say `was_terminated` of it. Raises `OvertakenError`, and erases nothing, if the record no longer has
        the `position` facts that it was decided on.
        """

    def forget_messages(self, messages: Iterable[tuple[str, MessageId]]) -> None:
        """Delete the bodies of these messages, each named by source and id."""

    def versions(self) -> Sequence[Version]:
        """All published versions, first to last."""

    def facts_of(self, account: AccountId) -> Sequence[Fact]:
        """The account's facts, in the record's order."""

    def facts(
        self, kinds: Sequence[type[Fact]] = (), *, after: int = 0, since: datetime | None = None
    ) -> Iterator[Fact]:
        """The facts, erased ones left out, in the record's order.

        Only those of `kinds` (none: all), not of the first `after` positions, not from before `since`.
        """

    def account_of(self, id_: str) -> AccountId | None:
        """Whose decision (and so statement), case, appeal or notice that is."""

    def is_erased(self, id_: str) -> bool:
        """Whether it was a decision, case, appeal or notice of an account whose data were erased."""

    def waiting(self) -> Iterator[tuple[str, AccountId]]:
        """Cases and appeals opened and not yet closed, the longest waiting first."""

    def handle_holders(self, channel: Channel, handle: str) -> Sequence[AccountId]:
        """The accounts that ever had the handle, first to last."""

    def restricted(self) -> Iterator[AccountId]:
        """The accounts of which a measure on channels may hold; without this one asks all of them."""

    def told(self) -> Iterator[Told]:
        """What gates are to know: all plans that are not empty."""

    def changes(self, after: int) -> Iterator[Told]:
        """The feed's changes after that one, without gaps; each with what is planned now."""

    @property
    def feed(self) -> Feed:
        """Kept with each change in the same transaction."""

    def last_change(self, account: AccountId, channel: Channel) -> tuple[int, datetime] | None:
        """The number of the feed's last change of that plan, and when it was committed."""

    def at_once(self) -> AbstractContextManager[None]:
        """What is read inside is of one moment."""

    def was_terminated(self, account: AccountId) -> bool:
        """Whether the account was erased with `keep_hash`."""

    def pending_erasures(self) -> Sequence[DecisionId]:
        """The statements that were erased and have no erasure entry yet, in no telling order."""

    def answers(self, source: str, ids: Sequence[MessageId]) -> dict[MessageId, Answer]:
        """What was answered for those of the messages that were taken in before."""

    def message(self, source: str, message: MessageId) -> Message | None:
        """The message, if its text was kept."""

    def kept_messages(self) -> Iterator[Kept]:
        """The messages of which the text is kept, in intake order."""

    def attachment(self, account: AccountId, digest: Digest) -> bytes | None:
        """The content of one of the account's attachments."""

    def traces(self, *, after: int = 0, since: datetime | None = None) -> Iterator[bytes]:
        """The traces of messages in intake order: not of the first `after`, nor of those sent before `since`."""

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        """The ledger's entries of that half-open range."""

    def entry_index(self, id_: str) -> int | None:
        """Where in the ledger the entry of that id stands."""

    def openings(self, entry: str) -> Sequence[Opening]:
        """The openings of the entry of that id."""

    @property
    def size(self) -> int:
        """How many entries the ledger has."""

    @property
    def position(self) -> int:
        """How many facts the record has."""

    @property
    def erasures(self) -> int:
        """How often an account was erased."""

    @property
    def checkpoint(self) -> bytes:
        """The last signed checkpoint; empty before the first."""

    @property
    def head(self) -> bytes:
        """The last `Write.head`; empty before the first."""

    @property
    def reached(self) -> datetime | None:
        """The last `Running.reached`."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The last snapshot; None before the first, and after an erasure, since it may hold what was erased."""

    def turn(self) -> AbstractContextManager[bool]:
        """Nobody else writes meanwhile. True: somebody has, since the last turn: decide on what is there now."""

    def was_changed(self) -> bool:
        """Whether another program has written since this was asked last; asked often, so it is cheap."""

    def close(self) -> None:
        """Give back what is held; a closed store is not used again."""


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
