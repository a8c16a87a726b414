"""Reads JSON Lines: one object a line, UTF-8. Empty lines are skipped; keys that are no field are ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from comity.intake.columns import mend_missing
from comity.intake.problems import ArchiveError, Place, RecordError, Reject, reject
from comity.intake.records import Block, Origin, Taken, take
from comity.intake.streams import RECORD_LIMIT, Opened

_OBJECT: Final = msgspec.json.Decoder(dict[str, object])
_LOOKED_AT: Final = 3
_MALFORMED: Final = "mend the line; a JSON encoder never writes such a one"


def read(opened: Opened, origin: Origin) -> Iterator[Taken]:
    number = 1
    is_array: bool | None = None
    for lines in opened.lines():
        if is_array is None and (start := b"".join(lines[:_LOOKED_AT]).lstrip()):
            is_array = start.startswith(b"[")
        if is_array:
            what = "this is a JSON array, not one object a line"
            raise ArchiveError(opened.name, what, f"turn it into lines: jq -c '.[]' {opened.name} > messages.jsonl")
        yield take_lines(opened.name, lines, number, origin)
        number += len(lines)


def take_lines(archive: str, lines: Sequence[bytes], first: int, origin: Origin) -> Taken:
    """What these lines, the first of them numbered `first`, come to."""
    records: list[dict[str, object]] = []
    raw: list[bytes] = []
    numbers: list[int] = []
    rejects: list[Reject] = []
    for number, line in enumerate(lines, first):
        if not line or line.isspace():
            continue
        try:
            records.append(_object(line))
        except RecordError as refused:
            rejects.append(reject(Place(archive=archive, number=number), refused, line))
        else:
            raw.append(line)
            numbers.append(number)
    return take(
        Block(
            place=lambda row: Place(archive=archive, number=numbers[row]),
            columns=_columns(records, origin),
            numbers=numbers,
            raw=raw.__getitem__,
            mend=lambda row, field: _mend(field, records[row], origin),
            rejects=rejects,
        ),
        origin,
    )


def _mend(field: str, record: Mapping[str, object], origin: Origin) -> str:
    column = origin.columns.named[field]
    return f"give each record its `{column}`" if column in record else mend_missing({field: column}, record)


def _object(line: bytes) -> dict[str, object]:
    if len(line) > RECORD_LIMIT:
        raise RecordError(f"the line is longer than {RECORD_LIMIT:,} bytes", "shorten it")
    try:
        return _OBJECT.decode(line)
    except RecursionError:
        raise RecordError("the JSON is nested too deeply", "flatten it") from None
    except msgspec.ValidationError as error:
        raise RecordError(str(error), "give each record as an object, one a line") from None
    except msgspec.MsgspecError as error:
        raise RecordError(str(error), _MALFORMED) from None
    except UnicodeDecodeError:
        raise RecordError("the line is not UTF-8", "write the archive as UTF-8") from None


def _columns(records: Sequence[dict[str, object]], origin: Origin) -> dict[str, list[object]]:
    present = set().union(*records)
    return {
        field: [record.get(column) for record in records]
        for field, column in origin.columns.named.items()
        if column in present
    }
