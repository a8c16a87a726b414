"""Arrow columns as lists of Python values, in bounded memory.

Strings come dictionary-encoded (`string_leaves` says which columns to ask that for) and each distinct one becomes one
Python string: a Parquet file of 50 KB can hold a million copies of a text of 1 MB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from comity.intake.times import EPOCH

_UNREADABLE: Final = "\udcff"
"""Stands for a value that is not UTF-8: `comity.intake.values` refuses lone surrogates for this reason."""

_MICROSECONDS: Final[Mapping[str, int]] = {"s": 1_000_000, "ms": 1000, "us": 1}
_SPARSE: Final = 4


def string_leaves(schema: pa.Schema) -> list[str]:
    """The paths of a Parquet schema's columns that are to be read as dictionaries."""
    leaves = [schema.column(index) for index in range(len(schema))]
    return [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]


def python_values(array: pa.Array) -> list[object]:
    """The values, `None` for null; maps as lists of pairs, structs as maps, times as aware UTC datetimes."""
    held = array.type
    if pa.types.is_dictionary(held):
        return _words(array)
    if pa.types.is_timestamp(held):
        return _times(array, held.unit)
    if pa.types.is_map(held):
        # Either may be longer than the map says (Arrow allows it): what is beyond belongs to nobody.
        pairs = list(zip(python_values(array.keys), python_values(array.items), strict=False))
        return _slices(array, pairs)
    if pa.types.is_list(held) or pa.types.is_large_list(held):
        return _slices(array, python_values(array.values))
    if pa.types.is_struct(held):
        return _structs(array)
    return _plain(array)


def _words(array: pa.DictionaryArray) -> list[object]:
    indices, dictionary = array.indices, array.dictionary
    if len(indices) > indices.null_count and not 0 <= pc.min(indices).as_py() <= pc.max(indices).as_py() < len(
        dictionary
    ):
        raise pa.ArrowInvalid("a string's index lies outside its dictionary")
    if len(dictionary) > _SPARSE * len(array):
        used = pc.unique(indices).drop_null()
        words = dict(zip(used.to_pylist(), _plain(dictionary.take(used)), strict=True))
        return [None if index is None else words[index] for index in indices.to_pylist()]
    every = _plain(dictionary)
    return [None if index is None else every[index] for index in indices.to_pylist()]


def _plain(array: pa.Array) -> list[object]:
    try:
        values: list[object] = array.to_pylist()
    except UnicodeDecodeError:
        return [_single(array[row]) for row in range(len(array))]
    return values


def _single(scalar: pa.Scalar) -> object:
    try:
        value: object = scalar.as_py()
    except UnicodeDecodeError:
        return _UNREADABLE
    return value


def _times(array: pa.Array, unit: str) -> list[object]:
    counts: list[int | None] = array.cast(pa.int64()).to_pylist()
    if unit == "ns":
        return [None if count is None else EPOCH + timedelta(0, 0, count // 1000) for count in counts]
    factor = _MICROSECONDS[unit]
    try:
        return [None if count is None else EPOCH + timedelta(0, 0, count * factor) for count in counts]
    except OverflowError:
        return [None if count is None else _time(count * factor) for count in counts]


def _time(microseconds: int) -> object:
    """A time that no `datetime` can hold is left as seconds, for its reader to refuse."""
    try:
        return EPOCH + timedelta(0, 0, microseconds)
    except OverflowError:
        return microseconds / 1_000_000


def _slices(array: pa.Array, items: Sequence[object]) -> list[object]:
    offsets: list[int] = array.offsets.to_pylist()
    there: list[bool] = array.is_valid().to_pylist()
    return [
        items[start:end] if is_there else None
        for start, end, is_there in zip(offsets, offsets[1:], there, strict=False)
    ]


def _structs(array: pa.StructArray) -> list[object]:
    names = [field.name for field in array.type]
    fields = [python_values(field) for field in array.flatten()]
    there: list[bool] = array.is_valid().to_pylist()
    return [
        dict(zip(names, row, strict=True)) if is_there else None for is_there, *row in zip(there, *fields, strict=True)
    ]
