"""The keys that sign one log: one, or two while one takes the place of the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from comity.ledger.note import NoteError, Signer, VerifierKey


class LogSigner(Signer, Protocol):
    """What signs checkpoints: a `SigningKey`, or something outside that keeps the key to itself."""

    @property
    def verifier(self) -> VerifierKey: ...


class LogKeys(Protocol):
    """What a log is signed with: a `Keyring`, or one key alone."""

    @property
    def name(self) -> str: ...

    @property
    def verifier(self) -> VerifierKey: ...

    @property
    def signers(self) -> tuple[LogSigner, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """All sign. All have the log's origin as name."""

    signers: tuple[LogSigner, ...]

    def __post_init__(self) -> None:
        if not self.signers or any(one.name != self.name for one in self.signers):
            raise NoteError("the keys of one ledger have all its name")
        if len({one.key_id for one in self.signers}) < len(self.signers):
            raise NoteError("a key of the ledger stands there twice")

    @property
    def name(self) -> str:
        return self.signers[0].name

    @property
    def verifier(self) -> VerifierKey:
        return self.signers[0].verifier
