"""Machine tokens in `access.db`: names, roles, scopes, and hashes of secrets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from comity.model.access import Token, TokenId
from comity.stores.access import access_database
from comity.stores.layout import micros

_TOKEN: Final = msgspec.json.Decoder(Token)


class TokenFile:
    """The tokens of one record. Raises `StoreError` as the store does."""

    def __init__(self, path: Path) -> None:
        self._db = access_database(path)

    def add(self, token: Token, hashed: bytes) -> None:
        """`hashed`: SHA-256 of the secret, which is random enough to need no slower hash."""
        with self._db.transaction():
            body = msgspec.json.encode(token)
            self._db.execute("insert into tokens values (?, ?, ?, ?)", token.id, hashed, body, micros(token.expires))

    def find(self, hashed: bytes, at: datetime) -> Token | None:
        """The token with that secret, unless it has expired by `at` or was revoked."""
        query = "select body from tokens where hash = ? and expires > ?"
        return next((_TOKEN.decode(body) for body in self._db.blobs(query, hashed, micros(at))), None)

    def every(self) -> Sequence[Token]:
        """All of them, expired ones too, oldest first."""
        return sorted(map(_TOKEN.decode, self._db.blobs("select body from tokens")), key=lambda token: token.created)

    def revoke(self, id_: TokenId) -> bool:
        """False: there is no such token."""
        with self._db.transaction():
            found = self._db.number("select count(*) from tokens where id = ?", id_) > 0
            self._db.execute("delete from tokens where id = ?", id_)
        return found

    def close(self) -> None:
        self._db.close()
