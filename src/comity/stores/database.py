"""One SQLite file, opened with the durability that the record needs, and its faults in an operator's words.

SQLite comes bundled with `apsw`, because older versions have a WAL-reset fault.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from types import GenericAlias
from typing import Final, TypeVar

import apsw
import msgspec

from comity.ports import StoreError

RowT = TypeVar("RowT")
_OLDEST: Final = (3, 51, 3)
_CACHE_KIB: Final = 64 << 10
_LOG_PAGES: Final = 8192
"""Keys are spread at random over their index; with SQLite's own, smaller limits each page is written many times."""
_MOST_LOG_PAGES: Final = 2 * _LOG_PAGES
_LONG_LOG_PAGES: Final = 4 * _LOG_PAGES
_PLACES: Final = re.compile(r"(?<= values )\([?, ]+\)")
_AT_ONCE: Final = (64, 16, 4)
"""Rows: of few numbers, so that SQLite finds the statements prepared."""
_READ_AT_ONCE: Final = 100
"""Rows that are held against their types together: alone each would take thirty times as long over that."""
_STATEMENTS: Final = 200  # prepared
_UNTIL_READ: Final = 100  # milliseconds
_PATIENCE: Final = 5_000  # milliseconds
_DAMAGES: Final = (apsw.CorruptError, apsw.NotADBError)
Value = str | int | bytes | None


class Database:
    """A file of tables. Every method raises `StoreError`, saying what the operator can do."""

    def __init__(self, path: Path, *, creates: bool, mend: str = "restore a backup") -> None:
        """`mend`: what to do if the file is damaged."""
        self.path, self._mend, self._readers_asked_at = path, mend, _LONG_LOG_PAGES
        self._is_whole = True  # what the transaction has until now
        self._pages = 0  # of the write-ahead log, after the last commit
        demand_safe(apsw.sqlite_lib_version())
        if creates:
            _make_private(path)
        flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if creates else 0)
        with self._explained():
            self._connection = apsw.Connection(str(path), flags=flags, statementcachesize=_STATEMENTS)
            self._connection.set_busy_timeout(_PATIENCE)
            self._connection.pragma("journal_mode", "wal")
            self._connection.pragma("synchronous", "full")
            self._connection.pragma("cache_size", -_CACHE_KIB)
            self._connection.set_wal_hook(self._move_log)
            self._connection.pragma("secure_delete", True)  # what is deleted is overwritten with zeros
            self._connection.pragma("temp_store", "memory")  # and nothing is copied to where nobody looks for it

    @property
    def format(self) -> int:
        """The number that its writer gave its format; 0: nothing was written yet."""
        return self.number("pragma user_version")

    def declare(self, format_: int, schema: str) -> None:
        """Make the tables of a format, inside a transaction."""
        with self._explained():
            self._connection.execute(schema)
            self._connection.pragma("user_version", format_)

    def number(self, query: str, *values: Value) -> int:
        ((number,),) = self.rows(tuple[int], query, *values)
        return number

    def blobs(self, query: str, *values: Value) -> Iterator[bytes]:
        return (body for (body,) in self.rows(tuple[bytes], query, *values))

    def rows(self, kind: type[RowT], query: str, *values: Value) -> Iterator[RowT]:
        with self._explained():
            rows, several = self._connection.execute(query, values), GenericAlias(list, (kind,))
            while some := list(islice(rows, _READ_AT_ONCE)):
                yield from msgspec.convert(some, several)

    def execute(self, statement: str, *values: Value) -> None:
        with self._explained():
            self._connection.execute(statement, values)

    def executemany(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        """Only in a transaction that ends with what it raises; `apsw.ConstraintError` only the caller can explain.

        Rows are inserted several by one statement: that takes less, and gives the interpreter away less often.
        """
        every, done = list(rows), 0
        with self._explained():
            for count, for_several in _for_several(statement):
                while len(every) - done >= count:
                    some = every[done : done + count]
                    self._connection.execute(for_several, tuple(chain.from_iterable(some)))
                    done += count
            self._connection.executemany(statement, every[done:])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Where SQLite has rolled back by itself, as on a full disk, the cause is what is raised."""
        with self._explained(), ExitStack() as unless_kept:
            self._connection.execute("begin immediate")
            self._is_whole = True
            unless_kept.callback(self._undo)
            yield
            if not self._is_whole:
                raise StoreError(f"a part of what {self.path} was to keep together failed, so nothing of it was kept")
            self._connection.execute("commit")
            unless_kept.pop_all()

    @contextmanager
    def part(self) -> Iterator[None]:
        """Of a transaction: if this fails, nothing of the whole can be kept.

        A savepoint would undo the part alone, and for that copies each page that the part changes.
        """
        was_whole, self._is_whole = self._is_whole, False
        yield
        self._is_whole = was_whole

    def _undo(self) -> None:
        if self.in_transaction:
            self._connection.execute("rollback")

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is read inside is of one moment."""
        self.execute("begin")
        try:
            yield
        finally:
            self.execute("commit")

    def rewrite(self) -> None:
        """The file anew with nothing but what it holds: no trace of what was moved or deleted."""
        self.execute("vacuum")

    def forget_log(self) -> bool:
        """Empty the write-ahead log. False: a reader still needs it."""
        ((busy, _, _),) = self.rows(tuple[int, int, int], "pragma wal_checkpoint(truncate)")
        return not busy

    def take_all(self, other: Database) -> None:
        """Become a copy of `other` as it is at one moment."""
        with self._explained(), self._connection.backup("main", other._connection, "main") as backup:
            backup.step()
        if fault := self.fault():
            raise StoreError(f"the copy {self.path} is damaged: {fault}; check the disk, and back up again")

    def fault(self) -> str:
        """What is damaged; empty: nothing. Reads the whole file."""
        (found,), *_ = self.rows(tuple[str], "pragma quick_check(1)")
        return "" if found == "ok" else found

    def _move_log(self, connection: apsw.Connection, name: str, pages: int) -> int:
        """After a commit: move the write-ahead log into the file, as SQLite does by itself. What fails is tried again.

        While somebody always reads, the log would never end: where it is long, those who read now are waited for.
        """
        self._pages = pages
        try:
            if pages >= self._readers_asked_at:
                self._readers_asked_at = pages + _LONG_LOG_PAGES
                connection.set_busy_timeout(_UNTIL_READ)
                connection.wal_checkpoint(name, apsw.SQLITE_CHECKPOINT_RESTART)
                self._readers_asked_at = _LONG_LOG_PAGES
            elif pages >= _MOST_LOG_PAGES:
                connection.wal_checkpoint(name)
        except apsw.Error:
            pass
        finally:
            connection.set_busy_timeout(_PATIENCE)
        return apsw.SQLITE_OK

    def tidy(self) -> None:
        """Move the write-ahead log into the file if it is long enough: who is at leisure saves a commit the time."""
        if self._pages >= _LOG_PAGES:
            with suppress(apsw.Error):
                self._connection.wal_checkpoint()

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    @property
    def changes_by_others(self) -> int:
        """Another number whenever another connection has written; cheap to ask."""
        return self.number("pragma data_version")

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """SQLite's faults, said in terms of what the operator can do."""
        try:
            yield
        except apsw.ConstraintError:
            raise
        except apsw.BusyError as error:
            raise StoreError(f"{self.path} is in use by another program; wait for it or stop it") from error
        except apsw.FullError as error:
            raise StoreError(
                f"the disk with {self.path} is full: nothing was recorded; free space, run again"
            ) from error
        except _DAMAGES as error:
            raise StoreError(f"{self.path} is damaged or no Comity store; {self._mend}") from error
        except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.IOError) as error:
            raise StoreError(
                f"{self.path} cannot be opened or written: {error}; check who may write there, and the disk's space"
            ) from error
        except apsw.Error as error:
            raise StoreError(f"{self.path} cannot be used: {error}; {self._mend}") from error


@lru_cache
def _for_several(statement: str) -> tuple[tuple[int, str], ...]:
    """The same for so many rows at once, the most first; none if it inserts nothing.

    `or fail`: what went before in the statement is undone with its transaction, so that no pages are kept for that.
    """
    found = _PLACES.search(statement)
    if found is None:
        return ()
    places, whole = found[0], statement.replace("insert into", "insert or fail into")
    return tuple((count, whole.replace(places, ", ".join([places] * count))) for count in _AT_ONCE)


def opened(path: Path, format_: int, schema: str, *, mend: str = "restore a backup") -> Database:
    """A file that has all its tables since its beginning, made where there is none. Raises `StoreError`."""
    db = Database(path, creates=True, mend=mend)
    if db.format > format_:
        raise StoreError(f"{path} was written by a newer Comity; update Comity to read it")
    if db.format == 0:
        with db.transaction():
            if db.format == 0:  # nobody else was faster
                db.declare(format_, schema)
    return db


def is_damaged(path: Path) -> bool:
    """Reads the whole file. Raises `StoreError` if that cannot be said."""
    try:
        with closing(Database(path, creates=False)) as db:
            return bool(db.fault())
    except StoreError as error:
        if isinstance(error.__cause__, _DAMAGES):
            return True
        raise


def demand_safe(version: str) -> None:
    """Raises `StoreError` for an SQLite that can lose committed writes: https://sqlite.org/wal.html#walresetbug."""
    if tuple(map(int, version.split("."))) < _OLDEST:
        raise StoreError(
            f"SQLite {version} can lose what was committed; Comity needs {'.'.join(map(str, _OLDEST))} or newer."
            " Install `apsw` as a wheel, which brings its own: pip install --force-reinstall --only-binary :all: apsw"
        )


def copied(source: Path, target: Path) -> None:
    """Copy a database as it is at one moment, also while others write it; check the copy. Raises `StoreError`."""
    with closing(Database(source, creates=False)) as one, closing(Database(target, creates=True)) as other:
        other.take_all(one)


def made_durable(*folders: Path) -> None:
    """Names that were given in these folders outlive a cut of power."""
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _make_private(path: Path) -> None:
    """Before SQLite makes it: what it puts beside the file, such as its log, then is nobody else's to read either."""
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be opened or written: {error.strerror}; check who may write there, and the disk's space"
        ) from error


class Lock:
    """Held by one at a time, and let go when its process dies, on every system that SQLite runs on."""

    def __init__(self, path: Path, *, patience: int) -> None:
        """For the store at `path`. Whoever finds it held waits for `patience` milliseconds. Raises `StoreError`."""
        self._path = path
        with self._explained():
            self._connection = apsw.Connection(str(path.with_suffix(".lock")))
            self._connection.set_busy_timeout(patience)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raises `StoreError` if somebody else has it for too long."""
        with self._explained():
            self._connection.execute("begin exclusive")
        try:
            yield
        finally:
            self._connection.execute("rollback")

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except apsw.BusyError as error:
            raise StoreError(f"{self._path} is in use by another program; wait for it or stop it") from error
        except apsw.Error as error:
            raise StoreError(
                f"{self._path} cannot be opened or written: {error}; check who may write there, and the disk's space"
            ) from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Alone until the end. Raises `StoreError`."""
    with closing(Lock(path, patience=1_000)) as lock, lock.held():  # of two that begin at once neither has it at first
        yield
