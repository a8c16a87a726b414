"""Finds the columns of messages: the scan itself, batch by batch, in whichever process."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comity.engine.columns import Bools, Column
from comity.engine.functions import number
from comity.engine.leaves import Leaf
from comity.engine.plan import Plan, plan
from comity.engine.reading import UNKNOWN_AGE, Reading
from comity.flow import texts
from comity.flow.features import (
    AUTHOR,
    CHANNEL,
    LABEL,
    NUMBER,
    SENT,
    TEXT,
    TO,
    TO_SIZES,
    VALUE,
    Asked,
    Columns,
)
from comity.flow.rows import UNKNOWN, Named, Rows
from comity.flow.texts import Piece, pieces
from comity.model.agreement import Agreement
from comity.model.expression import Call, Expression, Type, Variable, walk
from comity.model.ids import Channel, ClauseId
from comity.model.message import Message

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NOTHING: Final = bytes(8)
_NO_ROWS: Final = np.empty(0, dtype=np.bool_)
_NO_NUMBERS: Final = np.empty(0, dtype=np.int64)
_MOST_KNOWN: Final = 1 << 17


class Hashes(dict[str, bytes]):
    """64 bits for each name, made once for those that occur again and again. `key`: 16 to 64 bytes."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._keyed = blake2b(digest_size=8, key=key)

    def __missing__(self, name: str) -> bytes:
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[name] = made = self.of_bytes(name.encode())
        return made

    def of_bytes(self, raw: bytes) -> bytes:
        """For texts, in UTF-8, that hardly come twice. All zeros stand for nothing, so no text has them."""
        keyed = self._keyed.copy()
        keyed.update(raw)
        made = keyed.digest()
        return made if made != _NOTHING else b"\x01" + made[1:]


class Finder:
    """Finds what is asked for in messages. `key` makes the hashes; one process each."""

    def __init__(self, asked: Asked, *, key: bytes) -> None:
        self._asked = asked
        self._hashes = Hashes(key)
        self._answered = tuple(_Answered(version, leaves, asked) for version, leaves in asked.versions if leaves)

    @property
    def needs_times(self) -> bool:
        """Whether rules read the times of messages otherwise than as columns."""
        return any(each.needs_times for each in self._answered)

    def find(self, rows: Rows) -> Columns:
        """The columns of the messages, in their order."""
        columns: Columns = {AUTHOR: self._coded(rows.authors), SENT: rows.sent}
        for channel in self._asked.channels:
            is_there = np.array([name == channel for name in rows.channels.names], dtype=np.bool_)
            columns[CHANNEL + channel] = is_there[rows.channels.codes] if len(rows.sent) else _NO_ROWS
        if self._asked.has_labels:
            columns[LABEL] = self._coded(rows.labels)
        for traced in self._asked.traced:
            columns[traced] = self._trace(traced, rows.messages)
        for each in self._answered:
            columns |= each.find(rows)
        return columns

    def labels(self, rows: Rows) -> dict[int, str]:
        """What stands for each label in its column, and the label."""
        if not self._asked.has_labels:
            return {}
        return {int(_joined([self._hashes[name]])[0]): name for name in rows.labels.names}

    def _coded(self, named: Named) -> NDArray[np.int64]:
        hashes = _joined([self._hashes[name] for name in named.names])
        return hashes[named.codes] if len(named.codes) else np.empty(0, dtype=np.int64)

    def _trace(self, traced: str, messages: Sequence[Message]) -> Column:
        if traced == TEXT:
            of = self._hashes.of_bytes
            return _joined([of(raw) for piece in pieces(_texts(messages)) for raw in texts.folded(piece)])
        if traced == TO:
            return _joined([to for message in messages for to in self._recipients(message)])
        if traced == TO_SIZES:
            return np.array([len(self._recipients(message)) for message in messages], dtype=np.int64)
        if traced.startswith(VALUE):
            values = [message.meta.get(traced.removeprefix(VALUE)) for message in messages]
            return _joined([self._hashes[value] if value else _NOTHING for value in values])
        name = traced.removeprefix(NUMBER)
        return np.array([number(message.meta.get(name, "")) for message in messages], dtype=np.float64)

    def _recipients(self, message: Message) -> list[bytes]:
        return sorted({self._hashes[to] for to in message.to})


class _Answered:
    """The leaves of one version: those that are true or false by its plan's one function, numbers one by one."""

    def __init__(self, version: Agreement, leaves: Sequence[Leaf], asked: Asked) -> None:
        claims = [leaf for leaf in leaves if leaf.type is Type.BOOL]
        numbers = [leaf for leaf in leaves if leaf.type is not Type.BOOL]
        self._ages = [asked.key_of(leaf) for leaf in numbers if _is_age(leaf.expression)]
        self._measures = {
            asked.key_of(leaf): measure for leaf in numbers if (measure := _measure(leaf.expression)) is not None
        }
        others = [leaf for leaf in numbers if asked.key_of(leaf) not in {*self._ages, *self._measures}]
        read = [variable for leaf in (*claims, *others) for variable in _variables(leaf.expression)]
        self.needs_times = bool({"sent", "author.age"} & set(read))
        self._claims = [asked.key_of(leaf) for leaf in claims]
        self._plan = plan(_version_of(claims, version, asked.channels)) if claims else None
        self._others = plan(_version_of(others, version, asked.channels)) if others else None
        self._numbers = [
            (asked.key_of(leaf), leaf.type, _value_of(self._others, place))
            for place, leaf in enumerate(others)
            if self._others is not None
        ]

    def find(self, rows: Rows) -> Columns:
        messages = rows.messages
        columns: Columns = {key: _ages(rows) for key in self._ages} | _measured(self._measures, rows)
        if self._plan is not None:
            bits = _unpacked(self._plan.breached_batch(messages), len(self._claims))
            columns.update(zip(self._claims, bits, strict=True))
        if self._others is not None:
            readings = [self._others.read(message, {}) for message in messages]
            for key, kind, value in self._numbers:
                columns[key] = column_of([value(reading) for reading in readings], kind)
        return columns


def _variables(expression: Expression) -> Iterator[str]:
    return (part.name for part in walk(expression) if isinstance(part, Variable))


Measure = Callable[[Piece], Column]


def _measure(expression: Expression) -> Measure | None:
    """A way round the plan for numbers that most rules ask of texts; it comes to the same."""
    match expression:
        case Call(function="size", args=(Variable(name="text"),)):
            return texts.sizes
        case Call(function="size", args=(Variable(name="links"),)):
            return texts.link_counts
        case Call(function="capitals", args=(Variable(name="text"),)):
            return texts.capitals
        case _:
            return None


def _measured(measures: Mapping[str, Measure], rows: Rows) -> Columns:
    found: dict[str, list[Column]] = {key: [_NO_NUMBERS] for key in measures}
    for piece in pieces(_texts(rows.messages)) if measures else ():
        for key, measure in measures.items():
            found[key].append(measure(piece))
    columns: Columns = {key: np.concatenate([*each]) for key, each in found.items()}
    for key in [] if rows.are_stubs else [key for key, measure in measures.items() if measure is texts.link_counts]:
        columns[key] = _or_as_given(columns[key], rows.messages)
    return columns


def _or_as_given(counts: Column, messages: Sequence[Message]) -> Column:
    """The links that a message came with go before those of its text."""
    given = [-1 if message.links is None else len(message.links) for message in messages]
    return np.where(np.less(given, 0), counts, given)


def _texts(messages: Sequence[Message]) -> list[str]:
    return [message.text for message in messages]


def _is_age(expression: Expression) -> bool:
    return isinstance(expression, Variable) and expression.name == "author.age"


def _ages(rows: Rows) -> Column:
    oldest = np.int64(UNKNOWN_AGE // _MICROSECOND)
    is_known = rows.created != UNKNOWN
    return np.where(is_known, np.maximum(rows.sent - np.where(is_known, rows.created, 0), 0), oldest)


def _version_of(leaves: Sequence[Leaf], version: Agreement, channels: Iterable[Channel]) -> Agreement:
    """A version whose clauses are the leaves, so that the engine answers them as it answers rules."""
    everywhere = frozenset(channels)
    clauses = []
    for place, leaf in enumerate(leaves):
        clause = version.clause(leaf.own)
        assert clause.rule is not None
        rule = dataclasses.replace(clause.rule, expression=leaf.expression)
        clauses.append(dataclasses.replace(clause, id=_leaf_id(place), rule=rule, channels=everywhere))
    return dataclasses.replace(version, clauses=tuple(clauses))


def _leaf_id(place: int) -> ClauseId:
    return ClauseId(f"leaf{place}")


def _value_of(measured: Plan, place: int) -> Callable[[Reading], object]:
    step = measured.step(_leaf_id(place))
    assert step is not None
    return step.value


def column_of(values: Sequence[object], kind: Type) -> Column:
    """Values of one type as a column."""
    match kind:
        case Type.DOUBLE:
            return np.array(values, dtype=np.float64)
        case Type.DURATION:
            return np.array([_micros(value) for value in values], dtype=np.int64)
        case Type.TIMESTAMP:
            return np.array([_micros(value) for value in values], dtype=np.int64)
        case _:
            return np.array(values, dtype=np.int64)


def _micros(value: object) -> int:
    if isinstance(value, datetime):
        return (value - _EPOCH) // _MICROSECOND
    assert isinstance(value, timedelta)
    return value // _MICROSECOND


def _unpacked(bits: Sequence[int], width: int) -> Iterator[Bools]:
    """Bit n of every number as a column, for each n."""
    size = (width + 7) // 8
    joined = np.frombuffer(b"".join(each.to_bytes(size, "little") for each in bits), dtype=np.uint8)
    spread = np.unpackbits(joined.reshape(len(bits), size), axis=1, count=width, bitorder="little")
    return (np.ascontiguousarray(column, dtype=np.bool_) for column in spread.T)


def _joined(hashes: Sequence[bytes]) -> NDArray[np.int64]:
    return np.frombuffer(b"".join(hashes), dtype=np.int64)
