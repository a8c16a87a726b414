"""C2SP tlog-policy: which logs and witnesses are trusted, and whose cosignatures a checkpoint must carry.

A policy file, line by line (`#` begins a comment):

    log VKEY [URL]
    witness NAME VKEY [URL]
    group NAME all|any|K NAME...
    quorum NAME|none

Names stand for nothing outside of their file. They are octets: what is no UTF-8 in them is kept as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn, Protocol

from comity.ledger.checkpoint import Checkpoint, parse_text
from comity.ledger.cosignature import CosignerKey, cosigned_at
from comity.ledger.note import NoteError, Verifier, VerifierKey, parse_note, signed_by

LARGEST_POLICY: Final = 1_000_000
MOST_LINES: Final = 1000
NO_QUORUM: Final = "none"
_BLANKS: Final = re.compile(rb"[ \t]+")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_CONTROL: Final = re.compile(rb"[^\t\x20-\x7e\x80-\xff]")


class PolicyError(ValueError):
    """A policy file cannot be read; the message names the line and the mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLog:
    """A log whose checkpoints are accepted; the key's name is the log's origin."""

    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownWitness:
    """A witness; `url` is the prefix of its `add-checkpoint`."""

    name: str
    key: CosignerKey
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Witnesses when at least `threshold` of `members`, defined before it, do."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A checkpoint that was opened. `cosigned`: the witnesses that vouch for it, and when, in seconds since 1970."""

    checkpoint: Checkpoint
    cosigned: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What makes a checkpoint valid: the signature of one of `logs`, and cosignatures that make up the `quorum`."""

    logs: tuple[KnownLog, ...] = ()
    witnesses: tuple[KnownWitness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NO_QUORUM

    def is_met(self, cosigned: Collection[str]) -> bool:
        """Whether cosignatures by the witnesses of these names make up the quorum."""
        met = {one.name for one in self.witnesses if one.name in cosigned}
        for group in self.groups:  # a group has only members that were defined before it
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(group.name)
        return self.quorum == NO_QUORUM or self.quorum in met

    def trusting(self, *keys: VerifierKey) -> Policy:
        """This policy with its logs replaced by those of `keys`, known from elsewhere."""
        return replace(self, logs=tuple(KnownLog(key=key) for key in keys))

    def opened(self, content: bytes) -> Witnessed:
        """The checkpoint and who cosigned it, the quorum not yet asked for.

        Raises `NoteError`: no known log signed it, or a signature by a known log or witness does not fit.
        """
        whole = parse_note(content)
        checkpoint = parse_text(whole.text)
        logs = [one.key for one in self.logs if one.key.name == checkpoint.origin]
        if not logs:
            raise NoteError(f"The policy knows no log {checkpoint.origin!r}.")
        keys: list[Verifier] = [*logs, *(one.key for one in self.witnesses)]
        note = signed_by(whole, keys)
        if not any(one.key_id == key.key_id and one.name == key.name for one in note.signatures for key in logs):
            signed_by(whole, logs)  # it says whose signature is missing
        names = {(one.key.name, one.key.key_id): one.name for one in self.witnesses}
        found = ((names.get((one.name, one.key_id)), cosigned_at(one.content)) for one in note.signatures)
        return Witnessed(checkpoint=checkpoint, cosigned={name: at for name, at in found if name is not None})

    def open(self, content: bytes) -> Witnessed:
        """The checkpoint, valid by this policy. Raises `NoteError`, also if the quorum is not met."""
        found = self.opened(content)
        if not self.is_met(found.cosigned):
            by = ", ".join(repr(name[:80]) for name in sorted(found.cosigned)) or "no known witness"
            raise NoteError(f"The quorum {self.quorum[:80]!r} is not met: the checkpoint is cosigned by {by}.")
        return found


class Opener(Protocol):
    """What opens checkpoints that it trusts; raises `NoteError` for others."""

    def open(self, content: bytes) -> Witnessed: ...


@dataclass(slots=True)
class Remembering:
    """A policy that checks the signatures of a checkpoint once, however many proofs come with it."""

    policy: Policy
    _content: bytes = b""
    _found: Witnessed | None = None

    def open(self, content: bytes) -> Witnessed:
        if self._found is None or content != self._content:
            self._content, self._found = content, self.policy.open(content)
        return self._found


def parse_policy(content: bytes) -> Policy:
    """The policy that a file holds. Raises `PolicyError` naming the line."""
    if len(content) > LARGEST_POLICY:
        raise PolicyError(f"The policy has {len(content)} bytes, more than the {LARGEST_POLICY} that are read.")
    *lines, rest = content.split(b"\n")
    if rest:
        raise PolicyError(f"Line {len(lines) + 1} does not end with a newline: was the file cut off?")
    reading = _Reading()
    for n, line in enumerate(lines, start=1):
        reading.take(n, line)
    if reading.quorum is None:
        raise PolicyError("The policy has no `quorum` line; write `quorum none` if no cosignature is needed.")
    return Policy(
        logs=tuple(reading.logs),
        witnesses=tuple(reading.witnesses),
        groups=tuple(reading.groups),
        quorum=reading.quorum,
    )


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What the lines so far defined."""

    logs: list[KnownLog] = field(default_factory=list)
    witnesses: list[KnownWitness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    keys: set[tuple[str, bytes]] = field(default_factory=set)
    line: int = 0

    def take(self, n: int, line: bytes) -> None:
        self.line = n
        if _CONTROL.search(line):
            self.refuse("holds a control character other than a tab")
        words = [word.decode("utf-8", "surrogateescape") for word in _BLANKS.split(line.strip(b" \t"))]
        if not words[0] or words[0].startswith("#"):
            return
        if len(self.logs) + len(self.witnesses) + len(self.groups) >= MOST_LINES and words[0] != "quorum":
            self.refuse(f"is one too many: at most {MOST_LINES} logs, witnesses and groups are read")
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                self.take_log(vkey, "".join(url))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self.take_witness(name, vkey, "".join(url))
            case ["group", name, threshold, _, *_]:
                self.take_group(name, threshold, words[3:])
            case ["quorum", name]:
                self.take_quorum(name)
            case _:
                forms = "`log VKEY [URL]`, `witness NAME VKEY [URL]`, `group NAME all|any|K NAME...`, `quorum NAME`"
                self.refuse(f"is none of {forms}")

    def take_log(self, vkey: str, url: str) -> None:
        try:
            key = VerifierKey.parse(vkey)
        except ValueError as error:
            self.refuse(f"has no key of a log: {error}")
        self.demand_new(key, is_repeated=any(one.key.public == key.public for one in self.logs))
        self.logs.append(KnownLog(key=key, url=url))

    def take_witness(self, name: str, vkey: str, url: str) -> None:
        self.define(name)
        try:
            key = CosignerKey.parse(vkey)
        except ValueError as error:
            self.refuse(f"has no key of a witness: {error}")
        self.demand_new(key, is_repeated=any(one.key.public == key.public for one in self.witnesses))
        self.witnesses.append(KnownWitness(name=name, key=key, url=url))

    def take_group(self, name: str, threshold: str, members: list[str]) -> None:
        for member in members:
            self.demand_defined(member)
            if member in self.members:
                self.refuse(f"names {member[:80]!r}, which is a member already; each name may be one once")
            self.members.add(member)
        self.define(name)
        number = {"all": str(len(members)), "any": "1"}.get(threshold, threshold)
        if not _NUMBER.fullmatch(number) or int(number) > len(members):
            self.refuse(f"wants {threshold[:80]!r} of {len(members)}: write `all`, `any` or a number up to that")
        self.groups.append(Group(name=name, threshold=int(number), members=tuple(members)))

    def take_quorum(self, name: str) -> None:
        if self.quorum is not None:
            self.refuse("is a second `quorum`; there is exactly one")
        if name != NO_QUORUM:
            self.demand_defined(name)
        self.quorum = name

    def define(self, name: str) -> None:
        if name == NO_QUORUM or name in self.names:
            self.refuse(f"defines {name[:80]!r}, which is taken already; choose another name")
        self.names.add(name)

    def demand_defined(self, name: str) -> None:
        if name not in self.names:
            self.refuse(f"names {name[:80]!r}, which no line before it defines")

    def demand_new(self, key: Verifier, *, is_repeated: bool) -> None:
        if is_repeated or (key.name, key.key_id) in self.keys:
            self.refuse("repeats a key that a line before it has")
        self.keys.add((key.name, key.key_id))

    def refuse(self, what: str) -> NoReturn:
        raise PolicyError(f"Line {self.line} {what}.")
