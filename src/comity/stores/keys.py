"""The keys that make the record readable: one per account, in a file of their own beside the store.

The store names an account by a number with chance in it, its subject, and holds nothing of it in the clear; which
account a subject is, and the key to its rows, is known here alone. To erase an account is to delete its key. The file
has its own backups, kept for a short time.
"""

from __future__ import annotations

import os
import secrets
import shlex
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

import apsw
import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.model.ids import AccountId
from comity.ports import StoreError
from comity.stores.database import Database

KEYS_FILE: Final = "keys.db"
_FORMAT: Final = 1
_SCHEMA: Final = """
create table secrets (
  id integer primary key check (id = 1), store blob not null, lookup blob not null, shared blob not null,
  enrolled integer not null, erasures integer not null
) strict;
create table subjects (subject integer primary key, account blob not null unique, key blob not null) strict;
"""
_KEY_LENGTH: Final = 32
_SUBJECTS: Final = 1 << 63
_SPACING: Final = 32  # bits
_SPREAD: Final = 40
_MOST_AT_HAND: Final = 200_000
"""Subjects, and keys, kept in memory; beyond that they are read again."""

_MOST_CIPHERS: Final = 4_000  # each of them takes 2.6 KB


class KeyFile:
    """The keys of one store. Raises `StoreError` as the store does."""

    def __init__(self, path: Path, *, creates: bool) -> None:
        if not creates and not path.exists():
            raise StoreError(
                f"{path} is missing: without it nothing in the store that is about a person can be read. Restore the"
                " newest backup of it."
            )
        _demand_private(path)
        self._db = Database(path, creates=creates)
        if self._db.format > _FORMAT:
            raise StoreError(f"{path} was written by a newer Comity; update Comity to read it")
        if self._db.format == 0:
            self._make()
        ((self.store, self._lookup),) = self._db.rows(tuple[bytes, bytes], "select store, lookup from secrets")
        self._subjects: dict[AccountId, int] = {}
        self._keys: dict[int, bytes] = {}
        self._ciphers: dict[int, AESGCM] = {}

    def _make(self) -> None:
        with self._db.transaction():
            self._db.declare(_FORMAT, _SCHEMA)
            self._db.execute(
                "insert into secrets values (1, ?, ?, ?, 0, 0)",
                secrets.token_bytes(16),
                secrets.token_bytes(_KEY_LENGTH),
                secrets.token_bytes(_KEY_LENGTH),
            )

    def hash(self, use: bytes, *parts: str) -> bytes:
        """What the store looks something up by; without the key nobody can guess what it stands for."""
        digest = blake2b(digest_size=16, key=self._lookup, person=use)
        for part in parts:
            content = part.encode("utf-8", "surrogatepass")
            digest.update(b"%d:" % len(content) + content)
        return digest.digest()

    def subject(self, account: AccountId) -> int | None:
        """The subject that the store knows the account by."""
        known = self._subjects.get(account)
        if known is None:
            query = "select subject from subjects where account = ?"
            known = next((one for (one,) in self._db.rows(tuple[int], query, self._account(account))), None)
            if known is not None:
                self._remember(account, known)
        return known

    def enrol(self, accounts: Iterable[AccountId]) -> Mapping[AccountId, int]:
        """The subject of each account. Of a new one the key is durable before this returns."""
        every = tuple(accounts)
        known = self.subjects(every)
        names = {self._account(each): each for each in every if each not in known}
        try:
            made = self._made(tuple(names))
        except apsw.ConstraintError:  # somebody's number was drawn again, once in a thousand million times
            return self.enrol(every)
        return known | self._remembered(names, made)

    def subjects(self, accounts: Iterable[AccountId]) -> dict[AccountId, int]:
        """The subject of each account that has one."""
        every = tuple(accounts)
        known = {each: self._subjects[each] for each in every if each in self._subjects}
        names = {self._account(each): each for each in every if each not in known}
        return known | self._remembered(names, self._stored(names))

    def _stored(self, names: Collection[bytes]) -> dict[bytes, int]:
        query = "select account, subject from subjects where account in (select unhex(value) from json_each(?))"
        asked = msgspec.json.encode([name.hex() for name in names]).decode()
        return dict(self._db.rows(tuple[bytes, int], query, asked)) if names else {}

    def _remembered(self, names: Mapping[bytes, AccountId], subjects: Mapping[bytes, int]) -> dict[AccountId, int]:
        found = {names[name]: subject for name, subject in subjects.items()}
        for account, subject in found.items():
            self._remember(account, subject)
        return found

    def _made(self, names: Sequence[bytes]) -> dict[bytes, int]:
        subjects = self._fresh_subjects(len(names))
        rows = [(each, name, secrets.token_bytes(_KEY_LENGTH)) for each, name in zip(subjects, names, strict=True)]
        if rows:
            with self._db.transaction():
                self._db.executemany("insert into subjects (subject, account, key) values (?, ?, ?)", rows)
                self._db.execute("update secrets set enrolled = enrolled + ?", len(rows))
        for subject, _, key in rows:
            self._remember_key(subject, key)
        return {name: subject for subject, name, _ in rows}

    def _fresh_subjects(self, count: int) -> list[int]:
        """Near those that were made last, since each change writes whole pages of every index that has subjects.

        Spread at random over the places of 256 of them: a gap does not tell that somebody stood there.
        """
        first = self.enrolled + 1 if count else 0
        return [((first + n << _SPACING) + secrets.randbits(_SPREAD)) % _SUBJECTS for n in range(count)]

    def cipher(self, subject: int) -> AESGCM | None:
        """What seals and opens the subject's rows. None: it was erased."""
        known = self._ciphers.get(subject)
        if known is None:
            key = self._key(subject)
            if key is None:
                return None
            if len(self._ciphers) >= _MOST_CIPHERS:
                self._ciphers.clear()
            known = self._ciphers[subject] = AESGCM(key)
        return known

    def have_ready(self, subjects: Collection[int]) -> None:
        """Read their keys at once: one by one each would cost more than what it opens."""
        unknown = [each for each in subjects if each not in self._keys]
        if unknown:
            query = "select subject, key from subjects where subject in (select value from json_each(?))"
            for subject, key in self._db.rows(tuple[int, bytes], query, msgspec.json.encode(unknown).decode()):
                self._remember_key(subject, key)

    def _key(self, subject: int) -> bytes | None:
        key = self._keys.get(subject)
        if key is None:
            key = next(self._db.blobs("select key from subjects where subject = ?", subject), None)
            if key is not None:
                self._remember_key(subject, key)
        return key

    @property
    def shared(self) -> AESGCM:
        """What seals rows that are about many accounts. Another one after each erasure."""
        (key,) = self._db.blobs("select shared from secrets")
        return AESGCM(key)

    @property
    def enrolled(self) -> int:
        """How many subjects there ever were."""
        return self._db.number("select enrolled from secrets")

    @property
    def erasures(self) -> int:
        """The last erasure of the store's that these keys have followed."""
        return self._db.number("select erasures from secrets")

    def forget(self, subjects: Iterable[int], *, erasures: int) -> None:
        """Delete the keys of these subjects, durably and without a trace, and change the shared key."""
        with self._db.transaction():
            self._db.executemany("delete from subjects where subject = ?", [(each,) for each in subjects])
            self._db.execute("update secrets set shared = ?, erasures = ?", secrets.token_bytes(_KEY_LENGTH), erasures)
        self.refresh()

    def refresh(self) -> None:
        """Read again what is at hand: another program may have deleted keys."""
        self._subjects.clear()
        self._keys.clear()
        self._ciphers.clear()

    def clean(self) -> bool:
        """Leave no copy of a deleted key in the file or its log. False: a reader is in the way; try again."""
        # `secure_delete` is not enough: of rows that moved when a page was split, copies were seen to stay behind.
        self._db.rewrite()
        return self._db.forget_log()

    def all_subjects(self) -> set[int]:
        return {subject for (subject,) in self._db.rows(tuple[int], "select subject from subjects")}

    def close(self) -> None:
        self._db.close()

    def _account(self, account: AccountId) -> bytes:
        return self.hash(b"account", account)

    def _remember(self, account: AccountId, subject: int) -> None:
        if len(self._subjects) >= _MOST_AT_HAND:
            self._subjects.clear()
        self._subjects[account] = subject

    def _remember_key(self, subject: int, key: bytes) -> None:
        if len(self._keys) >= _MOST_AT_HAND:
            self._keys.clear()
        self._keys[subject] = key


def _demand_private(path: Path) -> None:
    """Windows has no such modes."""
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0
    if os.name == "posix" and mode & 0o077:
        raise StoreError(
            f"{path} can be read or written by others (mode {mode:04o}): with it everything about people can be read."
            f" Make it yours alone: chmod 600 {shlex.quote(str(path))}"
        )
