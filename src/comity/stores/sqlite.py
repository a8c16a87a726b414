"""The embedded store: one SQLite file, one writer, group commit.

The writer holds a lock file of its own for as long as it lives, so that two programs never decide side by side;
readers need no lock. SQLite comes bundled with `apsw`, because older versions have a WAL-reset fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import apsw
import msgspec

from comity.casework.facts import Decided, Fact, decode, encode
from comity.ledger.canonical import canonical_json
from comity.ledger.commitment import Opening
from comity.model.agreement import SourceFile
from comity.model.ids import AccountId, DecisionId, Digest, MessageId
from comity.model.message import Message
from comity.ports import Answer, OvertakenError, StoreError, Taken, Version, Write

RowT = TypeVar("RowT")

_FORMAT: Final = 1
_SCHEMA: Final = """
create table subjects (subject integer primary key, account text not null unique) strict;
create table messages (
  seq integer primary key, source text not null, id text not null, subject integer not null,
  sent integer not null, answer blob not null, trace blob not null, body blob, unique (source, id)
) strict;
create table facts (seq integer primary key, subject integer not null, decision text, body blob not null) strict;
create index facts_by_subject on facts (subject, seq);
create unique index facts_by_decision on facts (decision) where decision is not null;
create table versions (
  seq integer primary key, digest text not null, name text not null, effective integer not null, files blob not null
) strict;
create table entries (seq integer primary key, body blob not null) strict;
create table openings (entry text not null, field text not null, salt blob not null, value blob not null) strict;
create index openings_by_entry on openings (entry);
create table checkpoint (id integer primary key check (id = 1), body blob not null) strict;
"""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

_FILES: Final = msgspec.json.Decoder(tuple[SourceFile, ...])
_ANSWER: Final = msgspec.json.Decoder(Answer)
_MESSAGE: Final = msgspec.json.Decoder(Message)


class SqliteStore:
    """A store in one file. `StoreError` says when it is locked, damaged, full or of a newer format."""

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        self._path = path
        with self._explained():
            self._lock = _lock(path) if writes else None
            flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE if writes else apsw.SQLITE_OPEN_READWRITE
            self._db = apsw.Connection(str(path), flags=flags)
            self._db.set_busy_timeout(5_000)
            self._prepare()

    def _prepare(self) -> None:
        self._db.pragma("journal_mode", "wal")
        self._db.pragma("synchronous", "full")
        ((found,),) = self._rows(tuple[int], "pragma user_version")
        if found > _FORMAT:
            raise StoreError(f"{self._path} was written by a newer Comity (format {found}); update Comity to read it")
        if found == 0:
            self._path.chmod(0o600)
            with self._transaction():
                self._db.execute(_SCHEMA)
                self._db.pragma("user_version", _FORMAT)

    def append(self, write: Write) -> None:
        with self._explained(), self._transaction():
            self._demand_at(write)
            self._append_messages(write.messages)
            self._append_facts(write.facts)
            self._append_ledger(write)
            if write.version is not None:
                self._append_version(write.version)

    def _demand_at(self, write: Write) -> None:
        size, position = self.size, self.position
        if (write.size, write.position) != (size, position):
            raise OvertakenError(
                f"the ledger in {self._path} has {size} entries, not {write.size}, and the record {position} facts,"
                f" not {write.position}; read the store again"
            )

    def _append_messages(self, messages: Sequence[Taken]) -> None:
        self._enrol(taken.message.author for taken in messages)
        rows = [
            (
                taken.message.source,
                taken.message.id,
                taken.message.author,
                _micros(taken.message.sent),
                msgspec.json.encode(taken.answer),
                taken.trace,
                msgspec.json.encode(taken.message) if taken.keep_text else None,
            )
            for taken in messages
        ]
        insert = (
            "insert into messages (source, id, subject, sent, answer, trace, body)"
            " values (?, ?, (select subject from subjects where account = ?), ?, ?, ?, ?)"
        )
        try:
            self._db.executemany(insert, rows)
        except apsw.ConstraintError as error:
            raise OvertakenError(f"a message was taken into {self._path} before; read the store again") from error

    def _append_facts(self, facts: Sequence[Fact]) -> None:
        self._enrol(fact.account for fact in facts)
        rows = [(fact.account, fact.decision if isinstance(fact, Decided) else None, encode(fact)) for fact in facts]
        self._db.executemany(
            "insert into facts (subject, decision, body)"
            " values ((select subject from subjects where account = ?), ?, ?)",
            rows,
        )

    def _append_ledger(self, write: Write) -> None:
        self._db.executemany(
            "insert into entries (seq, body) values (?, ?)",
            [(write.size + number, entry) for number, entry in enumerate(write.entries)],
        )
        self._db.executemany(
            "insert into openings (entry, field, salt, value) values (?, ?, ?, ?)",
            [(each.entry_id, each.field, each.salt, canonical_json(each.value)) for each in write.openings],
        )
        if write.checkpoint:
            self._db.execute("insert or replace into checkpoint (id, body) values (1, ?)", (write.checkpoint,))

    def _append_version(self, version: Version) -> None:
        self._db.execute(
            "insert into versions (digest, name, effective, files) values (?, ?, ?, ?)",
            (version.digest, version.name, _micros(version.effective), msgspec.json.encode(version.files)),
        )

    def _enrol(self, accounts: Iterable[AccountId]) -> None:
        """A new account gets a random number, by which everything else names it."""
        self._db.executemany(
            "insert into subjects (subject, account) values (abs(random()), ?) on conflict (account) do nothing",
            [(account,) for account in dict.fromkeys(accounts)],
        )

    def versions(self) -> Sequence[Version]:
        query = "select digest, name, effective, files from versions order by seq"
        return tuple(
            Version(digest=Digest(digest), name=name, effective=_time(effective), files=_FILES.decode(files))
            for digest, name, effective, files in self._rows(tuple[str, str, int, bytes], query)
        )

    def facts_of(self, account: AccountId) -> Sequence[Fact]:
        query = "select body from facts where subject = (select subject from subjects where account = ?) order by seq"
        return tuple(map(decode, self._blobs(query, account)))

    def facts(self) -> Iterator[Fact]:
        return map(decode, self._blobs("select body from facts order by seq"))

    def account_of(self, decision: DecisionId) -> AccountId | None:
        query = "select account from facts join subjects using (subject) where decision = ?"
        return next((AccountId(account) for (account,) in self._rows(tuple[str], query, decision)), None)

    def answers(self, source: str, ids: Sequence[MessageId]) -> dict[MessageId, Answer]:
        query = "select id, answer from messages where source = ? and id in (select value from json_each(?))"
        rows = self._rows(tuple[str, bytes], query, source, msgspec.json.encode(ids).decode())
        return {MessageId(message): _ANSWER.decode(answer) for message, answer in rows}

    def message(self, source: str, message: MessageId) -> Message | None:
        query = "select body from messages where source = ? and id = ? and body is not null"
        return next(map(_MESSAGE.decode, self._blobs(query, source, message)), None)

    def traces(self, within: timedelta) -> Iterator[bytes]:
        query = "select trace from messages where sent >= (select max(sent) from messages) - ? order by seq"
        return self._blobs(query, within // _MICROSECOND)

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        return tuple(self._blobs("select body from entries where seq >= ? and seq < ? order by seq", start, end))

    def openings(self, entry: str) -> Sequence[Opening]:
        rows = self._rows(tuple[str, bytes, bytes], "select field, salt, value from openings where entry = ?", entry)
        return tuple(
            Opening(entry_id=entry, field=field, salt=salt, value=msgspec.json.decode(value))
            for field, salt, value in rows
        )

    @property
    def size(self) -> int:
        return self._last("select coalesce(max(seq) + 1, 0) from entries")

    @property
    def position(self) -> int:
        return self._last("select coalesce(max(seq), 0) from facts")

    @property
    def checkpoint(self) -> bytes:
        return next(self._blobs("select body from checkpoint"), b"")

    def close(self) -> None:
        self._db.close()
        if self._lock is not None:
            self._lock.close()

    def _last(self, query: str) -> int:
        ((number,),) = self._rows(tuple[int], query)
        return number

    def _rows(self, kind: type[RowT], query: str, *values: str | int) -> Iterator[RowT]:
        with self._explained():
            for row in self._db.execute(query, values):
                yield msgspec.convert(row, kind)

    def _blobs(self, query: str, *values: str | int) -> Iterator[bytes]:
        return (body for (body,) in self._rows(tuple[bytes], query, *values))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing. Where SQLite has rolled back by itself, as on a full disk, the cause is what is raised."""
        self._db.execute("begin immediate")
        try:
            yield
            self._db.execute("commit")
        finally:
            if self._db.in_transaction:
                self._db.execute("rollback")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """SQLite's faults, said in terms of what the operator can do."""
        try:
            yield
        except apsw.BusyError as error:
            raise StoreError(f"{self._path} is in use by another program; wait for it or stop it") from error
        except apsw.FullError as error:
            raise StoreError(
                f"the disk with {self._path} is full: nothing was recorded; free space, run again"
            ) from error
        except (apsw.CorruptError, apsw.NotADBError) as error:
            raise StoreError(f"{self._path} is damaged or no Comity store; restore a backup") from error
        except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.IOError) as error:
            raise StoreError(
                f"{self._path} cannot be opened or written: {error}; check who may write there, and the disk's space"
            ) from error
        except apsw.Error as error:
            raise StoreError(f"{self._path} cannot be used: {error}; restore a backup") from error


def _lock(path: Path) -> apsw.Connection:
    """Held until closed or until the process dies, on every system that SQLite runs on."""
    lock = apsw.Connection(str(path.with_suffix(".lock")))
    lock.set_busy_timeout(1_000)  # of two that begin at once neither has it at first
    lock.execute("begin exclusive")
    return lock


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _time(micros: int) -> datetime:
    return _EPOCH + micros * _MICROSECOND
