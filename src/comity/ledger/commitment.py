"""Salted commitments to private fields, and the openings that show one of them to somebody.

`HMAC-SHA256(salt, "comity/v1/" + entry id + "/" + field + NUL + canonical JSON)`: an opening fits one field of one
entry only, and nobody can guess a value without its salt.
"""

from __future__ import annotations

import hmac
from typing import Final

import msgspec

from comity.ledger.canonical import Json, canonical_json

SALT_LENGTH: Final = 32


class CommitmentError(ValueError):
    """A salt or a name from which no commitment can be made."""


class Opening(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What shows that a commitment is to `value`. `salt` is exactly 32 fresh random bytes, for this field alone."""

    entry_id: str
    field: str
    salt: bytes
    value: Json

    def fits(self, commitment: str) -> bool:
        """Whether `commitment`, as it stands in the entry, is to this value. False too if it could be to none."""
        try:
            return hmac.compare_digest(commit(self.salt, self.entry_id, self.field, self.value), commitment)
        except (ValueError, TypeError):
            return False

    @property
    def commitment(self) -> str:
        """What the entry's `c` has under `field`."""
        return commit(self.salt, self.entry_id, self.field, self.value)


def commit(salt: bytes, entry_id: str, field: str, value: Json) -> str:
    """The commitment to `value` in 64 hexadecimal digits. Raises `CommitmentError` or `CanonicalError`."""
    if len(salt) != SALT_LENGTH:
        # HMAC pads short keys with zeros and hashes long ones, so other lengths would give two salts to one opening.
        raise CommitmentError(f"The salt has {len(salt)} bytes, not {SALT_LENGTH}.")
    named = entry_id + field
    if not entry_id or not field or "/" in named or "\0" in named:
        raise CommitmentError(f"The entry id {entry_id!r} or the field {field!r} is empty or holds `/` or NUL.")
    content = f"comity/v1/{entry_id}/{field}\0".encode() + canonical_json(value)
    return hmac.digest(salt, content, "sha256").hex()
