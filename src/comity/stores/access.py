"""`access.db`: who may get in. Beside the record, because it is about those who keep it, not about its accounts."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

from comity.ports import StoreError
from comity.stores.database import Database

ACCESS_FILE: Final = "access.db"
_FORMAT: Final = 2
_TOKENS: Final = """
create table tokens (
  id text primary key, hash blob not null unique, body blob not null, expires integer not null
) strict, without rowid;
"""
_USERS: Final = """
create table users (name text primary key, body blob not null, password text) strict, without rowid;
create table sessions (
  hash blob primary key, user text not null, body blob not null, seen integer not null
) strict, without rowid;
create table links (
  hash blob primary key, user text not null, expires integer not null
) strict, without rowid;
create table tries (
  name text primary key, count integer not null, last integer not null, until integer not null
) strict, without rowid;
"""


def access_database(path: Path) -> Database:
    """Opened, with all its tables. Raises `StoreError`."""
    db = Database(path, creates=True)
    if db.format > _FORMAT:
        raise StoreError(f"{path} was written by a newer Comity; update Comity to read it")
    if db.format < _FORMAT:
        with db.transaction():
            if db.format < _FORMAT:  # nobody else was first
                db.declare(_FORMAT, _USERS if db.format else _TOKENS + _USERS)
    return db


def sign_everybody_out(path: Path) -> None:
    """Nobody's session, link or failed try is left in the file. Raises `StoreError`."""
    with closing(access_database(path)) as db:
        with db.transaction():
            for table in ("sessions", "links", "tries"):
                db.execute(f"delete from {table}")  # noqa: S608 - constants
        db.rewrite()
        db.forget_log()
