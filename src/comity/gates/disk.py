"""A replica on disk: a file with everything as it was, and a journal of what changed since. A change costs O(change).

`base-N` holds the columns as they are in memory and a checksum; `journal-N` a line for each change after it. A line
that was torn, or that does not give its checksum, ends the journal: the centre tells the rest again. When the journal
has outgrown the base, or somebody was erased, both are written anew under the next number, synced and renamed; only
then the old ones go.

What `append` wrote survives the end of the process; after `sync` it survives a cut of power too.
"""

from __future__ import annotations

import os
import sys
import zlib
from array import array
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import Final, Self

import msgspec

from comity.gates.kept import Kept
from comity.gates.records import COLUMNS, Records, Terms
from comity.gates.replica import Known, Replica
from comity.ledger.feed import Change, FeedEntry, Skipped
from comity.ledger.plan_digest import MODULUS

_LEAST_JOURNAL: Final = 16 << 20
_LONGEST_HEAD: Final = 1 << 28

if sys.platform != "win32":
    from fcntl import LOCK_EX, LOCK_NB, flock


class DiskError(Exception):
    """The folder cannot be used; the message says why and what to do."""


class _Columns(msgspec.Struct, frozen=True, kw_only=True):
    sizes: tuple[int, ...]
    terms: tuple[Terms, ...]


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a base."""

    format: int
    byteorder: str
    epoch: str
    cursor: int
    digest: str
    offset: float  # seconds
    unproven: dict[int, datetime]
    records: _Columns
    kept: _Columns


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the journal. Neither `change` nor `skipped`: only the offset is news."""

    change: FeedEntry | None = None
    skipped: Skipped | None = None
    believed: datetime | None = None
    offset: float


_COARSE: Final = 0.5  # seconds of offset that are not worth writing down
_FORMAT: Final = 1
_HEAD: Final = msgspec.json.Decoder(_Head)
_LINE: Final = msgspec.json.Decoder(_Line)
_ENCODER: Final = msgspec.json.Encoder()


class Disk:
    """The folder of one gate; one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Raises `DiskError` if another process has it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._number, self._journal, self._base_size, self._offset = folder, 0, -1, 0, 0.0
        self._holds_erased = False
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if sys.platform != "win32":
                flock(self._lock, LOCK_EX | LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise DiskError(f"another gate uses {folder}: give each gate a folder of its own") from error

    def load(self, replica: Replica) -> None:
        """Know again what is on disk; of files that cannot be read nothing."""
        for path in sorted(self._folder.glob("base-*[0-9]"), key=_number_of, reverse=True):
            known = _load(path, replica)
            if known is None:
                replica.warn("disk", f"{path} cannot be read; it is left out")
                continue
            self._number, self._base_size = _number_of(path), path.stat().st_size
            replica.known = known
            self._replay(replica)
            return

    def append(self, changes: Sequence[tuple[Change, datetime | None]], offset: timedelta) -> None:
        """Write changes down, each with how long it is believed.

        Raises `OSError`; then nothing is appended any more until all is written anew.
        """
        self._holds_erased |= any(_is_erasure(change) for change, _ in changes)
        if self._journal >= 0:
            seconds = offset.total_seconds()
            self._append([_line(change, believed, seconds) for change, believed in changes], seconds)

    def keep_offset(self, offset: timedelta) -> None:
        """Write down how far the clocks are apart, if that changed. Raises `OSError`."""
        if self._journal >= 0 and abs(offset.total_seconds() - self._offset) > _COARSE:
            self._append([_Line(offset=offset.total_seconds())], offset.total_seconds())

    def _append(self, lines: Sequence[_Line], offset: float) -> None:
        self._offset = offset
        contents = map(_ENCODER.encode, lines)
        try:
            _write(self._journal, b"".join(b"%08x %s\n" % (zlib.crc32(each), each) for each in contents))
        except OSError:
            self._end_journal()
            raise

    def sync(self) -> None:
        """Raises `OSError`."""
        if self._journal >= 0:
            os.fsync(self._journal)

    @property
    def is_due(self) -> bool:
        """Whether it is time to `write` everything: the journal is longer than the base, or somebody erased in them."""
        if self._journal < 0 or self._holds_erased:
            return True
        return os.fstat(self._journal).st_size > max(_LEAST_JOURNAL, self._base_size)

    def write(self, replica: Replica) -> None:
        """Everything anew. Raises `OSError`: the old files hold still, and nothing is appended until it succeeds."""
        if replica.known is None:
            return
        self._end_journal()
        number = self._number + 1
        base, journal = self._folder / f"base-{number}", self._folder / f"journal-{number}"
        _write_base(base.with_suffix(".new"), replica, replica.known)
        created = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.fsync(created)
        os.replace(base.with_suffix(".new"), base)
        self._sync_folder()
        self._number, self._journal, self._base_size = number, created, base.stat().st_size
        self._holds_erased = False
        self._offset = replica.offset.total_seconds()
        self._drop_old()

    def close(self) -> None:
        self._end_journal()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end_journal(self) -> None:
        if self._journal >= 0:
            os.close(self._journal)
        self._journal = -1

    def _replay(self, replica: Replica) -> None:
        path = self._folder / f"journal-{self._number}"
        self._journal = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with path.open("rb") as file:
            good = 0
            for line in file:
                read = _read_line(line)
                known = replica.known
                change = (read.change or read.skipped) if read else None
                if read is None or known is None or (change and change.since != known.cursor + 1):
                    if line.endswith(b"\n"):  # else it was torn, as the end of a killed process leaves it
                        replica.warn("disk", f"{path} cannot be read from byte {good} on; the rest is left out")
                    break
                if change is not None:
                    replica.put(change, read.believed)
                    self._holds_erased |= _is_erasure(change)
                self._offset = read.offset
                replica.offset = timedelta(seconds=read.offset)
                good += len(line)
        os.ftruncate(self._journal, good)

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _drop_old(self) -> None:
        for path in self._folder.glob("*-*"):
            if _number_of(path) != self._number:
                path.unlink(missing_ok=True)


def _is_erasure(change: Change) -> bool:
    return isinstance(change, FeedEntry) and change.account is None


def _line(change: Change, believed: datetime | None, offset: float) -> _Line:
    if isinstance(change, Skipped):
        return _Line(skipped=change, offset=offset)
    bare = tuple(msgspec.structs.replace(span, proof=None, opening=None) for span in change.plan)
    return _Line(change=msgspec.structs.replace(change, plan=bare), believed=believed, offset=offset)


def _number_of(path: Path) -> int:
    number = path.name.partition("-")[2]
    return int(number) if number.isdecimal() else -1


def _write(descriptor: int, content: bytes) -> None:
    """All of it, in one call unless the disk takes less."""
    while content:
        content = content[os.write(descriptor, content) :]


def _read_line(line: bytes) -> _Line | None:
    check, _, content = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or check != b"%08x" % zlib.crc32(content):
        return None
    try:
        return _LINE.decode(content)
    except msgspec.MsgspecError:
        return None


def _columns(records: Records) -> tuple[bytearray | array[int], ...]:
    return tuple(getattr(records, name) for name in COLUMNS)


def _described(records: Records) -> _Columns:
    return _Columns(sizes=tuple(map(len, _columns(records))), terms=tuple(records.terms))


def _write_base(path: Path, replica: Replica, known: Known) -> None:
    records, kept = known.records, replica.kept.records
    head = _Head(
        format=_FORMAT,
        byteorder=sys.byteorder,
        epoch=known.epoch,
        cursor=known.cursor,
        digest=f"{known.digest:064x}",
        offset=replica.offset.total_seconds(),
        unproven=known.unproven,
        records=_described(records),
        kept=_described(kept),
    )
    check = 0
    with path.open("wb") as file:
        for piece in (_ENCODER.encode(head) + b"\n", *_columns(records), *_columns(kept)):
            with memoryview(piece) as view:
                check = zlib.crc32(view, check)
                file.write(view)
        file.write(check.to_bytes(4))
        file.flush()
        os.fsync(file.fileno())


def _load(path: Path, replica: Replica) -> Known | None:
    """What a base holds; None if it is not whole."""
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_HEAD)
            head = _HEAD.decode(line)
            sizes = [*_bytes(head.records), *_bytes(head.kept)]
            if (head.format, head.byteorder) != (_FORMAT, sys.byteorder):
                return None
            if len(line) + sum(sizes) + 4 != os.fstat(file.fileno()).st_size:
                return None
            records, kept = _Reader(file, zlib.crc32(line)).pair(head)
    except (OSError, ValueError):
        return None
    replica.kept, replica.offset = Kept.of(kept), timedelta(seconds=head.offset)
    return Known(
        epoch=head.epoch,
        cursor=head.cursor,
        digest=int(head.digest, 16) % MODULUS,
        records=records,
        unproven=dict(head.unproven),
    )


def _bytes(columns: _Columns) -> Iterator[int]:
    """How long each column is in the file."""
    for column, size in zip(_columns(Records()), columns.sizes, strict=True):
        yield size * (column.itemsize if isinstance(column, array) else 1)


class _Reader:
    """Columns out of a file, with the checksum of what was read."""

    def __init__(self, file: BufferedReader, check: int) -> None:
        self._file, self._check = file, check

    def pair(self, head: _Head) -> tuple[Records, Records]:
        """The records and the kept ones. Raises `ValueError` if the checksum at the end is another one."""
        records, kept = self._read(head.records), self._read(head.kept)
        if self._file.read() != self._check.to_bytes(4):
            raise ValueError("the checksum is wrong")
        for one in (records, kept):
            one.find_names()
        return records, kept

    def _read(self, columns: _Columns) -> Records:
        records = Records(terms=list(columns.terms))
        for name, size in zip(COLUMNS, columns.sizes, strict=True):
            column: bytearray | array[int] = getattr(records, name)
            if isinstance(column, array):
                column = array(column.typecode)
                column.fromfile(self._file, size)
            else:
                column = bytearray(size)
                self._file.readinto(column)
            setattr(records, name, column)
            with memoryview(column) as view:
                self._check = zlib.crc32(view, self._check)
        return records
