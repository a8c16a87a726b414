"""People who sign in, in `access.db`: names, roles, hashes of passwords, sessions and links, and failed tries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec

from comity.model.ids import ReviewerId
from comity.model.user import LONGEST_NAME, Session, User
from comity.stores.access import access_database
from comity.stores.layout import micros

FREE_TRIES: Final = 5
"""So many tries in a row are free; from then on each makes the wait twice as long."""
_FIRST_WAIT: Final = timedelta(minutes=1)
_LONGEST_WAIT: Final = timedelta(hours=1)
_REMEMBERED: Final = timedelta(days=1)
_MOST_TRIES: Final = 10_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_USER: Final = msgspec.json.Decoder(User)
_SESSION: Final = msgspec.json.Decoder(Session)


class UserFile:
    """The people of one record. Raises `StoreError` as the store does."""

    def __init__(self, path: Path) -> None:
        self._db, self._lock = access_database(path), Lock()

    def put(self, user: User) -> None:
        with self._lock, self._db.transaction():
            query = "insert into users (name, body) values (?, ?) on conflict (name) do update set body = excluded.body"
            self._db.execute(query, user.name, msgspec.json.encode(user))

    def find(self, name: ReviewerId) -> User | None:
        with self._lock:
            found = self._db.blobs("select body from users where name = ?", name)
            return next((_USER.decode(body) for body in found), None)

    def every(self) -> Sequence[User]:
        with self._lock:
            return [_USER.decode(body) for body in self._db.blobs("select body from users order by name")]

    def shut_out(self, name: ReviewerId) -> None:
        with self._lock, self._db.transaction():
            for body in list(self._db.blobs("select body from users where name = ?", name)):
                nobody = msgspec.structs.replace(_USER.decode(body), roles=frozenset())
                query = "update users set body = ?, password = null where name = ?"
                self._db.execute(query, msgspec.json.encode(nobody), name)
            self._db.execute("delete from sessions where user = ?", name)
            self._db.execute("delete from links where user = ?", name)

    def password(self, name: ReviewerId) -> str | None:
        with self._lock:
            found = self._db.rows(tuple[str | None], "select password from users where name = ?", name)
            return next((password for (password,) in found), None)

    def set_password(self, name: ReviewerId, hashed: str) -> None:
        with self._lock, self._db.transaction():
            self._db.execute("update users set password = ? where name = ?", hashed, name)

    def begin(self, hashed: bytes, session: Session) -> None:
        with self._lock, self._db.transaction():
            body = msgspec.json.encode(session)
            self._db.execute(
                "insert into sessions values (?, ?, ?, ?)", hashed, session.user, body, micros(session.seen)
            )

    def session(self, hashed: bytes) -> Session | None:
        with self._lock:
            rows = self._db.rows(tuple[bytes, int], "select body, seen from sessions where hash = ?", hashed)
            found = [msgspec.structs.replace(_SESSION.decode(body), seen=_time(seen)) for body, seen in rows]
        return next(iter(found), None)

    def touch(self, hashed: bytes, at: datetime) -> None:
        with self._lock, self._db.transaction():
            self._db.execute("update sessions set seen = ? where hash = ?", micros(at), hashed)

    def end(self, hashed: bytes) -> None:
        with self._lock, self._db.transaction():
            self._db.execute("delete from sessions where hash = ?", hashed)

    def end_all(self, name: ReviewerId) -> None:
        with self._lock, self._db.transaction():
            self._db.execute("delete from sessions where user = ?", name)

    def add_link(self, hashed: bytes, name: ReviewerId, expires: datetime) -> None:
        with self._lock, self._db.transaction():
            self._db.execute("delete from links where user = ?", name)
            self._db.execute("insert into links values (?, ?, ?)", hashed, name, micros(expires))

    def link(self, hashed: bytes, at: datetime) -> ReviewerId | None:
        with self._lock:
            return self._link(hashed, at)

    def use_link(self, hashed: bytes, at: datetime) -> ReviewerId | None:
        with self._lock, self._db.transaction():
            name = self._link(hashed, at)
            self._db.execute("delete from links where hash = ?", hashed)
            return name

    def begin_try(self, name: str, at: datetime) -> datetime | None:
        """Counted before the password is looked at, so that tries sent all at once count too."""
        name = name[:LONGEST_NAME]
        with self._lock, self._db.transaction():
            self._forget_old_tries(at)
            query = "select count, until from tries where name = ?"
            count, until = next(self._db.rows(tuple[int, int], query, name), (0, 0))
            if micros(at) < until:
                return _time(until)
            wait = _wait_after(count + 1)
            query = "insert or replace into tries values (?, ?, ?, ?)"
            self._db.execute(query, name, count + 1, micros(at), micros(at + wait))
        return None

    def forget_tries(self, name: str) -> None:
        with self._lock, self._db.transaction():
            self._db.execute("delete from tries where name = ?", name[:LONGEST_NAME])

    def close(self) -> None:
        self._db.close()

    def _link(self, hashed: bytes, at: datetime) -> ReviewerId | None:
        query = "select user from links where hash = ? and expires > ?"
        return next((ReviewerId(name) for (name,) in self._db.rows(tuple[str], query, hashed, micros(at))), None)

    def _forget_old_tries(self, at: datetime) -> None:
        self._db.execute("delete from tries where last < ?", micros(at - _REMEMBERED))
        self._db.execute(
            "delete from tries where name in (select name from tries order by last desc limit -1 offset ?)", _MOST_TRIES
        )


def _wait_after(tries: int) -> timedelta:
    """How long the next try has to wait if this one fails."""
    if tries < FREE_TRIES:
        return timedelta()
    doublings = min(tries - FREE_TRIES, 10)
    return min(_FIRST_WAIT * (1 << doublings), _LONGEST_WAIT)


def _time(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
