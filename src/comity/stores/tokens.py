"""Machine tokens in a file of their own, `access.db`: names, roles, scopes, and hashes of secrets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from comity.model.access import Token, TokenId
from comity.ports import StoreError
from comity.stores.database import Database
from comity.stores.layout import micros

ACCESS_FILE: Final = "access.db"
_FORMAT: Final = 1
_SCHEMA: Final = """
create table tokens (
  id text primary key, hash blob not null unique, body blob not null, expires integer not null
) strict, without rowid;
"""
_TOKEN: Final = msgspec.json.Decoder(Token)


class TokenFile:
    """The tokens of one record. Raises `StoreError` as the store does."""

    def __init__(self, path: Path) -> None:
        self._db = Database(path, creates=True)
        if self._db.format > _FORMAT:
            raise StoreError(f"{path} was written by a newer Comity; update Comity to read it")
        if self._db.format == 0:
            with self._db.transaction():
                if self._db.format == 0:  # nobody else was faster
                    self._db.declare(_FORMAT, _SCHEMA)

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
