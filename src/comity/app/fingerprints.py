"""Names of archives by what they hold, so that what was found in one is found again, wherever the file is moved."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Final

import msgspec

from comity.intake.parts import Part

_SETTLED: Final = 2
"""Seconds after which a file's time is trusted to change with its content."""


class Fingerprints:
    """Remembers the digests of files by size and time of change, so that a file is read for it only once."""

    def __init__(self, file: Path, *, at: datetime) -> None:
        """`at`: the present."""
        self._file = file
        self._at = at
        self._known = _read(file)

    def names(self, parts: Sequence[Part], reading: str) -> dict[str, str]:
        """A name for each archive, by path. `reading`: how it is read (mapping, source)."""
        names: dict[str, str] = {}
        for archive in {part.archive.path: part.archive for part in parts}.values():
            origin = next(part.origin for part in parts if part.archive.path == archive.path)
            digests = [self._digest(path) for path in archive.files or (archive.path,)]
            said = "\n".join([reading, origin.source, origin.name, *digests])
            names[archive.path] = hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
        self._keep()
        return names

    def _digest(self, path: str) -> str:
        there = os.stat(path)
        place, stamp = os.path.abspath(path), f"{there.st_size} {there.st_mtime_ns} {there.st_ino}"
        known = self._known.get(place)
        if known is not None and known[0] == stamp:
            return known[1]
        with open(path, "rb") as file:
            digest, changed = _digest_of(file), os.fstat(file.fileno()).st_mtime
        if changed + _SETTLED < self._at.timestamp():
            self._known[place] = (stamp, digest)
        return digest

    def _keep(self) -> None:
        aside = self._file.with_name(f"{self._file.name}.{os.getpid()}.tmp")
        aside.write_bytes(msgspec.json.encode(self._known))
        aside.replace(self._file)


def _digest_of(file: BufferedReader) -> str:
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _read(file: Path) -> dict[str, tuple[str, str]]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, tuple[str, str]])
    except (OSError, msgspec.MsgspecError):
        return {}
