"""C2SP tlog-cosignature: a witness says when it saw a checkpoint as the log's newest (cosignature/v1, Ed25519)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from comity.ledger.note import (
    PRIVATE,
    NoteError,
    Signature,
    demand_id,
    encode_key,
    is_signed,
    key_id,
    parse_key,
    parse_private_key,
)

COSIGNATURE: Final = b"\x04"
"""The type of an Ed25519 key that cosigns checkpoints."""
_LENGTH: Final = 8 + 64
_LATEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignerKey:
    """The public key of a witness, and its name. As text like a `VerifierKey`, with type 0x04."""

    name: str
    public: bytes

    def __str__(self) -> str:
        return encode_key(self.name, self.key_id, COSIGNATURE + self.public)

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, COSIGNATURE, self.public)

    def verifies(self, text: bytes, signature: bytes) -> bool:
        if len(signature) != _LENGTH or cosigned_at(signature) > _LATEST:
            return False
        return is_signed(self.public, _message(text, cosigned_at(signature)), signature[8:])

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `text` encodes. Raises `NoteError`: malformed, no cosigner's, or its id is not the key's."""
        name, said, public = parse_key(text, COSIGNATURE)
        key = cls(name=name, public=public)
        demand_id(said, key.key_id)
        return key


@dataclass(frozen=True, slots=True, kw_only=True)
class CosigningKey:
    """The private key of a witness. `seed`: 32 random bytes, never shown, and used for nothing else."""

    name: str
    seed: bytes

    def __repr__(self) -> str:
        return f"CosigningKey(name={self.name!r}, seed=...)"

    @property
    def cosigner(self) -> CosignerKey:
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return CosignerKey(name=self.name, public=public.public_bytes(Encoding.Raw, PublicFormat.Raw))

    def cosign(self, text: str, at: int) -> Signature:
        """A signature line for the checkpoint of that note text, seen at `at` (seconds since 1970)."""
        if not 0 < at <= _LATEST:
            raise NoteError(f"A cosignature cannot be of the time {at}: set the clock right.")
        content = Ed25519PrivateKey.from_private_bytes(self.seed).sign(_message(text.encode(), at))
        return Signature(name=self.name, key_id=self.cosigner.key_id, content=at.to_bytes(8) + content)

    def encode(self) -> str:
        """For a file that nobody else may read; as `SigningKey.encode`, with type 0x04."""
        return PRIVATE + encode_key(self.name, self.cosigner.key_id, COSIGNATURE + self.seed)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `encode` wrote. Raises `NoteError`, whose message never shows the key."""
        name, said, seed = parse_private_key(text, COSIGNATURE)
        key = cls(name=name, seed=seed)
        demand_id(said, key.cosigner.key_id)
        return key


def cosigned_at(signature: bytes) -> int:
    """When a cosignature was made, in seconds since 1970; believe it only once the signature is verified."""
    return int.from_bytes(signature[:8])


def _message(text: bytes, at: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % at + text
