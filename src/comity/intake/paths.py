"""From what a command line names to archives: files, folders of mails, globs, standard input; and their format."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from comity.intake.problems import ArchiveError
from comity.intake.streams import Opened

STDIN: Final = "-"
_HIDDEN: Final = "."
_UNFINISHED: Final = "tmp"  # of a Maildir: mails that are being delivered


class Format(StrEnum):
    PARQUET = "parquet"
    JSON_LINES = "JSON Lines"
    CSV = "CSV"
    MBOX = "mbox"
    MAIL = "mail"


_SUFFIXES: Final = {
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".json": Format.JSON_LINES,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".mbox": Format.MBOX,
    ".eml": Format.MAIL,
}
_COMPRESSED: Final = frozenset((".gz", ".bz2", ".xz", ".zst"))
_BEGINNINGS: Final = (
    (Format.PARQUET, re.compile(rb"PAR1")),
    (Format.JSON_LINES, re.compile(rb"\s*\{")),
    (Format.MBOX, re.compile(rb"From ")),
    (Format.MAIL, re.compile(rb"[!-9;-~]{1,76}:[ \t\r\n]")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Something to read messages from. `files` are set for a folder of mails, one in each."""

    path: str
    name: str
    size: int
    files: tuple[str, ...] = ()

    @property
    def is_stdin(self) -> bool:
        return self.path == STDIN


def expand(paths: Sequence[str]) -> tuple[Archive, ...]:
    """The archives that `paths` name, each once, in that order; `ArchiveError` if one names nothing."""
    if not paths:
        raise ArchiveError("", "no archive is named", "name a file, a folder of mails, or - for standard input")
    every = dict.fromkeys(found for path in paths for found in _matches(path))
    return tuple(_archive(path) for path in every)


def _matches(path: str) -> list[str]:
    if path == STDIN or os.path.exists(path):
        return [path]
    if found := sorted(glob.glob(path, recursive=True)):
        return [one for one in found if os.path.isfile(one)] or found
    raise ArchiveError(shown(path), "there is no such file", "check its name, or quote the glob")


def _archive(path: str) -> Archive:
    if path == STDIN:
        return Archive(path=STDIN, name="stdin", size=0)
    name = shown(Path(path).resolve().name)
    if os.path.isdir(path):
        files = tuple(_mails_in(path))
        return Archive(path=path, name=name, size=sum(map(os.path.getsize, files)), files=files)
    if not os.path.isfile(path):
        raise ArchiveError(shown(path), "this is neither a file nor a folder", "pipe it in, and name it -")
    return Archive(path=path, name=name, size=os.path.getsize(path))


def _mails_in(folder: str) -> Iterator[str]:
    """A folder's files in order of name, as a Maildir or a corpus has them; never those of another format."""
    is_empty = True
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith(_HIDDEN) and one != _UNFINISHED)
        for name in sorted(one for one in files if not one.startswith(_HIDDEN)):
            if by_suffix(name) not in (None, Format.MAIL):
                what = f"the folder holds {shown(name)}, which is no mail"
                raise ArchiveError(shown(folder), what, "name its files with a glob, such as 'FOLDER/*.parquet'")
            is_empty = False
            yield os.path.join(place, name)
    if is_empty:
        raise ArchiveError(shown(folder), "the folder is empty", "name a folder with one mail in each file")


def shown(path: str) -> str:
    """A path as text that is Unicode, whatever the bytes of its name are."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def format_of(name: str, opened: Opened) -> Format:
    """By the suffix of its name, else by how it begins; `ArchiveError` if neither tells."""
    if known := by_suffix(name):
        return known
    start = next(opened.chunks(), b"")
    opened.raw.seek(0)
    for known, beginning in _BEGINNINGS:
        if beginning.match(start):
            return known
    suffixes = ", ".join(_SUFFIXES)
    raise ArchiveError(opened.name, "its format is unknown", f"give it one of the suffixes {suffixes}")


def by_suffix(name: str) -> Format | None:
    """The format that the suffix of a name tells, that of a compression left out."""
    path = Path(name.lower())
    return _SUFFIXES.get(Path(path.stem).suffix if path.suffix in _COMPRESSED else path.suffix)
