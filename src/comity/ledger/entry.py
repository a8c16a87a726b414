"""What one ledger entry says in public, and its one canonical form.

Every type has exactly its own keys, always all of them; `null` says "none". No account, no handle and no text ever
stands here: private fields are only committed to, in `c` (see `commitment.py`). Times are whole hours of UTC.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from comity.ledger.alike import with_known_zeros, with_zeros
from comity.ledger.hours import demand_hour, hour_after, hour_of

LARGEST: Final = 4096
"""The most bytes that an entry's canonical form may have."""

_NAME: Final = r"^[a-z][a-z0-9-]{0,99}\Z"
_NAMES: Final = re.compile(r"(?:[a-z][a-z0-9-]{0,99} )+")
_ACT: Final = (
    r"^(remove|mark|warn|limit reach|limit to [1-9][0-9]{0,8} (a minute|an hour|a day|a week)|hold|suspend|terminate)\Z"
)

EntryId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
AgreementDigest = Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}\Z")]
Name = Annotated[str, Meta(pattern=_NAME)]
Act = Annotated[str, Meta(pattern=_ACT)]
Line = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,500}\Z")]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Flag = Literal[0, 1]
Hour = Annotated[datetime, Meta(tz=True)]
Commitments = Mapping[Name, Sha256]
_Hex128 = Annotated[str, Meta(min_length=32, max_length=32)]
_Hex256 = Annotated[str, Meta(min_length=64, max_length=64)]
Decider = Literal["rule", "person"]
Ground = Literal["agreement", "law"]
Profile = Literal["open", "sealed"]

_NONE: Final[Commitments] = MappingProxyType({})  # a default that nobody can write to


class EntryError(ValueError):
    """Bytes are no entry, or a value cannot be one; the message names the field and what is wanted."""


class _Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="t", forbid_unknown_fields=True):
    """What all entries share."""

    id: EntryId
    at: Hour
    v: Literal[1] = 1

    def __post_init__(self) -> None:
        demand_hour(self.at, "at")


class Cited(msgspec.Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """The last good checkpoint of an earlier log."""

    origin: Line
    size: Count
    root: Sha256


class GenesisEntry(_Entry, frozen=True, kw_only=True, tag="genesis"):
    """Entry 0: who keeps this log and how. `retention`: days that a message without a finding is kept.

    `after` stands only where this log goes on from one whose key, or whose newest entries, were lost.
    """

    profile: Profile = "open"
    mode: Literal["live", "replay"] = "live"
    operator: Line
    origin: Line
    key: Line
    retention: Count
    after: Cited | msgspec.UnsetType = msgspec.UNSET


class AgreementEntry(_Entry, frozen=True, kw_only=True, tag="agreement"):
    """A version was published, in force from `effective`. `prev`: the entry of the version before it."""

    agreement: AgreementDigest
    effective: Hour
    prev: EntryId | None = None

    def __post_init__(self) -> None:
        demand_hour(self.at, "at")
        demand_hour(self.effective, "effective")


class AcceptancesEntry(_Entry, frozen=True, kw_only=True, tag="acceptances"):
    """`count` accounts accepted `agreement`; `root` is the Merkle root of their commitments."""

    agreement: AgreementDigest
    count: Count
    root: Sha256


class PublicMeasure(msgspec.Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """One measure, as far as the public sees it. Ends at `until` (none: no fixed end) or when all of `met` are."""

    act: Act
    chan: tuple[Name, ...] = ()
    until: Hour | None = None
    met: tuple[Name, ...] = ()

    def __post_init__(self) -> None:
        demand_hour(self.until, "until")


class Automation(msgspec.Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """1 where a machine did it: found the breach, decided on it."""

    found: Flag
    decided: Flag


class _Stated(_Entry, frozen=True, kw_only=True):
    """What a statement says in public. Read through `measures`.

    Most entries are of this kind, and patterns are slow: names and hashes are checked together, once each.
    """

    id: _Hex128
    agreement: AgreementDigest
    clauses: Annotated[tuple[str, ...], Meta(min_length=1)]
    points: Count
    act: Act | None = None
    chan: tuple[str, ...] = ()
    until: Hour | None = None
    met: tuple[Name, ...] = ()
    also: tuple[PublicMeasure, ...] = ()
    by: Decider
    c: Mapping[str, _Hex256] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        demand_hour(self.at, "at")
        demand_hour(self.until, "until")
        _demand_names("clauses, channels and fields of `c`", (*self.clauses, *self.chan, *self.c))
        _demand_hex(self.id, self.c.values())

    @property
    def measures(self) -> tuple[PublicMeasure, ...]:
        """The first stands in the entry itself, the others in `also`."""
        if self.act is None:
            return ()
        return (PublicMeasure(act=self.act, chan=self.chan, until=self.until, met=self.met), *self.also)


class StatementEntry(_Stated, frozen=True, kw_only=True, tag="statement"):
    """A statement of reasons was issued; its id is the decision's. Made by `statement`.

    `points` are those that it adds, `live` those that it counts, these included, by ladder: the row was taken at them.
    Entries of before `live` was stated have none.
    """

    auto: Automation
    ground: Ground = "agreement"
    live: Mapping[Name, Count] | msgspec.UnsetType = msgspec.UNSET
    prev: None = None


class CorrectionEntry(_Stated, frozen=True, kw_only=True, tag="correction"):
    """A later version of statement `prev`, whole: what it says from now on. Made by `correction`."""

    prev: EntryId


class LiftEntry(_Entry, frozen=True, kw_only=True, tag="lift"):
    """The measures of statement `prev` ended before their time."""

    by: Decider
    prev: EntryId
    c: Commitments = msgspec.field(default_factory=dict)


class AppealEntry(_Entry, frozen=True, kw_only=True, tag="appeal"):
    """Statement `prev` was appealed."""

    prev: EntryId
    c: Commitments = msgspec.field(default_factory=dict)


class OutcomeEntry(_Entry, frozen=True, kw_only=True, tag="outcome"):
    """Appeal `prev` was decided, by a person, or closed without a decision (`omitted`)."""

    outcome: Literal["upheld", "varied", "reversed", "omitted"]
    prev: EntryId
    c: Commitments = msgspec.field(default_factory=dict)


class ErasureEntry(_Entry, frozen=True, kw_only=True, tag="erasure"):
    """The private part of statement `prev` was erased, which is not the same as withheld."""

    prev: EntryId


class KeyEntry(_Entry, frozen=True, kw_only=True, tag="key"):
    """From here on the log may be signed with `key` too."""

    key: Line


class CensusEntry(_Entry, frozen=True, kw_only=True, tag="census"):
    """How many statements have an active measure, and the Merkle root of their ids (see `ids_root` in `tree`)."""

    count: Count
    root: Sha256


class SealedEntry(_Entry, frozen=True, kw_only=True, tag="sealed"):
    """In the sealed profile: `c` commits to the entry that the open one would have, of this id. All are one size."""

    c: Sha256

    def __post_init__(self) -> None:
        demand_hour(self.at, "at")
        if self.at.hour:
            raise ValueError(f"`at` is {self.at.isoformat()}, not a whole day of UTC")


Entry = (
    GenesisEntry
    | AgreementEntry
    | AcceptancesEntry
    | StatementEntry
    | CorrectionEntry
    | LiftEntry
    | AppealEntry
    | OutcomeEntry
    | ErasureEntry
    | KeyEntry
    | CensusEntry
    | SealedEntry
)

_decoder: Final[msgspec.json.Decoder[Entry]] = msgspec.json.Decoder(Entry)
_encoder: Final = msgspec.json.Encoder(order="sorted")


def canonical(entry: Entry) -> bytes:
    """The bytes that are hashed into the tree. Raises `EntryError`, also for a field that no reader would take."""
    try:
        content = _encoder.encode(entry)
    except UnicodeEncodeError as error:
        raise EntryError("a string holds half of a surrogate pair") from error
    _demand_readable(_with_zeros(content, entry))
    return content


def _with_zeros(content: bytes, entry: Entry) -> bytes:
    """That the digits of a statement are hexadecimal was seen when it was made."""
    if isinstance(entry, StatementEntry):
        return with_known_zeros(content, entry.id, entry.c)
    return with_zeros(content)


@lru_cache(maxsize=4096)
def _demand_readable(content: bytes) -> None:
    """Entries that differ in their ids and hashes alone are read once, with zeros for these: any others read alike."""
    _read(content)


def parse_entry(content: bytes) -> Entry:
    """The entry of which `content` is the canonical form. Raises `EntryError` naming the field or byte."""
    entry = _read(content)
    again = _encoder.encode(entry)
    if again != content:
        raise EntryError(f"not in canonical form (RFC 8785) from byte {_first_difference(again, content)} on")
    return entry


def _read(content: bytes) -> Entry:
    if len(content) > LARGEST:
        raise EntryError(f"{len(content)} bytes, more than the {LARGEST} that an entry may have")
    try:
        return _decoder.decode(content)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise EntryError(str(error)) from error


def statement(
    *,
    entry_id: str,
    at: datetime,
    agreement: str,
    clauses: tuple[str, ...],
    points: int,
    measures: tuple[PublicMeasure, ...],
    by: Decider,
    auto: Automation,
    ground: Ground = "agreement",
    live: Mapping[str, int] | None = None,
    commitments: Commitments = _NONE,
) -> StatementEntry:
    """The entry of a new statement. The first of `measures` stands in the entry itself, the others in `also`."""
    first, also = _first(measures)
    return StatementEntry(
        id=entry_id,
        at=hour_of(at),
        agreement=agreement,
        clauses=clauses,
        points=points,
        act=first.act if first else None,
        chan=first.chan if first else (),
        until=first.until if first else None,
        met=first.met if first else (),
        also=also,
        by=by,
        auto=auto,
        ground=ground,
        live=msgspec.UNSET if live is None else dict(live),
        c=dict(commitments),
    )


def correction(
    *,
    entry_id: str,
    at: datetime,
    corrects: str,
    agreement: str,
    clauses: tuple[str, ...],
    points: int,
    measures: tuple[PublicMeasure, ...],
    by: Decider,
    commitments: Commitments = _NONE,
) -> CorrectionEntry:
    """The entry of a later version of the statement `corrects`: all that it says from now on."""
    first, also = _first(measures)
    return CorrectionEntry(
        id=entry_id,
        at=hour_of(at),
        agreement=agreement,
        clauses=clauses,
        points=points,
        act=first.act if first else None,
        chan=first.chan if first else (),
        until=first.until if first else None,
        met=first.met if first else (),
        also=also,
        by=by,
        prev=corrects,
        c=dict(commitments),
    )


def measure(
    act: str, channels: Collection[str] = (), until: datetime | None = None, conditions: tuple[str, ...] = ()
) -> PublicMeasure:
    """A measure as an entry shows it: channels sorted, the end rounded up to the hour."""
    end = hour_after(until) if until else None
    return PublicMeasure(act=act, chan=tuple(sorted(channels)), until=end, met=conditions)


def _first(measures: tuple[PublicMeasure, ...]) -> tuple[PublicMeasure | None, tuple[PublicMeasure, ...]]:
    return (measures[0], measures[1:]) if measures else (None, ())


@lru_cache(maxsize=4096)
def _demand_names(where: str, names: tuple[str, ...]) -> None:
    """Most entries have the names of others."""
    joined = f"{' '.join(names)} "
    if not _NAMES.fullmatch(joined) or joined.count(" ") != len(names):
        raise EntryError(f"the {where} are not all names of lowercase letters, digits and hyphens")


def _demand_hex(entry_id: str, commitments: Iterable[str]) -> None:
    joined = "".join((entry_id, *commitments))
    try:
        is_hex = bytes.fromhex(joined).hex() == joined
    except ValueError:
        is_hex = False
    if not is_hex:
        raise EntryError("`id` is not 32, or a commitment in `c` not 64, lowercase hexadecimal digits")


def _first_difference(one: bytes, other: bytes) -> int:
    differing = (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))
