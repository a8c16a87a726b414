"""The two links that lead to a statement: what gates show to anybody who was refused, and what only the account gets.

A link's token is the statement's id and an HMAC of it under the server's key, another one for each purpose, so that
whoever has a refusal link (it ends up in logs) has no statement link. A link ends with the statement's erasure.
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


class Purpose(StrEnum):
    """REFUSAL: measure, clause, channels, end, how to appeal; no message and no name. STATEMENT: everything."""

    REFUSAL = "refusal"
    STATEMENT = "statement"


class Links:
    """Makes and reads tokens. `key` is secret; another key makes all links given out before worthless."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, purpose: Purpose, statement: DecisionId) -> str:
        """44 characters that may stand in a path."""
        content = bytes.fromhex(statement)
        return base64.urlsafe_b64encode(content + self._tag(purpose, content)).decode().rstrip("=")

    def statement(self, purpose: Purpose, token: str) -> DecisionId | None:
        """The statement that the token was made for; None: it was made for nothing, or for another purpose."""
        try:
            content = base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        id_, tag = content[:_ID_LENGTH], content[_ID_LENGTH:]
        if not hmac.compare_digest(tag, self._tag(purpose, id_)) or self.token(purpose, DecisionId(id_.hex())) != token:
            return None
        return DecisionId(id_.hex())

    def _tag(self, purpose: Purpose, content: bytes) -> bytes:
        return hmac.digest(self._key, b"comity/link/v1/" + purpose.encode() + b"/" + content, "sha256")[:_TAG_LENGTH]
