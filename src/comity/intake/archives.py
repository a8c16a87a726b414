"""Reads archives of messages one after the other, whatever their format, in batches and bounded memory.

A bad record becomes a `Reject`, a broken archive the `problem` of its last batch; neither stops the others. Only a
request that makes no sense (no such file, no such field) raises, before anything is read.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from comity.intake import delimited, json_lines, mails, parquet
from comity.intake.columns import Columns, check
from comity.intake.paths import STDIN, Archive, Format, expand, format_of, shown
from comity.intake.problems import ArchiveError, Reject
from comity.intake.records import Origin, Taken
from comity.intake.streams import Opened
from comity.model.message import Message

_READERS: Final[Mapping[Format, Callable[[Opened, Origin], Iterator[Taken]]]] = {
    Format.PARQUET: parquet.read,
    Format.JSON_LINES: json_lines.read,
    Format.CSV: delimited.read,
    Format.MBOX: mails.read_mbox,
    Format.MAIL: mails.read_mail,
}
NO_MAPPING: Final[Mapping[str, str]] = MappingProxyType({})
JUNK_LIMIT: Final = 1000
"""Where so many records in a row are bad and none was good, the archive is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some records of one archive, in its order, and how far reading has come: `done` of `total` stored bytes.

    `total` is `None` while standard input is among the archives. `problem` stands in an archive's last batch alone.
    """

    archive: str
    messages: tuple[Message, ...] = ()
    rejects: tuple[Reject, ...] = ()
    problem: ArchiveError | None = None
    done: int
    total: int | None


def read_archives(
    paths: Sequence[str],
    *,
    source: str | None = None,
    mapping: Mapping[str, str] = NO_MAPPING,
    stdin: io.BufferedReader | None = None,
) -> Iterator[Batch]:
    """All messages of files, folders of mails, globs and (as `-`) standard input; see `docs/archives.md`.

    `source` is each message's source, by default the name of its file. `mapping` is explained in `columns`. Raises
    `ArchiveError` at once if a path names nothing or the mapping no field.
    """
    columns = check(mapping)
    archives = expand(paths)
    if any(archive.is_stdin for archive in archives) and stdin is None:
        raise ArchiveError("-", "there is no standard input", "name a file")
    refuse_same_numbers(archives, columns)
    return _read_all(archives, source, columns, stdin)


def refuse_same_numbers(archives: Sequence[Archive], columns: Columns) -> None:
    """Raises `ArchiveError` where ids made of names and numbers would not tell records apart."""
    names = Counter(archive.name for archive in archives)
    if columns.is_numbered and (twice := [name for name, count in names.items() if count > 1]):
        what = f"records of two archives named {twice[0]} would get the same ids"
        raise ArchiveError("", what, "rename one, or map `id` to a column")


def _read_all(
    archives: Sequence[Archive], source: str | None, columns: Columns, stdin: io.BufferedReader | None
) -> Iterator[Batch]:
    before = 0
    total = None if any(archive.is_stdin for archive in archives) else sum(archive.size for archive in archives)
    for archive in archives:
        origin = Origin(source=archive.name if source is None else source, name=archive.name, columns=columns)
        for taken, problem in read_archive(archive, origin, stdin=stdin):
            yield Batch(
                archive=shown(archive.path),
                messages=taken.messages,
                rejects=taken.rejects,
                problem=problem,
                done=before + int((taken.share or 0) * archive.size),
                total=total,
            )
        before += archive.size


def read_archive(
    archive: Archive,
    origin: Origin,
    *,
    stdin: io.BufferedReader | None = None,
    stretch: parquet.Stretch | None = None,
) -> Iterator[tuple[Taken, ArchiveError | None]]:
    """What the archive (or a stretch of a Parquet file) gives; where it breaks, the problem as the last."""
    name = shown(archive.path)
    has_messages, rejects = False, 0
    try:
        for taken in _taken(archive, origin, stdin, stretch):
            yield taken, None
            has_messages = has_messages or bool(taken.messages)
            rejects += len(taken.rejects)
            if rejects >= JUNK_LIMIT and not has_messages:
                what = f"not one of the first {rejects:,} records can be read"
                raise ArchiveError(name, what, f"the last of them: {taken.rejects[-1]}")
    except ArchiveError as error:
        yield Taken(share=1), error
    except OSError as error:
        what = f"the file cannot be read: {error.strerror or error}"
        yield Taken(share=1), ArchiveError(name, what, "check its permissions")


def _taken(
    archive: Archive, origin: Origin, stdin: io.BufferedReader | None, stretch: parquet.Stretch | None
) -> Iterator[Taken]:
    if stretch is not None:
        opened = open_archive(archive)
        with opened.raw:
            yield from parquet.read(opened, origin, stretch)
    elif archive.files:
        yield from mails.read_folder(archive.files, _open, origin)
    elif archive.is_stdin and stdin:
        yield from json_lines.read(Opened(name=archive.name, path=STDIN, raw=stdin, is_live=True), origin)
    else:
        opened = open_archive(archive)
        with opened.raw as raw:
            for taken in _READERS[format_of(archive.name, opened)](opened, origin):
                yield taken if taken.share is not None else replace(taken, share=raw.tell() / max(archive.size, 1))


def open_archive(archive: Archive) -> Opened:
    """The archive, a file, from its start."""
    return _open(archive.path)


def _open(path: str) -> Opened:
    return Opened(name=shown(path), path=path, raw=open(path, "rb"))
