"""The two links that lead to a statement: what gates show to anybody who was refused, and what only the account gets.

A link's token is the statement's id and an HMAC of it under the server's key, another one for each purpose, so that
whoever has a refusal link (it ends up in logs) has no statement link. A link ends with the statement's erasure, and the
statement link when it is replaced: from then on another number goes into the HMAC, and stands in the token.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from enum import StrEnum
from typing import Final

from comity.model.ids import DecisionId

_ID_LENGTH: Final = 16
_TAG_LENGTH: Final = 16
MOST_REPLACED: Final = 255


class Purpose(StrEnum):
    """REFUSAL: measure, clause, channels, end, how to appeal; no message and no name. STATEMENT: everything."""

    REFUSAL = "refusal"
    STATEMENT = "statement"


class Links:
    """Makes and reads tokens. `key` is secret; another key makes all links given out before worthless."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, purpose: Purpose, statement: DecisionId, *, number: int = 0) -> str:
        """43 or 44 characters that may stand in a path. `number`: how many links of that purpose were replaced."""
        named = bytes.fromhex(statement) + (bytes([number]) if number else b"")
        return base64.urlsafe_b64encode(named + self._tag(purpose, named)).decode().rstrip("=")

    def statement(self, purpose: Purpose, token: str) -> tuple[DecisionId, int] | None:
        """The statement that the token was made for, and its number; None: made for nothing or another purpose."""
        try:
            content = base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        named, tag = content[:-_TAG_LENGTH], content[-_TAG_LENGTH:]
        if not hmac.compare_digest(tag, self._tag(purpose, named)) or len(named) not in (_ID_LENGTH, _ID_LENGTH + 1):
            return None
        found, number = DecisionId(named[:_ID_LENGTH].hex()), int.from_bytes(named[_ID_LENGTH:])
        return (found, number) if self.token(purpose, found, number=number) == token else None

    def _tag(self, purpose: Purpose, named: bytes) -> bytes:
        return hmac.digest(self._key, b"comity/link/v1/" + purpose.encode() + b"/" + named, "sha256")[:_TAG_LENGTH]
