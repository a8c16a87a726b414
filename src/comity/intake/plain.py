"""Batches of Parquet that need no look at every value: most of them, and read several times as fast.

Arrow checks whole columns: lengths, UTF-8, what is missing. A batch of which that proves that every record is fine
becomes `Rows`; any other is read record by record, which says what is wrong with which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from comity.flow.rows import EPOCH, UNKNOWN, Ints, Named, Rows
from comity.intake import values
from comity.intake.arrow_values import python_values
from comity.intake.problems import RecordError
from comity.intake.records import Origin
from comity.model.ids import AccountId, Channel, MessageId
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
    texts = _strings(columns["text"], values.TEXT_LIMIT)
    subjects = _strings(columns["subject"], values.LINE_LIMIT, may_lack=True) if "subject" in columns else [""] * size
    channels = _named(columns["channel"], values.TAG_LIMIT, least=1)
    codes = channels.codes.tolist()
    names = [Channel(name) for name in channels.names]
    for code in set(codes):
        values.channel(names[code])
    sent, times = _times(columns["sent"]), columns["sent"]
    created = _times(columns["author_created"], may_lack=True) if "author_created" in columns else None
    rows = zip(codes, texts, subjects, strict=True)
    messages = [
        _stub(id=_ID, author=_NOBODY, channel=names[code], text=text, subject=subject, sent=_SOME_TIME)
        for code, text, subject in rows
    ]
    if with_times:
        given = python_values(columns["author_created"]) if "author_created" in columns else [None] * size
        at = zip(messages, python_values(times), given, strict=True)
        messages = [msgspec.structs.replace(one, sent=when, author_created=made) for one, when, made in at]
    return Rows(
        messages=messages,
        authors=_named(columns["author"], values.NAME_LIMIT, least=1),
        channels=channels,
        labels=_labels(columns.get("label"), size),
        sent=sent,
        created=np.full(size, UNKNOWN, dtype=np.int64) if created is None else created,
        are_stubs=True,
    )


_stub: Final[Callable[..., Message]] = Message
_ID: Final = MessageId("-")
_NOBODY: Final = AccountId("-")
_SOME_TIME: Final = EPOCH


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


def _strings(column: pa.Array, limit: int, *, may_lack: bool = False) -> list[object]:
    _check(column, limit, may_lack=may_lack)
    return [value or "" for value in python_values(column)] if column.null_count else python_values(column)


def _named(column: pa.Array, limit: int, *, least: int = 0, may_lack: bool = False) -> Named:
    if pa.types.is_integer(column.type) and not column.null_count:
        column = column.cast(pa.string())
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    held = _check(encoded, limit, least=least, may_lack=may_lack)
    codes = encoded.indices.fill_null(len(held)).to_numpy(zero_copy_only=False)
    if not 0 <= codes.min() <= codes.max() <= len(held):
        raise _DoubtError
    if len(held) > len(codes):  # a row group's dictionary, of which a batch uses a part
        used, codes = np.unique(codes, return_inverse=True)
        used = used[used < len(held)]
        held = held.take(pa.array(used))
    return Named(names=[*held.to_pylist(), ""], codes=codes)


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
