"""C2SP signed notes: a text, and Ed25519 signatures over it by named keys.

Reads hostile bytes strictly. A signature by an unknown key says nothing and is passed over; one by a known key that
does not fit spoils the note.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Final, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LARGEST_NOTE: Final = 1_000_000
MOST_SIGNATURES: Final = 100
ED25519: Final = b"\x01"
"""The type of an Ed25519 key that signs notes as they are."""
PRIVATE: Final = "PRIVATE+KEY+"
_DASH: Final = "\u2014 "
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
"""All but the ends of lines."""


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


class Verifier(Protocol):
    """A public key that checks one sort of signature."""

    @property
    def name(self) -> str: ...

    @property
    def key_id(self) -> bytes: ...

    def verifies(self, text: bytes, signature: bytes) -> bool: ...


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
        return encode_key(self.name, self.key_id, ED25519 + self.public)

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, ED25519, self.public)

    def verifies(self, text: bytes, signature: bytes) -> bool:
        return is_signed(self.public, text, signature)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `text` encodes. Raises `NoteError`: malformed, not Ed25519, or its id is not the key's."""
        name, said, public = parse_key(text, ED25519)
        key = cls(name=name, public=public)
        demand_id(said, key.key_id)
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
        return VerifierKey(name=self.name, public=_pair(self.seed)[1])

    @property
    def signers(self) -> tuple[Self, ...]:
        return (self,)

    @property
    def key_id(self) -> bytes:
        return self.verifier.key_id

    def sign(self, text: bytes) -> bytes:
        return _pair(self.seed)[0].sign(text)

    def encode(self) -> str:
        """The form that Go's `note` package keeps private keys in; for a file that nobody else may read."""
        return PRIVATE + encode_key(self.name, self.key_id, ED25519 + self.seed)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that `encode` wrote. Raises `NoteError`, whose message never shows the key."""
        name, said, seed = parse_private_key(text, ED25519)
        key = cls(name=name, seed=seed)
        demand_id(said, key.key_id)
        return key


@lru_cache(maxsize=8)  # every checkpoint asks for it three times
def _pair(seed: bytes) -> tuple[Ed25519PrivateKey, bytes]:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return private, private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


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
    return Note(
        text=text + "\n",
        signatures=tuple(parse_signature(line, f"Signature {n}") for n, line in enumerate(lines, start=1)),
    )


def open_note(content: bytes, keys: Iterable[Verifier]) -> Note:
    """The note, with just the signatures of `keys`, all of them right. Raises `NoteError` if there is none."""
    return signed_by(parse_note(content), keys)


def signed_by(note: Note, keys: Iterable[Verifier]) -> Note:
    """`note` with just the signatures of `keys`, all of them right. Raises `NoteError` if there is none."""
    known = {(key.name, key.key_id): key for key in keys}
    ours = tuple(one for one in note.signatures if (one.name, one.key_id) in known)
    for one in ours:
        if not known[one.name, one.key_id].verifies(note.text.encode(), one.content):
            raise NoteError(f"The signature by {one.name}+{one.key_id.hex()} does not fit the text.")
    if not ours:
        names = ", ".join(sorted(f"{name}+{key_id.hex()}" for name, key_id in known)) or "no key"
        raise NoteError(f"No trusted key signed this note (trusted: {names}).")
    return Note(text=note.text, signatures=ours)


def countersigned(content: bytes, signatures: Iterable[Signature]) -> bytes:
    """The note with more signatures over its text; one by a key that signed already replaces the older one."""
    note = parse_note(content)
    added = {(one.name, one.key_id): one for one in signatures}
    kept = tuple(one for one in note.signatures if (one.name, one.key_id) not in added)
    return bytes(Note(text=note.text, signatures=(*kept, *added.values())))


def decode_base64(text: str, what: str) -> bytes:
    """Standard Base 64 with padding, in its one canonical spelling. Raises `NoteError` naming `what`."""
    try:
        content = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError(f"{what} is not base64.") from error
    if binascii.b2a_base64(content, newline=False).decode() != text:
        raise NoteError(f"{what} is not base64 as RFC 4648, section 4, spells it.")
    return content


def _note_text(content: bytes) -> str:
    if len(content) > LARGEST_NOTE:
        raise NoteError(f"The note has {len(content)} bytes, more than the {LARGEST_NOTE} that are read.")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise NoteError(f"The note is not UTF-8 from byte {error.start} on.") from error
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise NoteError(f"Line {line} of the note holds a control character.")
    return text


def parse_signature(line: str, what: str) -> Signature:
    """The signature line, without its end. Raises `NoteError` naming `what`."""
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise NoteError(f"{what} is not an em dash, a name and a signature.")
    _demand_name(name)
    content = decode_base64(encoded, what)
    if len(content) < 5:
        raise NoteError(f"{what} has {len(content)} bytes, too few for a key id and a signature.")
    return Signature(name=name, key_id=content[:4], content=content[4:])


@lru_cache(maxsize=64)  # every checkpoint asks for the same few
def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    """What tells a key's signatures apart. `kind`: the signature type's byte."""
    return sha256(name.encode() + b"\n" + kind + public).digest()[:4]


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this is an Ed25519 signature of exactly the message."""
    try:
        _public(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


_public = lru_cache(maxsize=64)(Ed25519PublicKey.from_public_bytes)


def encode_key(name: str, id_: bytes, key: bytes) -> str:
    """The text of a key; `key` begins with its type's byte."""
    return f"{name}+{id_.hex()}+{base64.b64encode(key).decode()}"


def parse_key(text: str, kind: bytes) -> tuple[str, str, bytes]:
    """Name, said id and 32 bytes of the Ed25519 key of the type `kind` that `text` encodes. Raises `NoteError`."""
    parts = text.strip().split("+", 2)
    if len(text) > 1000 or len(parts) != 3:
        raise NoteError("This is no key of the form `name+key id+base64`.")
    name, said, encoded = parts
    _demand_name(name)
    content = decode_base64(encoded, "The key")
    if content[:1] != kind or len(content) != 33:
        has = f"type 0x{content[:1].hex()} and {len(content) - 1} bytes" if content else "nothing"
        raise NoteError(f"The key has {has}, where type 0x{kind.hex()} and the 32 bytes of Ed25519 are needed.")
    return name, said, content[1:]


def parse_private_key(text: str, kind: bytes) -> tuple[str, str, bytes]:
    """Name, said id and seed of a private key. Raises `NoteError`, whose message never shows the key."""
    if not text.strip().startswith(PRIVATE):
        raise NoteError(f"This is no private key: it does not begin with `{PRIVATE}`.")
    return parse_key(text.strip().removeprefix(PRIVATE), kind)


def demand_id(said: str, is_: bytes) -> None:
    """Raises `NoteError` for a key whose text names another id than the key has."""
    if said != is_.hex():
        raise NoteError(f"The key says its id is {said!r}, but it is {is_.hex()}.")


def _demand_name(name: str) -> None:
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        raise NoteError(f"{name[:80]!r} is no key name: it must not be empty nor hold spaces or `+`.")
