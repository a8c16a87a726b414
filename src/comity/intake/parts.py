"""Archives in parts that several processes can read at once: stretches of Parquet files, all others whole.

The parts in their order give the messages of `read_archives`, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from comity.intake.archives import NO_MAPPING, read_archive, refuse_same_numbers
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


def messages_at(part: Part, rows: Sequence[int]) -> Iterator[tuple[int, Message]]:
    """The messages of the part that stand at these places, in rising order, among all that it gives."""
    wanted = iter(rows)
    row, before = next(wanted, None), 0
    for taken, _ in read_part(part):
        while row is not None and row < before + len(taken.messages):
            yield row, taken.messages[row - before]
            row = next(wanted, None)
        before += len(taken.messages)
        if row is None:
            return
