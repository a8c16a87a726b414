"""Reads CSV: a header line, then records; comma, semicolon, tab or bar, whichever the header has most of; UTF-8.

An empty cell is a missing value, but an empty `text` is an empty text. Python's own `csv` reads it, record by record:
it knows the line on which a record stands and goes on after a broken one, which `pyarrow.csv` does not.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from comity.intake.problems import RAW_LIMIT, ArchiveError, Place, RecordError, Reject, reject
from comity.intake.records import Block, Origin, Taken, take
from comity.intake.streams import RECORD_LIMIT, Opened

_DELIMITERS: Final = ",;\t|"
_BATCH: Final = 4096
_BATCH_BYTES: Final = 8 << 20
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


class _Lines(Iterator[str]):
    """The lines as text, for `csv.reader`. `start_record` is told where a record begins, so that one stays bounded."""

    def __init__(self, opened: Opened) -> None:
        self._lines = (line for block in opened.lines() for line in block)
        self.number = 0
        self.start_record()

    def start_record(self) -> None:
        self.first = self.number + 1
        self.size = 0
        self.raw = b""

    def __next__(self) -> str:
        line = next(self._lines) + b"\n"
        self.number += 1
        self.size += len(line)
        if len(self.raw) <= RAW_LIMIT:
            self.raw += line
        if self.size > RECORD_LIMIT:
            what = f"the record from line {self.first} to {self.number} is longer than {RECORD_LIMIT:,} bytes"
            raise RecordError(what, "shorten it, or close its quote")
        return line.decode("utf-8", "surrogateescape")


def read(opened: Opened, origin: Origin) -> Iterator[Taken]:
    lines = _Lines(opened)
    header, delimiter = _header(lines, opened.name)
    found = origin.columns.among(header, opened.name)
    # The limit is one for the whole process: it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), RECORD_LIMIT))
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    is_open = True
    while is_open:
        batch = _Batch(opened.name, header)
        is_open = batch.fill(rows, lines)
        yield batch.take(found, origin)


def _header(lines: _Lines, archive: str) -> tuple[list[str], str]:
    try:
        line = next(lines, "")
        if lines.raw.startswith(_UTF_16) or "\0" in line:
            raise ArchiveError(archive, "this is no UTF-8 text", "save it as CSV in UTF-8")
        delimiter = max(_DELIMITERS, key=line.count)
        header = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        "".join(header).encode()
    except (csv.Error, RecordError, UnicodeEncodeError) as error:
        raise ArchiveError(archive, f"the first line is no CSV header: {error}", "name the columns in it") from error
    lines.start_record()
    return [cell.strip() for cell in header], delimiter


class _Batch:
    """Records that are read together, and the rejects among them."""

    def __init__(self, archive: str, header: Sequence[str]) -> None:
        self._archive = archive
        self._header = header
        self._rows: list[list[str]] = []
        self._numbers: list[int] = []
        self._raw: list[bytes] = []
        self._rejects: list[Reject] = []

    def fill(self, rows: Iterator[list[str]], lines: _Lines) -> bool:
        """Takes up records until there are enough (True) or no more (False)."""
        size = 0
        while len(self._rows) + len(self._rejects) < _BATCH and size < _BATCH_BYTES:
            lines.start_record()
            try:
                self._add(next(rows), lines)
            except StopIteration:
                return False
            except csv.Error as error:
                self._reject(
                    RecordError(_broken(error, lines), "quote cells that hold quotes, and double these"), lines
                )
            except RecordError as refused:
                self._reject(refused, lines)
            size += lines.size
        return True

    def _add(self, row: list[str], lines: _Lines) -> None:
        if not row:
            return
        if len(row) != len(self._header):
            what = f"the record has {len(row)} cells, the header {len(self._header)}"
            raise RecordError(what, "quote cells that hold the delimiter")
        self._rows.append(row)
        self._numbers.append(lines.first)
        self._raw.append(lines.raw)

    def _reject(self, refused: RecordError, lines: _Lines) -> None:
        place = Place(archive=self._archive, number=lines.first)
        self._rejects.append(reject(place, refused, lines.raw))

    def take(self, found: Mapping[str, str], origin: Origin) -> Taken:
        cells = dict(zip(self._header, zip(*self._rows, strict=True), strict=False))
        return take(
            Block(
                place=lambda row: Place(archive=self._archive, number=self._numbers[row]),
                columns={field: _values(field, cells[column]) for field, column in found.items()} if self._rows else {},
                numbers=self._numbers,
                raw=self._raw.__getitem__,
                rejects=self._rejects,
            ),
            origin,
        )


def _values(field: str, column: Sequence[str]) -> list[object]:
    return list(column) if field == "text" else [cell or None for cell in column]


def _broken(error: csv.Error, lines: _Lines) -> str:
    if lines.number == lines.first:
        return f"the record is broken: {error}"
    return f"the record, lines {lines.first} to {lines.number}, is broken: {error}"
