"""C2SP signed notes: a text, and Ed25519 signatures over it by named keys.

Reads hostile bytes strictly. A signature by an unknown key says nothing and is passed over; one by a known key that
does not fit spoils the note.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LARGEST_NOTE: Final = 1_000_000
MOST_SIGNATURES: Final = 100
ED25519: Final = b"\x01"
_DASH: Final = "\u2014 "


class NoteError(ValueError):
    """Bytes are no signed note, a key is none, or no trusted key signed; the message says which and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    name: str
    key_id: bytes
    content: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.content).decode()}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A parsed note, nothing of it verified. `text` ends with a newline."""

    text: str
    signatures: tuple[Signature, ...]

    def __bytes__(self) -> bytes:
        return f"{self.text}\n{''.join(map(str, self.signatures))}".encode()


class Signer(Protocol):
    """What signs notes: a `SigningKey`, or something outside that keeps the key to itself."""

    @property
    def name(self) -> str: ...

    @property
    def key_id(self) -> bytes: ...

    def sign(self, text: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key and the name it signs under. As text: `name+key id+base64(type, key)`."""

    name: str
    public: bytes

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def verifies(self, text: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `text` encodes. Raises `NoteError`: malformed, not Ed25519, or its id is not the key's."""
        name, key_id, encoded = _key_parts(text)
        key = cls(name=name, public=_key_bytes(encoded))
        if key.key_id.hex() != key_id:
            raise NoteError(f"The verifier key says its id is {key_id!r}, but it is {key.key_id.hex()}.")
        return key


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key and the name it signs under. `seed`: 32 random bytes, never shown."""

    name: str
    seed: bytes

    def __post_init__(self) -> None:
        _demand_name(self.name)
        if len(self.seed) != 32:
            raise NoteError(f"An Ed25519 seed has 32 bytes, not {len(self.seed)}.")

    def __repr__(self) -> str:
        return f"SigningKey(name={self.name!r}, seed=...)"

    @property
    def verifier(self) -> VerifierKey:
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return VerifierKey(name=self.name, public=public.public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def key_id(self) -> bytes:
        return self.verifier.key_id

    def sign(self, text: bytes) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(text)

    def encode(self) -> str:
        """The form that Go's `note` package keeps private keys in; for a file that nobody else may read."""
        return f"PRIVATE+KEY+{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.seed).decode()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `encode` wrote. Raises `NoteError`, whose message never shows the key."""
        rest = text.strip().removeprefix("PRIVATE+KEY+")
        if rest == text.strip():
            raise NoteError("This is no private key: it does not begin with `PRIVATE+KEY+`.")
        name, key_id, encoded = _key_parts(rest)
        key = cls(name=name, seed=_key_bytes(encoded))
        if key.key_id.hex() != key_id:
            raise NoteError(f"The private key says its id is {key_id!r}, but it is {key.key_id.hex()}.")
        return key


def sign_note(text: str, signers: Iterable[Signer]) -> bytes:
    """`text` with a signature by each signer. Raises `NoteError` for a text that no note may have."""
    signatures = tuple(Signature(name=one.name, key_id=one.key_id, content=one.sign(text.encode())) for one in signers)
    content = bytes(Note(text=text, signatures=signatures))
    if parse_note(content).text != text:
        raise NoteError("The text of the note reads as signatures.")
    return content


def parse_note(content: bytes) -> Note:
    """The note that `content` is, its signatures not yet checked. Raises `NoteError`."""
    text, _, tail = _note_text(content).rpartition("\n\n")
    if not text or not tail.endswith("\n"):
        raise NoteError("The note has no blank line followed by whole signature lines.")
    lines = tail.removesuffix("\n").split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise NoteError(f"The note has {len(lines)} signatures, more than the {MOST_SIGNATURES} that are read.")
    return Note(text=text + "\n", signatures=tuple(_signature(line, n) for n, line in enumerate(lines, start=1)))


def open_note(content: bytes, keys: Iterable[VerifierKey]) -> Note:
    """The note, with just the signatures of `keys`, all of them right. Raises `NoteError` if there is none."""
    note = parse_note(content)
    known = {(key.name, key.key_id): key for key in keys}
    ours = tuple(one for one in note.signatures if (one.name, one.key_id) in known)
    for one in ours:
        if not known[one.name, one.key_id].verifies(note.text.encode(), one.content):
            raise NoteError(f"The signature by {one.name}+{one.key_id.hex()} does not fit the text.")
    if not ours:
        names = ", ".join(sorted(f"{name}+{key_id.hex()}" for name, key_id in known)) or "no key"
        raise NoteError(f"No trusted key signed this note (trusted: {names}).")
    return Note(text=note.text, signatures=ours)


def decode_base64(text: str, what: str) -> bytes:
    """Standard Base 64 with padding, in its one canonical spelling. Raises `NoteError` naming `what`."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError(f"{what} is not base64.") from error
    if base64.b64encode(content).decode() != text:
        raise NoteError(f"{what} is not base64 as RFC 4648, section 4, spells it.")
    return content


def _note_text(content: bytes) -> str:
    if len(content) > LARGEST_NOTE:
        raise NoteError(f"The note has {len(content)} bytes, more than the {LARGEST_NOTE} that are read.")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise NoteError(f"The note is not UTF-8 from byte {error.start} on.") from error
    for n, line in enumerate(text.split("\n"), start=1):
        if any(char < " " for char in line):
            raise NoteError(f"Line {n} of the note holds a control character.")
    return text


def _signature(line: str, n: int) -> Signature:
    what = f"Signature {n}"
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise NoteError(f"{what} is not an em dash, a name and a signature.")
    _demand_name(name)
    content = decode_base64(encoded, what)
    if len(content) < 5:
        raise NoteError(f"{what} has {len(content)} bytes, too few for a key id and a signature.")
    return Signature(name=name, key_id=content[:4], content=content[4:])


def _key_parts(text: str) -> tuple[str, str, str]:
    parts = text.strip().split("+", 2)
    if len(text) > 1000 or len(parts) != 3:
        raise NoteError("This is no key of the form `name+key id+base64`.")
    _demand_name(parts[0])
    return parts[0], parts[1], parts[2]


def _key_bytes(encoded: str) -> bytes:
    content = decode_base64(encoded, "The key")
    if content[:1] != ED25519 or len(content) != 33:
        raise NoteError("The key is not an Ed25519 key for notes (type 0x01 and 32 bytes).")
    return content[1:]


def _demand_name(name: str) -> None:
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        raise NoteError(f"{name[:80]!r} is no key name: it must not be empty nor hold spaces or `+`.")
