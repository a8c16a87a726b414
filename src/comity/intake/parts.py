"""Archives in parts that several processes can read at once: stretches of Parquet files, all others whole.

The parts in their order give the messages of `read_archives`, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from comity.flow.rows import Rows, rows_of
from comity.intake import parquet
from comity.intake.archives import NO_MAPPING, open_archive, read_archive, refuse_same_numbers
from comity.intake.columns import Columns, check
from comity.intake.parquet import Stretch, stretches
from comity.intake.paths import Archive, Format, by_suffix, expand
from comity.intake.problems import ArchiveError
from comity.intake.records import Origin, Taken
from comity.model.message import Message

PART_ROWS: Final = 1 << 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of an archive that can be read by itself. `stretch` None: all of it."""

    archive: Archive
    origin: Origin
    stretch: Stretch | None = None


def parts_of(
    paths: Sequence[str], *, source: str | None = None, mapping: Mapping[str, str] = NO_MAPPING
) -> tuple[Part, ...]:
    """The parts of all archives that are named. Raises `ArchiveError` as `read_archives` does."""
    columns = check(mapping)
    archives = expand(paths)
    refuse_same_numbers(archives, columns)
    return tuple(part for archive in archives for part in _parts(archive, source, columns))


def _parts(archive: Archive, source: str | None, columns: Columns) -> Iterator[Part]:
    origin = Origin(source=archive.name if source is None else source, name=archive.name, columns=columns)
    found = stretches(archive.path, rows=PART_ROWS) if by_suffix(archive.name) is Format.PARQUET else ()
    for stretch in found:
        yield Part(archive=archive, origin=origin, stretch=stretch)
    if not found:
        yield Part(archive=archive, origin=origin)


def read_part(part: Part) -> Iterator[tuple[Taken, ArchiveError | None]]:
    """What the part gives, batch by batch; where it breaks, the problem as the last."""
    return read_archive(part.archive, part.origin, stretch=part.stretch)


def rows_in(part: Part, *, with_times: bool) -> Iterator[tuple[Rows, Taken, ArchiveError | None]]:
    """What the part gives, for a scan; `with_times`: rules read the times of messages."""
    if part.stretch is None:
        for taken, problem in read_part(part):
            yield rows_of(taken.messages), taken, problem
        return
    try:
        opened = open_archive(part.archive)
        with opened.raw:
            for rows, singly in parquet.read_plain(opened, part.origin, part.stretch, with_times=with_times):
                yield rows if rows is not None else rows_of(singly.messages if singly else ()), singly or Taken(), None
    except ArchiveError as problem:
        yield rows_of(()), Taken(share=1), problem


_SMALL: Final = 1 << 28


def messages_at(
    part: Part, rows: Sequence[int], *, is_whole: bool, size: int | None = None
) -> Iterator[tuple[int, Message]]:
    """The messages of the part at these places, in rising order, among all that it gives.

    `is_whole`: none of its records is rejected, so that places are rows. `size`: bytes of its texts, if known.
    """
    if part.stretch is None or not is_whole:
        yield from _picked(part, rows)
        return
    places, is_small = iter(rows), size is not None and size <= _SMALL
    opened = open_archive(part.archive)
    with opened.raw:
        for taken in parquet.read_rows(opened, part.origin, part.stretch, rows, is_small=is_small):
            yield from ((row, message) for message, row in zip(taken.messages, places, strict=False))


def _picked(part: Part, rows: Sequence[int]) -> Iterator[tuple[int, Message]]:
    before = at = 0
    for taken, _ in read_part(part):
        while at < len(rows) and rows[at] < before + len(taken.messages):
            yield rows[at], taken.messages[rows[at] - before]
            at += 1
        before += len(taken.messages)
