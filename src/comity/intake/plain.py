"""Batches of Parquet that need no look at every value: most of them, and read several times as fast.

Arrow checks whole columns: lengths, UTF-8, what is missing. A batch of which that proves that every record is fine
becomes `Rows`; any other is read record by record, which says what is wrong with which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from comity.engine.joined import BETWEEN, Joined, in_turns, joined
from comity.flow.rows import UNKNOWN, Ints, Named, Rows, Texts, stub
from comity.intake import values
from comity.intake.arrow_values import python_values
from comity.intake.problems import RecordError
from comity.intake.records import Origin
from comity.model.ids import Channel
from comity.model.message import Message

_REQUIRED: Final = frozenset({"id", "author", "channel", "text", "sent"})
_FIELDS: Final = _REQUIRED | {"subject", "label", "author_created"}
_EARLIEST: Final = -62_135_596_800_000_000
_LATEST: Final = 253_402_300_799_999_999
_PER: Final = {"s": 1_000_000, "ms": 1_000, "us": 1}


class _DoubtError(Exception):
    """The batch has to be read record by record."""


def plain_rows(batch: pa.RecordBatch, found: Mapping[str, str], origin: Origin, *, with_times: bool) -> Rows | None:
    """The batch as rows; None where it has other fields, or anything that has to be looked at."""
    if (
        not (_REQUIRED <= found.keys() <= _FIELDS and batch.num_rows)
        or origin.columns.constants
        or origin.columns.is_numbered
    ):
        return None
    try:
        batch.validate()
        columns = {field: batch.column(column) for field, column in found.items()}
        return _rows(columns, batch.num_rows, with_times=with_times)
    except (_DoubtError, RecordError, UnicodeDecodeError, pa.ArrowException):
        return None


def _rows(columns: Mapping[str, pa.Array], size: int, *, with_times: bool) -> Rows:
    _check_id(columns["id"])
    if "subject" in columns:
        _check(columns["subject"], values.LINE_LIMIT, may_lack=True)
    channels = _named(columns["channel"], values.TAG_LIMIT, least=1)
    for code in set(channels.codes.tolist()):
        values.channel(channels.names[code])
    texts, codes = _distinct(columns["text"], values.TEXT_LIMIT)
    sizes = pc.binary_length(texts).to_numpy().astype(np.int64)
    created = _times(columns["author_created"], may_lack=True) if "author_created" in columns else None
    return Rows(
        messages=partial(_messages, columns, channels, with_times=with_times),
        texts=Texts(pieces=partial(_pieces, texts, sizes), codes=codes),
        authors=_named(columns["author"], values.NAME_LIMIT, least=1),
        channels=channels,
        labels=_labels(columns.get("label"), size),
        sent=_times(columns["sent"]),
        created=np.full(size, UNKNOWN, dtype=np.int64) if created is None else created,
        are_stubs=True,
        bytes=int(sizes[codes].sum()),
    )


def _messages(columns: Mapping[str, pa.Array], channels: Named, *, with_times: bool) -> list[Message]:
    names = [Channel(channels.names[code]) for code in channels.codes.tolist()]
    nothing = [None] * len(names)
    texts = python_values(columns["text"])
    subjects = python_values(columns["subject"]) if "subject" in columns else nothing
    rows = zip(texts, names, subjects, strict=True)
    messages = [stub(str(text), channel, str(subject or "")) for text, channel, subject in rows]
    if not with_times:
        return messages
    given = python_values(columns["author_created"]) if "author_created" in columns else nothing
    at = zip(messages, python_values(columns["sent"]), given, strict=True)
    return [msgspec.structs.replace(one, sent=when, author_created=made) for one, when, made in at]


def _pieces(texts: pa.StringArray, sizes: Ints) -> Iterator[Joined]:
    """The texts, whose bytes are never made Python's one by one."""
    for start, end in in_turns(sizes):
        some = pa.ListArray.from_arrays(pa.array([0, end - start], pa.int32()), texts.slice(start, end - start))
        inner = memoryview(pc.binary_join(some, BETWEEN.decode())[0].as_buffer())
        yield joined(b"".join((BETWEEN, inner, BETWEEN)), sizes[start:end])


def _check(column: pa.Array, limit: int, *, least: int = 0, may_lack: bool = False) -> pa.Array:
    """The column's distinct strings, all of which are fine."""
    held = column.dictionary if pa.types.is_dictionary(column.type) else column
    if (column.null_count and not may_lack) or not pa.types.is_string(held.type):
        raise _DoubtError
    held.validate(full=True)
    lengths = pc.min_max(pc.binary_length(held)).as_py()
    if (lengths["min"] or 0) < least or (lengths["max"] or 0) > limit:
        raise _DoubtError
    return held


def _check_id(column: pa.Array) -> None:
    if not pa.types.is_integer(column.type) or column.null_count:
        _check(column, values.NAME_LIMIT, least=1)


def _named(column: pa.Array, limit: int, *, least: int = 0, may_lack: bool = False) -> Named:
    if pa.types.is_integer(column.type) and not column.null_count:
        column = column.cast(pa.string())
    held, codes = _distinct(column, limit, least=least, may_lack=may_lack)
    return Named(names=[*held.to_pylist(), ""], codes=codes)


def _distinct(
    column: pa.Array, limit: int, *, least: int = 0, may_lack: bool = False
) -> tuple[pa.StringArray, NDArray[np.integer]]:
    """The column's strings, and for each row which it has; one more than there are for none."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    held = _check(encoded, limit, least=least, may_lack=may_lack)
    codes = encoded.indices.fill_null(len(held)).to_numpy(zero_copy_only=False)
    if held.null_count or not 0 <= codes.min() <= codes.max() <= len(held):
        raise _DoubtError
    if len(held) > len(codes):  # a row group's dictionary, of which a batch uses a part
        used, codes = np.unique(codes, return_inverse=True)
        used = used[used < len(held)]
        held = held.take(pa.array(used))
    return held, codes


def _labels(column: pa.Array | None, size: int) -> Named:
    if column is None:
        return Named(names=("",), codes=np.zeros(size, dtype=np.int64))
    return _named(column, values.LINE_LIMIT, may_lack=True)


def _times(column: pa.Array, *, may_lack: bool = False) -> Ints:
    """Microseconds since 1970."""
    if not pa.types.is_timestamp(column.type) or (column.null_count and not may_lack):
        raise _DoubtError
    counts = column.cast(pa.int64())
    unit = column.type.unit
    reach = pc.min_max(counts).as_py()
    for end in (reach["min"] or 0, reach["max"] or 0):
        if not _EARLIEST <= (end // 1000 if unit == "ns" else end * _PER[unit]) <= _LATEST:
            raise _DoubtError
    numbers: Ints = counts.fill_null(0).to_numpy(zero_copy_only=False)
    numbers = numbers // 1000 if unit == "ns" else numbers * _PER[unit]
    if column.null_count:
        numbers = np.where(column.is_null().to_numpy(zero_copy_only=False), UNKNOWN, numbers)
    return numbers
