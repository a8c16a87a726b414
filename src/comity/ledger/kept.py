"""One file that a person keeps and shows: a statement, what followed it, and the proof that all of it is in the ledger.

Checked offline and by itself: every entry against its proof, every private field against the entry's commitment, and
what is told in private against what the entry says in public. Reads hostile bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, UnsetType

from comity.ledger import entry as ledger
from comity.ledger.commitment import Opening
from comity.ledger.note import NoteError, VerifierKey
from comity.ledger.policy import Policy, Witnessed
from comity.ledger.sealed import FIELD, unsealed
from comity.ledger.tlog_proof import parse_proof, verify_proof
from comity.model.measure import Measure
from comity.model.statement import Statement

LARGEST_KEPT: Final = 16 << 20
MOST_PARTS: Final = 1000


class Shown(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A private field, opened. `salt` is base64 in JSON."""

    field: str
    salt: bytes
    value: str


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry as it stands in the ledger, its C2SP tlog-proof, and what of it is shown."""

    entry: str
    proof: str
    openings: Annotated[tuple[Shown, ...], Meta(max_length=20)] = ()


class Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file. `statement` is for people to read; it must be what the first part's opening says."""

    format: Literal["comity-statement-1"] = "comity-statement-1"
    statement: Statement
    key: str
    parts: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=MOST_PARTS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What checking a file came to, in sentences; `proved` is empty unless all `is_fine`.

    `statement` is what was opened; `followed` are the private fields, by name and value, of the entries after it.
    """

    statement: Statement | None = None
    followed: tuple[tuple[str, str], ...] = ()
    proved: tuple[str, ...] = ()
    unproved: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def is_fine(self) -> bool:
        return not self.problems


Concerning = (
    ledger.StatementEntry
    | ledger.CorrectionEntry
    | ledger.LiftEntry
    | ledger.AppealEntry
    | ledger.OutcomeEntry
    | ledger.ErasureEntry
)
"""The entries that a file may have parts for."""

_KEPT: Final = msgspec.json.Decoder(Kept, strict=True)
_STATEMENT: Final = msgspec.json.Decoder(Statement)


class KeptError(ValueError):
    """A file, or a part of it, is not what it must be."""


def write_kept(kept: Kept) -> bytes:
    return msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n"


def concerns(entry: ledger.Entry, known: frozenset[str]) -> bool:
    """Whether an entry follows a statement; `known` are the ids of the statement and of the appeals against it."""
    return isinstance(entry, Concerning) and entry.prev in known


def check_kept(content: bytes, policy: Policy | None = None) -> Verdict:
    """What the file proves. `policy`: the logs and witnesses that you trust; without it the file's own key is."""
    try:
        kept = _parsed(content)
        trusted = policy or Policy().trusting(VerifierKey.parse(kept.key))
    except (KeptError, NoteError) as error:
        return Verdict(problems=(str(error),))
    walk = _Walk(policy=trusted)
    for number, part in enumerate(kept.parts, 1):
        try:
            walk.take(number, part)
        except ValueError as error:
            walk.problems.append(f"part {number}: {error}")
    walk.problems += _different(kept, walk)
    return Verdict(
        statement=walk.statement,
        followed=tuple(walk.followed),
        proved=() if walk.problems else tuple(_proved(walk)),
        unproved=tuple(_unproved(walk, is_own_key=policy is None)),
        problems=tuple(walk.problems),
    )


def _parsed(content: bytes) -> Kept:
    if len(content) > LARGEST_KEPT:
        raise KeptError(f"the file has more than the {LARGEST_KEPT} bytes that are read")
    try:
        return _KEPT.decode(content)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise KeptError(f"this is no file that `comity prove --whole` wrote: {error}") from error


@dataclass(slots=True, kw_only=True)
class _Walk:
    """What was found on the way through the parts."""

    policy: Policy
    entry: ledger.StatementEntry | None = None
    private: Mapping[str, str] = field(default_factory=dict)
    statement: Statement | None = None
    found: Witnessed | None = None
    checkpoint: bytes = b""
    index: int = -1
    is_public: bool = True
    known: frozenset[str] = frozenset()
    count: int = 0
    closed: list[int] = field(default_factory=list)
    followed: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def take(self, number: int, part: Part) -> None:
        """Raises `ValueError` for a part of which nothing can be believed."""
        outer = ledger.parse_entry(self._proved(part))
        entry, part = _inside(outer, part)
        self.is_public = self.is_public and entry is outer
        if isinstance(entry, ledger.StatementEntry) and number == 1:
            self.entry = entry
            self.known = frozenset({entry.id})
            self.private = _opened(entry.id, entry.c, part)
            self.statement = _statement(self.private)
            return
        if not concerns(entry, self.known) or not isinstance(entry, Concerning):
            raise KeptError("its entry does not concern the statement of the first part")
        if isinstance(entry, ledger.AppealEntry):
            self.known |= {entry.id}
        commitments = {} if isinstance(entry, ledger.ErasureEntry) else entry.c
        opened = _opened(entry.id, commitments, part)
        self.count += 1
        self.followed += opened.items()
        if commitments.keys() - opened.keys():
            self.closed.append(number)

    def _proved(self, part: Part) -> bytes:
        """The entry's bytes, once they are shown to be in the log."""
        content, proof = part.entry.encode(), parse_proof(part.proof.encode())
        self.found = verify_proof(proof, content, self.policy)
        if self.checkpoint not in (b"", proof.checkpoint):
            raise KeptError("its proof is of another checkpoint than that of the first part")
        if proof.index <= self.index:
            raise KeptError(f"it is entry {proof.index} of the ledger, but follows entry {self.index}")
        self.checkpoint, self.index = proof.checkpoint, proof.index
        return content


def _inside(entry: ledger.Entry, part: Part) -> tuple[ledger.Entry, Part]:
    """Of a sealed entry the one inside, and the openings of that one; others as they are."""
    if not isinstance(entry, ledger.SealedEntry):
        return entry, part
    shown = next((one for one in part.openings if one.field == FIELD), None)
    if shown is None:
        raise KeptError("its entry is sealed, and what is inside is not shown")
    left = tuple(one for one in part.openings if one is not shown)
    return unsealed(entry, shown.salt, shown.value), msgspec.structs.replace(part, openings=left)


def _opened(entry: str, commitments: Mapping[str, str], part: Part) -> dict[str, str]:
    """The private fields that are shown. Raises `KeptError` for one that was altered."""
    for shown in part.openings:
        opening = Opening(entry_id=entry, field=shown.field, salt=shown.salt, value=shown.value)
        if not opening.fits(commitments.get(shown.field, "")):
            raise KeptError(f"what it shows as {shown.field[:100]!r} is not what its entry commits to")
    return {shown.field: shown.value for shown in part.openings}


def _statement(private: Mapping[str, str]) -> Statement:
    if "statement" not in private:
        raise KeptError("the statement itself is not shown")
    try:
        return _STATEMENT.decode(private["statement"])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise KeptError(f"what it shows as a statement is none: {error}") from error


def _different(kept: Kept, walk: _Walk) -> Iterator[str]:
    """Where what is told differs: for reading, in private, in public."""
    told, entry = walk.statement, walk.entry
    if told is None or entry is None:
        return
    if kept.statement != told:
        yield "statement: what stands there for reading is not what was entered in the ledger"
    if walk.private.get("account", told.account) != told.account:
        yield "part 1: the account that its entry commits to is not that of the statement"
    pairs: tuple[tuple[str, object, object], ...] = (
        ("id", entry.id, told.id),
        ("version", entry.agreement, told.agreement),
        ("clauses", set(entry.clauses), {clause.id for clause in told.clauses}),
        ("points", entry.points, sum(points for _, points in told.added)),
        ("live points", _counted(entry.live, told), dict(told.live)),
        ("who decided", entry.by, "rule" if told.decided_automatically else "person"),
        ("measures", [(one.act, one.chan) for one in entry.measures], [_act(one) for one in told.measures]),
    )
    for name, public, private in pairs:
        if public != private:
            yield f"part 1: the ledger says {public!r} ({name}), the statement {private!r}"


def _counted(live: Mapping[str, int] | UnsetType, told: Statement) -> dict[str, int]:
    """By ladder, as far as any count; an entry of before they were stated cannot contradict."""
    if isinstance(live, UnsetType):
        live = {str(ladder): count for ladder, count in told.live}
    return {ladder: count for ladder, count in live.items() if count}


def _act(measure: Measure) -> tuple[str, tuple[str, ...]]:
    act = f"limit to {measure.rate}" if measure.rate else measure.kind.value
    return act, tuple(sorted(measure.channels))


def _proved(walk: _Walk) -> Iterator[str]:
    """What a file without a problem has shown."""
    if walk.found is None or walk.statement is None:
        return
    checkpoint, told = walk.found.checkpoint, walk.statement
    yield f"The ledger {checkpoint.origin} has this statement, word for word, in its first {checkpoint.size} entries."
    where = "in public" if walk.is_public else "in the sealed entries that are shown here"
    yield f"It is about the account {told.account!r}, and what the ledger says of it {where} is the same."
    if walk.count:
        yield f"{walk.count} later entries about it (corrections, appeals, outcomes) are in that ledger too."
    for name in walk.found.cosigned:
        yield f"The witness {name} vouches for that ledger."


def _unproved(walk: _Walk, *, is_own_key: bool) -> Iterator[str]:
    """What no such file shows by itself, and what would show it."""
    if is_own_key:
        yield "Whose key signed: it came with the file. Get the operator's key from elsewhere and give that (`--key`)."
    if walk.found and not walk.found.cosigned:
        yield "That others saw the same ledger: no witness that you trust signed this checkpoint."
    for number in walk.closed:
        yield f"What part {number} says in private: it is not shown, or not in full."
    yield "That nothing else followed: entries may have been left out, or come later. The ledger has them all."
    yield "That what it says is true: only that the operator said so, and cannot change it now."
