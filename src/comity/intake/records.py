"""Turns a block of raw records into messages and rejects; the same for every format.

A block is read column by column, which is fast; only a block with a bad value is read again record by record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from comity.intake import values
from comity.intake.columns import Columns
from comity.intake.fields import FIELDS, META_PREFIX, REQUIRED
from comity.intake.problems import Place, RecordError, Reject, reject
from comity.model.message import Message

Column = Sequence[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Raw values by field (`None`: missing), all of the same length, with what is needed to report a record."""

    place: Callable[[int], Place]
    columns: Mapping[str, Column]
    numbers: Sequence[int]
    raw: Callable[[int], bytes]
    mend: Callable[[int, str], str] = lambda _, field: f"give each record its `{field}`"  # for a missing value
    rejects: Sequence[Reject] = ()  # records of the block that never got as far as having columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a block came to."""

    messages: tuple[Message, ...] = ()
    rejects: tuple[Reject, ...] = ()
    share: float | None = None  # of the archive that is read; None: as far as its bytes are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the archive, and not the record, says: the source, the name that numbers ids, and the mapping."""

    source: str
    name: str
    columns: Columns


def take(block: Block, origin: Origin) -> Taken:
    """All records of the block, as messages or as rejects, each in order."""
    if not block.numbers:
        return Taken(rejects=tuple(block.rejects))
    size = len(block.numbers)
    columns = _with_meta(_complete(block, origin, size), size)
    try:
        parsed = {name: _read(name, column) for name, column in columns.items()}
        return Taken(messages=_messages(parsed, origin.source), rejects=tuple(block.rejects))
    except RecordError:
        return _take_singly(block, columns, origin.source)


def _complete(block: Block, origin: Origin, size: int) -> dict[str, Column]:
    columns = dict(block.columns)
    columns |= {field: [value] * size for field, value in origin.columns.constants.items()}
    if origin.columns.is_numbered:
        columns["id"] = [f"{origin.name}#{number}" for number in block.numbers]
    absent = [None] * size
    return {name: absent for name, field in FIELDS.items() if field.required} | columns


def _with_meta(columns: Mapping[str, Column], size: int) -> dict[str, Column]:
    """Columns `meta.KEY` joined into `meta`."""
    single = {
        name.removeprefix(META_PREFIX): column for name, column in columns.items() if name.startswith(META_PREFIX)
    }
    joined = {name: column for name, column in columns.items() if not name.startswith(META_PREFIX)}
    if single:
        whole = columns.get("meta", [None] * size)
        joined["meta"] = [
            _joined(base, {key: column[row] for key, column in single.items()}) for row, base in enumerate(whole)
        ]
    return joined


def _joined(whole: object, single: Mapping[str, object]) -> object:
    """A `meta` that cannot be read is left for its reader to refuse."""
    try:
        return {**(values.meta(whole) if whole is not None else {}), **single}
    except RecordError:
        return whole


def _read(name: str, column: Column) -> list[object]:
    field = FIELDS[name]
    read, default = field.read, field.default
    if field.required and None in column:
        raise RecordError("is missing")
    if name in _REPEATED and len(distinct := _distinct(column)) < len(column) // 2:
        known = {value: default if value is None else read(value) for value in distinct}
        return [known[value] for value in column]
    if name in _PLAIN and _are_plain(column):
        return list(column)
    if field.required:
        return [read(value) for value in column]
    return [default if value is None else read(value) for value in column]


_REPEATED: Final = frozenset({"author", "channel", "label", "language", "author_created"})
"""Fields of which few values stand in many records, so that each is read once."""

_PLAIN: Final = frozenset({"id", "text"})
_PLAIN_LIMIT: Final = values.NAME_LIMIT


def _distinct(column: Column) -> frozenset[object]:
    """The values, if all are text, times or missing: other kinds have equal values that are not the same."""
    kinds = frozenset(map(type, column))
    return frozenset(column) if kinds <= {str, datetime, type(None)} else frozenset(range(len(column)))


def _are_plain(column: Column) -> bool:
    """Whether all are ASCII text, not empty and short: such ids and texts are as they should be."""
    if frozenset(map(type, column)) != {str}:
        return False
    texts = [value for value in column if isinstance(value, str)]
    return all(texts) and all(map(str.isascii, texts)) and max(map(len, texts)) <= _PLAIN_LIMIT


def _messages(columns: Mapping[str, Column], source: str) -> tuple[Message, ...]:
    if columns.keys() <= _COMMON.keys():
        return _common_messages(columns, source)
    names = [*columns, "source"]
    size = len(next(iter(columns.values())))
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), [source] * size, strict=True)]
    return msgspec.convert(rows, tuple[Message, ...])


_make: Final[Callable[..., Message]] = Message
_COMMON: Final = {name: FIELDS[name].default for name in (*REQUIRED, "subject", "label", "author_created")}


def _common_messages(columns: Mapping[str, Column], source: str) -> tuple[Message, ...]:
    """Messages of the fields that most archives have, three times as fast; `_read` has checked the types."""
    size = len(columns["id"])
    every = [columns.get(name, [default] * size) for name, default in _COMMON.items()]
    return tuple(
        [
            _make(
                id=id_,
                author=author,
                channel=channel,
                text=text,
                sent=sent,
                subject=subject,
                label=label,
                author_created=created,
                source=source,
            )
            for id_, author, channel, text, sent, subject, label, created in zip(*every, strict=True)
        ]
    )


def _take_singly(block: Block, columns: Mapping[str, Column], source: str) -> Taken:
    messages: list[Message] = []
    rejects = list(block.rejects)
    for row in range(len(block.numbers)):
        record = {name: column[row] for name, column in columns.items()}
        try:
            messages.append(msgspec.convert({**_read_one(record, block, row), "source": source}, Message))
        except RecordError as refused:
            rejects.append(reject(block.place(row), refused, block.raw(row)))
    return Taken(messages=tuple(messages), rejects=tuple(sorted(rejects, key=lambda one: one.place.number)))


def _read_one(record: Mapping[str, object], block: Block, row: int) -> dict[str, object]:
    """All values of one record; `RecordError` with everything that is wrong with it."""
    found: dict[str, object] = {}
    problems: list[RecordError] = []
    for name, value in record.items():
        try:
            found[name] = _read(name, [value])[0]
        except RecordError as refused:
            mend = refused.mend or block.mend(row, name)
            problems.append(RecordError(f"`{name}` {refused.reason}", mend))
    if problems:
        raise RecordError("; ".join(p.reason for p in problems), "; ".join(dict.fromkeys(p.mend for p in problems)))
    return found
