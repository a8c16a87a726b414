"""Columns of archives on disk, so that a changed number in a draft needs no second look at the messages.

    FOLDER/key                            makes the hashes; random, for this folder alone
    FOLDER/ARCHIVE/done                   how many parts the archive has, once all of them are known
    FOLDER/ARCHIVE/PART/about             how many messages, what was rejected
    FOLDER/ARCHIVE/PART/COLUMN            one column; bits where it is true or false, else as narrow as its numbers

All of it can be deleted at any time. What was used longest ago goes first when the folder grows too large. A file that
is damaged counts as missing. Readable by its owner alone: rejects hold what people wrote.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.bool_] | NDArray[np.int64] | NDArray[np.float64]

LARGEST: Final = 8 << 30
"""Bytes that a folder may hold before what was used longest ago goes."""

_KEY: Final = "key"
_DONE: Final = "done"
_ABOUT: Final = "about"
_BITS: Final = b"bits"
_KINDS: Final = (b"|i1", b"<i2", b"<i4", b"<i8", b"<f8")
_HEAD: Final = 16
_DAMAGE: Final = (OSError, ValueError, EOFError, msgspec.MsgspecError)


class FeatureFiles:
    """A folder of columns. Several programs may use it at once: files appear whole, or not at all."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder. Raises `OSError` where it cannot be written."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder: Final = folder
        if not (folder / _KEY).exists():
            _write(folder / _KEY, secrets.token_bytes(32))
        self.key: Final = (folder / _KEY).read_bytes()

    def shelf(self, archive: str) -> Shelf:
        """The columns of one archive; `archive` names its bytes and how they are read, in hexadecimal."""
        return Shelf(self.folder / archive)

    def tidy(self, *, largest: int = LARGEST, besides: Iterable[str] = ()) -> None:
        """Deletes the archives used longest ago until the folder is small enough; never those named."""
        shelves = [place for place in self.folder.iterdir() if place.is_dir() and place.name not in set(besides)]
        sizes = {place: _size(place) for place in self.folder.iterdir() if place.is_dir()}
        total = sum(sizes.values())
        for place in sorted(shelves, key=_used):
            if total <= largest:
                return
            shutil.rmtree(place, ignore_errors=True)
            total -= sizes[place]


class Shelf:
    """The columns of one archive, part by part. Pickles, so that other processes fill it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def parts(self) -> int | None:
        """How many parts the archive has; None while that is not known."""
        with suppress(*_DAMAGE):
            return int((self._folder / _DONE).read_bytes())
        return None

    def finish(self, parts: int) -> None:
        """All parts are there."""
        _write(self._folder / _DONE, str(parts).encode())

    def about(self, part: int) -> bytes | None:
        """What was kept about the part; None if it is not there."""
        with suppress(*_DAMAGE):
            return (self._place(part) / _ABOUT).read_bytes()
        return None

    def note(self, part: int, about: bytes) -> None:
        _write(self._place(part) / _ABOUT, about)

    def has(self, part: int, keys: Iterable[str]) -> frozenset[str]:
        """Those of the columns that the part has."""
        there: frozenset[str] = frozenset()
        with suppress(*_DAMAGE):
            there = frozenset(os.listdir(self._place(part)))
        return frozenset(key for key in keys if _file_name(key) in there)

    def save(self, part: int, columns: Mapping[str, Column]) -> None:
        for key, column in columns.items():
            _write(self._place(part) / _file_name(key), _packed(column))

    def load(self, part: int, key: str) -> Column | None:
        """The column; None if it is missing or damaged, and then it is gone."""
        place = self._place(part) / _file_name(key)
        with suppress(*_DAMAGE):
            return _unpacked(place.read_bytes())
        with suppress(OSError):
            place.unlink(missing_ok=True)
        return None

    def use(self) -> None:
        """Marks the archive as used now."""
        with suppress(*_DAMAGE):
            os.utime(self._folder)

    def _place(self, part: int) -> Path:
        return self._folder / str(part)


def _file_name(key: str) -> str:
    """Keys that an archive's own words are part of could be anything."""
    is_plain = key.isascii() and key.replace("-", "").isalnum() and key.islower() and len(key) <= 64
    return key if is_plain else "x" + blake2b(key.encode(), digest_size=16).hexdigest()


def _packed(column: Column) -> bytes:
    """A checksum, how many values there are, what they are, and the values."""
    if column.dtype == np.bool_:
        kind, body = _BITS, np.packbits(column.astype(np.bool_)).tobytes()
    else:
        narrow = _narrow(column)
        kind, body = narrow.dtype.str.encode(), narrow.tobytes()
    content = len(column).to_bytes(8, "little") + kind.ljust(4) + body
    return crc32(content).to_bytes(4, "little") + content


def _narrow(column: Column) -> NDArray[np.generic]:
    if column.dtype != np.int64:
        return column
    least, most = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    kind = next(kind for kind in (np.int8, np.int16, np.int32, np.int64) if _fits(least, most, kind))
    return column.astype(kind)


def _fits(least: int, most: int, kind: type[np.signedinteger]) -> bool:
    return np.iinfo(kind).min <= least and most <= np.iinfo(kind).max


def _unpacked(content: bytes) -> Column:
    """The column of `_packed`; `ValueError` for anything else."""
    if crc32(content[4:]).to_bytes(4, "little") != content[:4] or len(content) < _HEAD:
        raise ValueError("no column, or not all of it")
    size, kind, body = int.from_bytes(content[4:12], "little"), content[12:_HEAD].strip(), content[_HEAD:]
    if kind == _BITS:
        return np.unpackbits(np.frombuffer(body, np.uint8), count=size).astype(np.bool_)
    if kind not in _KINDS:
        raise ValueError("no column that this Comity writes")
    held = np.frombuffer(body, np.dtype(kind.decode()))
    return held.astype(np.float64) if held.dtype.kind == "f" else held.astype(np.int64)


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all; `OSError` with the place, which then has no more of it."""
    aside = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
            opened.write(content)
        aside.replace(file)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        raise type(error)(error.errno, error.strerror, str(file.parent)) from error


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def _used(folder: Path) -> float:
    return folder.stat().st_mtime
