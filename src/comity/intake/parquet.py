"""Reads Parquet with `pyarrow`, some rows at a time. Timestamps without a zone are UTC."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from comity.flow.rows import Rows
from comity.intake.arrow_values import python_values, string_leaves
from comity.intake.fields import FIELDS, Kind
from comity.intake.plain import plain_rows
from comity.intake.problems import RAW_LIMIT, ArchiveError, Place
from comity.intake.records import Block, Origin, Taken, take
from comity.intake.streams import CHUNK, Opened

_ROWS: Final = 8192
_MANY_ROWS: Final = 1 << 17
"""Where values are not made Python's one by one; a group's dictionary comes with each of its batches."""

_SHOWN: Final = 1000
_DAMAGE: Final = (pa.ArrowException, OSError, UnicodeDecodeError)
_Test = Callable[[pa.DataType], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Row groups of a Parquet file that follow each other. `first` is the 1-based number of their first row."""

    groups: tuple[int, ...]
    first: int
    rows: int


def read(opened: Opened, origin: Origin, stretch: Stretch | None = None) -> Iterator[Taken]:
    """All rows, or those of a stretch."""
    row = stretch.first if stretch else 1
    try:
        file = _open(opened)
        found = _columns(file.schema_arrow, opened.name, origin)
        for batch in _batches(file, stretch.groups if stretch else range(file.num_row_groups), found):
            numbers = range(row, row + batch.num_rows)
            taken = _take(opened.name, batch, found, numbers, origin)
            row += batch.num_rows
            yield replace(taken, share=min((row - 1) / max(file.metadata.num_rows, 1), 1))
    except _DAMAGE as damage:
        raise _damaged(opened.name, row, damage) from damage


def read_plain(
    opened: Opened, origin: Origin, stretch: Stretch, *, with_times: bool
) -> Iterator[tuple[Rows | None, Taken | None]]:
    """The rows of a stretch, batch by batch: as they are where all is plainly fine, else read as `read` does.

    `with_times`: messages have their times, which costs time of its own.
    """
    row = stretch.first
    try:
        file = _open(opened)
        found = _columns(file.schema_arrow, opened.name, origin)
        for batch in (batch for group in stretch.groups for batch in _many_at_once(file, group, found)):
            rows = plain_rows(batch, found, origin, with_times=with_times)
            if rows is not None:
                yield rows, None
                row += batch.num_rows
                continue
            for some in _sliced(batch):
                few = plain_rows(some, found, origin, with_times=with_times)
                numbers = range(row, row + some.num_rows)
                yield few, None if few is not None else _take(opened.name, some, found, numbers, origin)
                row += some.num_rows
    except _DAMAGE as damage:
        raise _damaged(opened.name, row, damage) from damage


def _damaged(archive: str, row: int, damage: Exception) -> ArchiveError:
    what = f"the Parquet file is damaged or cut short after row {row - 1:,}: {str(damage)[:_SHOWN]}"
    return ArchiveError(archive, what, "fetch or write the file again")


def read_rows(
    opened: Opened, origin: Origin, stretch: Stretch, wanted: Sequence[int], *, is_small: bool
) -> Iterator[Taken]:
    """The rows of a stretch at these places, in rising order and counted from 0; of others nothing is made.

    `is_small`: all its texts together have room, so that none has to be known again. Raises what `pyarrow` raises for
    a file that was fine when it was read whole.
    """
    found = _columns(_open(opened).schema_arrow, opened.name, origin)
    file = _open(opened, besides=found["text"] if is_small else "")
    before, at = 0, 0
    for batch in (batch for group in stretch.groups for batch in _many_at_once(file, group, found)):
        end = bisect_left(wanted, before + batch.num_rows, lo=at)
        if end > at:
            rows = [place - before for place in wanted[at:end]]
            numbers = [stretch.first + place for place in wanted[at:end]]
            yield _take(opened.name, batch.take(pa.array(rows)), found, numbers, origin)
        before, at = before + batch.num_rows, end
        if at == len(wanted):
            return


def _batches(file: pq.ParquetFile, groups: Iterable[int], found: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
    """Each row group by a reader of its own: one for several would remember the strings of all."""
    columns = sorted(set(found.values()))
    for group in groups:
        yield from _of_group(file, group, columns, _ROWS)


def _of_group(file: pq.ParquetFile, group: int, columns: Sequence[str], at_once: int) -> Iterator[pa.RecordBatch]:
    """By one thread: several take more time together, and other processes have their own parts to read."""
    batches: Iterator[pa.RecordBatch] = file.iter_batches(
        at_once, row_groups=[group], columns=columns, use_threads=False
    )
    return batches


def _many_at_once(file: pq.ParquetFile, group: int, found: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
    """A row group in few batches; in as many as elsewhere from where it turns out to be damaged."""
    columns, done = sorted(set(found.values())), 0
    try:
        for batch in _of_group(file, group, columns, _MANY_ROWS):
            yield batch
            done += batch.num_rows
    except _DAMAGE:
        for batch in _of_group(file, group, columns, _ROWS):
            if batch.num_rows > done:
                yield batch.slice(done)
            done = max(done - batch.num_rows, 0)


def _sliced(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    return (batch.slice(start, _ROWS) for start in range(0, batch.num_rows, _ROWS))


def stretches(path: str, *, rows: int) -> tuple[Stretch, ...]:
    """The file's row groups in their order, joined to stretches of about so many rows; none if it is damaged."""
    try:
        metadata = pq.read_metadata(path)
    except _DAMAGE:
        return ()
    found: list[Stretch] = []
    first, size = 1, 0
    groups: list[int] = []
    for number in range(metadata.num_row_groups):
        held = metadata.row_group(number).num_rows
        if groups and size + held > rows:
            found.append(Stretch(groups=tuple(groups), first=first, rows=size))
            first, groups, size = first + size, [], 0
        groups.append(number)
        size += held
    return (*found, Stretch(groups=tuple(groups), first=first, rows=size)) if groups else tuple(found)


def _open(opened: Opened, *, besides: str = "") -> pq.ParquetFile:
    """All strings as dictionaries, but those of one column.

    Of the metadata only the schema is looked at: `pyarrow` ends the process where that of a column is damaged.
    """
    metadata = pq.read_metadata(opened.path)
    strings = [leaf for leaf in string_leaves(metadata.schema) if leaf != besides]
    return pq.ParquetFile(opened.path, metadata=metadata, read_dictionary=strings, buffer_size=CHUNK, pre_buffer=False)


def _columns(schema: pa.Schema, archive: str, origin: Origin) -> Mapping[str, str]:
    found = origin.columns.among(schema.names, archive)
    for field, column in found.items():
        kind = FIELDS[field].kind if field in FIELDS else Kind.LABEL
        held = _type(schema, column)
        if not _holds(held, kind):
            what = f"column `{column}` holds {held}, but `{field}` must hold {kind}"
            raise ArchiveError(archive, what, "cast the column, or map another one")
    return found


def _holds(held: pa.DataType, kind: Kind) -> bool:
    return pa.types.is_null(held) or any(test(held) for test in _TESTS[kind])


def _type(schema: pa.Schema, column: str) -> pa.DataType:
    """A dictionary's values, since that is only how strings are read here."""
    held = schema.field(column).type
    return held.value_type if pa.types.is_dictionary(held) else held


def _is_string(held: pa.DataType) -> bool:
    if pa.types.is_dictionary(held):
        return _is_string(held.value_type)
    return bool(pa.types.is_string(held) or pa.types.is_large_string(held) or pa.types.is_string_view(held))


def _is_list(held: pa.DataType) -> bool:
    is_list = pa.types.is_list(held) or pa.types.is_large_list(held) or pa.types.is_fixed_size_list(held)
    return bool(is_list and (_is_string(held.value_type) or pa.types.is_null(held.value_type)))


def _is_map(held: pa.DataType) -> bool:
    return bool(pa.types.is_map(held) or pa.types.is_struct(held))


_NUMBER: Final[tuple[_Test, ...]] = (pa.types.is_integer, pa.types.is_floating)
_TESTS: Final[Mapping[Kind, tuple[_Test, ...]]] = {
    Kind.ID: (_is_string, pa.types.is_integer),
    Kind.STRING: (_is_string,),
    Kind.LABEL: (_is_string, _is_list, pa.types.is_boolean, *_NUMBER),
    Kind.TIME: (pa.types.is_timestamp, _is_string, *_NUMBER),
    Kind.LIST: (_is_list, _is_string),
    Kind.CLAIM: (pa.types.is_boolean, _is_string, pa.types.is_integer),
    Kind.WHOLE: (_is_string, *_NUMBER),
    Kind.META: (_is_map, _is_string),
}


def _take(
    archive: str, batch: pa.RecordBatch, found: Mapping[str, str], numbers: Sequence[int], origin: Origin
) -> Taken:
    batch.validate()
    columns = {field: python_values(batch.column(column)) for field, column in found.items()}
    return take(
        Block(
            place=lambda row: Place(archive=archive, number=numbers[row], unit="row"),
            columns=columns,
            numbers=numbers,
            raw=lambda row: _as_json({field: column[row] for field, column in columns.items()}),
        ),
        origin,
    )


def _as_json(record: Mapping[str, object]) -> bytes:
    """For the reject file, so what JSON cannot say is written as text."""
    short = {field: value[: RAW_LIMIT + 1] if isinstance(value, str) else value for field, value in record.items()}
    return json.dumps(short, default=str).encode()
