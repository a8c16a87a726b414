"""The feed that gates follow, as it is on the wire; and what makes a gate believe that an account is cut off.

A snapshot is one JSON object. A stream is lines of JSON: changes, each with the next number, and heartbeats; of changes
that are none of the gate's, of another channel, it is told how many there were. An entry
of the ledger names no account, so each span comes with the opening of its statement's `account` field: `demand_proven`
holds account, act, channel and end against the entry. In a stream a span brings its C2SP tlog-proof, with the entry
itself as the proof's extra data; in a snapshot it says only at which index the entry stands, in the published bundles.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from comity.ledger.alike import Alike
from comity.ledger.commitment import Opening
from comity.ledger.entry import EntryError, PublicMeasure, SealedEntry, StatementEntry, parse_entry
from comity.ledger.policy import Opener
from comity.ledger.sealed import unsealed
from comity.ledger.tlog_proof import parse_proof, verify_proof
from comity.ledger.tree import ProofError
from comity.model.ids import AccountId, Channel
from comity.model.measure import State
from comity.model.plan import Called, Planned, Span

LONGEST_LINE: Final = 1 << 20
"""The most bytes of a line that are read."""

_CUTS: Final = ("suspend", "terminate")
_LIMITS: Final = ("limit", "hold")
_ACCOUNT: Final = b'"account":"'  # in an entry only `c` has a field of this name
_DIGITS: Final = 64


class FeedError(ValueError):
    """What came is not a line of the feed, or not a snapshot; the message says what is wrong with it."""


class Unproven(Exception):  # noqa: N818 - it is no fault of the program that holds it
    """A span does not follow from the ledger; the message says why."""


class AccountOpening(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What shows that the `account` field of a span's entry is `value`."""

    salt: bytes
    value: AccountId


class EntryOpening(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """In the sealed profile: what shows that a span's entry commits to the entry `value`."""

    salt: bytes
    value: str


class ProvenSpan(Span, frozen=True, kw_only=True, gc=False):
    """A span with what proves it, and `link`, where the refused person reads why and how to appeal."""

    proof: str | None = None
    index: int | None = None
    opening: AccountOpening | None = None
    inside: EntryOpening | None = None
    link: str | None = None


class FeedEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a gate knows in its `row`-th place. `account` None: it was erased, so no byte of it may stay anywhere.

    `seq`: the change that this was; in a snapshot 0. `skips`: so many before it are none of the gate's.
    """

    seq: int = 0
    skips: int = 0
    row: int
    account: AccountId | None
    channel: Channel | None
    handles: tuple[Called, ...] = ()
    plan: tuple[ProvenSpan, ...] = ()

    @property
    def since(self) -> int:
        """The first change that it tells of."""
        return self.seq - self.skips

    @property
    def planned(self) -> Planned | None:
        """As the digest counts it."""
        if self.account is None or self.channel is None:
            return None
        return Planned(account=self.account, channel=self.channel, handles=self.handles, plan=self.plan)


class Skipped(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The changes from `since` to `seq`, the last so far, are none of this gate's."""

    since: int
    seq: int


Change = FeedEntry | Skipped


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """At the change `cursor` the plans add up to `digest` (64 hexadecimal digits); `now` is the centre's clock."""

    cursor: int
    digest: str
    now: datetime


class FeedSnapshot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything as of the change `cursor`. `checkpoint`: the signed one whose log has the entries' indices."""

    epoch: str
    cursor: int
    count: int
    digest: str
    checkpoint: str
    entries: tuple[FeedEntry, ...]


class _Line(msgspec.Struct):
    seq: int | None = None
    since: int | None = None


_ROW: Final = b'"row":'  # inside of a string its quotes would be escaped, so this is a change's name
_LINE: Final = msgspec.json.Decoder(_Line)
_CHANGE: Final = msgspec.json.Decoder(FeedEntry)
_SKIPPED: Final = msgspec.json.Decoder(Skipped)
_HEARTBEAT: Final = msgspec.json.Decoder(Heartbeat)
_SNAPSHOT: Final = msgspec.json.Decoder(FeedSnapshot)
_ENCODER: Final = msgspec.json.Encoder()


def encode_line(line: Change | Heartbeat) -> bytes:
    return _ENCODER.encode(line) + b"\n"


def decode_line(line: bytes) -> Change | Heartbeat:
    """Raises `FeedError`."""
    if len(line) > LONGEST_LINE:
        raise FeedError(f"a line of the feed has {len(line)} bytes, more than the {LONGEST_LINE} that are read")
    try:
        if _ROW in line:
            return _CHANGE.decode(line)
        looked_at = _LINE.decode(line)
        if looked_at.since is not None:
            return _SKIPPED.decode(line)
        return _HEARTBEAT.decode(line) if looked_at.seq is None else _CHANGE.decode(line)
    except msgspec.MsgspecError as error:
        raise FeedError(f"a line of the feed cannot be read: {error}") from error


def decode_entry(content: bytes) -> FeedEntry:
    """An entry as it stands in a snapshot. Raises `FeedError`."""
    try:
        return _CHANGE.decode(content)
    except msgspec.MsgspecError as error:
        raise FeedError(f"an entry of the snapshot cannot be read: {error}") from error


def encode_entry(entry: FeedEntry) -> bytes:
    """As it stands in a snapshot, between commas."""
    return _ENCODER.encode(entry)


def around(snapshot: FeedSnapshot) -> tuple[bytes, bytes]:
    """What comes before and after the entries of a snapshot that holds none yet."""
    content = _ENCODER.encode(snapshot)
    return content.removesuffix(b"]}"), b"]}"


def decode_snapshot(content: bytes) -> FeedSnapshot:
    """Raises `FeedError`."""
    try:
        return _SNAPSHOT.decode(content)
    except msgspec.MsgspecError as error:
        raise FeedError(f"the snapshot cannot be read: {error}") from error


def demand_in_log(span: ProvenSpan, policy: Opener) -> bytes:
    """The entry that the span's own proof shows to be in a log that `policy` trusts. Raises `Unproven`."""
    if span.proof is None:
        raise Unproven("it came without a proof")
    try:
        proof = parse_proof(span.proof.encode())
        entry = proof.extra or b""
        verify_proof(proof, entry, policy)
    except ProofError as error:
        raise Unproven(str(error)) from error
    return entry


class Said(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What statements say whose entries differ in digits alone. `account`: where in them its commitment begins."""

    account: int
    measures: tuple[PublicMeasure, ...]


def demand_proven(
    account: AccountId, channel: Channel, span: ProvenSpan, entry: bytes, alike: Alike[Said] | None = None
) -> None:
    """Hold the span against `entry`, which is in the log: the same statement, this account, no more than it says.

    Less needs no proof: a measure may have been shortened or made milder since. What `alike` knows is not read again.
    Raises `Unproven`.
    """
    entry_id, commitment, measures = _known(entry, alike) or _read(span, entry, alike)
    if entry_id != span.statement:
        raise Unproven("its entry is not that of its statement")
    opening = span.opening
    if opening is None:
        raise Unproven("it came without the opening of its entry's account")
    shown = Opening(entry_id=entry_id, field="account", salt=opening.salt, value=opening.value)
    if opening.value != account or not shown.fits(commitment):
        raise Unproven("its entry is about another account")
    if not any(_allows(measure, channel, span) for measure in measures):
        raise Unproven(f"its entry has no measure on {channel} that is as strict and lasts as long")


_Read = tuple[str, str, tuple[PublicMeasure, ...]]
"""The id of a statement's entry, its commitment to the account, its measures."""


def _known(entry: bytes, alike: Alike[Said] | None) -> _Read | None:
    if alike is None or (known := alike.known(entry)) is None:
        return None
    said, entry_id = known
    return entry_id.decode(), entry[said.account : said.account + _DIGITS].decode(), said.measures


def _read(span: ProvenSpan, entry: bytes, alike: Alike[Said] | None) -> _Read:
    try:
        parsed = parse_entry(entry)
        is_open = not isinstance(parsed, SealedEntry)
        if isinstance(parsed, SealedEntry) and span.inside is not None:
            parsed = unsealed(parsed, span.inside.salt, span.inside.value)
    except EntryError as error:
        raise Unproven(f"its entry cannot be read: {error}") from error
    if not isinstance(parsed, StatementEntry):
        raise Unproven("its entry is not that of its statement")
    measures = parsed.measures
    if alike is not None and is_open and _ACCOUNT in entry:
        alike.keep(entry, Said(account=entry.index(_ACCOUNT) + len(_ACCOUNT), measures=measures))
    return parsed.id, parsed.c.get("account", ""), measures


def _allows(measure: PublicMeasure, channel: Channel, span: Span) -> bool:
    is_strict = measure.act in _CUTS or (span.state is State.LIMITED and measure.act.startswith(_LIMITS))
    lasts = measure.until is None or (span.until is not None and span.until <= measure.until)
    return is_strict and channel in measure.chan and lasts
