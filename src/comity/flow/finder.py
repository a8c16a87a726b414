"""Finds the columns of messages: the scan itself, batch by batch, in whichever process."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comity.engine.columns import Bools, Column
from comity.engine.functions import number
from comity.engine.generate import fields_needed
from comity.engine.joined import Joined
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
from comity.flow.hashes import NOTHING, Hasher, Hashes
from comity.flow.rows import UNKNOWN, Named, Rows, stub
from comity.flow.texts import Measure
from comity.model.agreement import Agreement
from comity.model.clause import Rule
from comity.model.expression import Call, Expression, Literal, Type, Variable, walk
from comity.model.ids import Channel, ClauseId
from comity.model.message import Message

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NO_ROWS: Final = np.empty(0, dtype=np.bool_)
_BARE: Final = stub("", Channel("-"))


class Finder:
    """Finds what is asked for in messages. `key` makes the hashes; one process each."""

    def __init__(self, asked: Asked, *, key: bytes) -> None:
        self._asked = asked
        self._hashes = Hashes(key)
        self._answered = tuple(_Answered(version, leaves, asked) for version, leaves in asked.versions if leaves)
        self._measures = {key: measure for each in self._answered for key, measure in each.measures.items()}
        if TEXT in asked.traced:
            self._measures[TEXT] = texts.hashes(Hasher(key))

    @property
    def needs_times(self) -> bool:
        """Whether rules read the times of messages otherwise than as columns."""
        return any(each.needs_times for each in self._answered)

    def find(self, rows: Rows) -> Columns:
        """The columns of the messages, in their order."""
        columns: Columns = {AUTHOR: self._coded(rows.authors), SENT: rows.sent}
        for channel in self._asked.channels:
            is_there = np.array([name == channel for name in rows.channels.names], dtype=np.bool_)
            columns[CHANNEL + channel] = is_there[rows.channels.codes] if len(rows) else _NO_ROWS
        if self._asked.has_labels:
            columns[LABEL] = self._coded(rows.labels)
        for traced in self._asked.traced:
            if traced != TEXT:
                columns[traced] = self._trace(traced, rows)
        columns |= self._of_texts(rows)
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

    def _of_texts(self, rows: Rows) -> Columns:
        """All that can be found in texts without their messages, each piece looked at once."""
        found: dict[str, list[Column]] = {key: [] for key in self._measures}
        for each in self._answered:
            found |= {key: [] for key in each.searched}
        done = 0
        for piece in rows.texts.pieces() if found else ():
            for key, measure in self._measures.items():
                found[key].append(measure(piece))
            for each in self._answered:
                for key, column in each.search(piece, rows, done).items():
                    found[key].append(column)
            done += len(piece)
        columns: Columns = {}
        for key, parts in found.items():
            columns[key] = rows.texts.spread(np.concatenate([*parts])) if parts else _NO_ROWS
        return columns if rows.are_stubs else _or_as_given(columns, self._measures, rows.messages())

    def _trace(self, traced: str, rows: Rows) -> Column:
        """What of a message but its text is counted."""
        messages = rows.messages() if not rows.are_stubs else [_BARE] if len(rows) else []
        column = self._traced(traced, messages)
        return column if not rows.are_stubs or traced == TO else column.repeat(len(rows))

    def _traced(self, traced: str, messages: Sequence[Message]) -> Column:
        if traced == TO:
            return _joined([to for message in messages for to in self._recipients(message)])
        if traced == TO_SIZES:
            return np.array([len(self._recipients(message)) for message in messages], dtype=np.int64)
        if traced.startswith(VALUE):
            values = [message.meta.get(traced.removeprefix(VALUE)) for message in messages]
            return _joined([self._hashes[value] if value else NOTHING for value in values])
        name = traced.removeprefix(NUMBER)
        return np.array([number(message.meta.get(name, "")) for message in messages], dtype=np.float64)

    def _recipients(self, message: Message) -> list[bytes]:
        return sorted({self._hashes[to] for to in message.to})


def _or_as_given(columns: Columns, measures: Mapping[str, Measure], messages: Sequence[Message]) -> Columns:
    """The links that a message came with go before those of its text."""
    for key in [key for key, measure in measures.items() if measure is texts.link_counts]:
        given = np.array([-1 if message.links is None else len(message.links) for message in messages], np.int64)
        columns[key] = np.where(given < 0, columns[key], given)
    return columns


class _Answered:
    """The leaves of one version, by what has to be looked at for each."""

    def __init__(self, version: Agreement, leaves: Sequence[Leaf], asked: Asked) -> None:
        self.measures = {asked.key_of(leaf): found for leaf in leaves if (found := _measure(leaf.expression))}
        self._ages = [asked.key_of(leaf) for leaf in leaves if _is_age(leaf.expression)]
        others = [leaf for leaf in leaves if asked.key_of(leaf) not in {*self._ages, *self.measures}]
        kinds: dict[Looked, list[Leaf]] = {looked: [] for looked in Looked}
        for leaf, looked in zip(others, _looked_at(others, version), strict=True):
            kinds[looked].append(leaf)
        self._kinds = {looked: Leaves(version, of, asked) for looked, of in kinds.items() if of}
        self._channel = asked.channels[0] if asked.channels else _BARE.channel
        read = [name for leaf in kinds[Looked.MESSAGE] for name in _variables(leaf.expression)]
        self.needs_times = bool({"sent", "author.age"} & set(read))

    @property
    def searched(self) -> tuple[str, ...]:
        """The columns that `search` gives."""
        return self._kinds[Looked.SEARCH].keys if Looked.SEARCH in self._kinds else ()

    def search(self, piece: Joined, rows: Rows, first: int) -> Columns:
        """What holds only where something is found in a text. `first`: the place of the piece's first text."""
        if not self.searched:
            return {}
        leaves = self._kinds[Looked.SEARCH]
        places = [place for place, hits in enumerate(leaves.sift(piece)) if hits]
        if rows.are_stubs:
            messages = [stub(piece.text(place), self._channel) for place in places]
        else:
            every = rows.messages()[first : first + len(piece)]
            places = sorted({*places, *(place for place, message in enumerate(every) if _has_lists(message))})
            messages = [every[place] for place in places]
        found: Columns = {key: np.zeros(len(piece), dtype=np.bool_) for key in self.searched}
        for key, column in leaves.of(messages).items() if messages else ():
            found[key][places] = column
        return found

    def find(self, rows: Rows) -> Columns:
        """The other columns."""
        columns: Columns = dict.fromkeys(self._ages, _ages(rows)) if self._ages else {}
        for looked, leaves in self._kinds.items():
            match looked:
                case Looked.SEARCH:
                    pass
                case Looked.TEXT if rows.are_stubs:
                    for key, column in leaves.of(self._stubs(rows)).items():
                        columns[key] = rows.texts.spread(column)
                case Looked.NOTHING if rows.are_stubs:
                    for key, column in leaves.of([stub("", self._channel)]).items():
                        columns[key] = column.repeat(len(rows))
                case _:
                    columns |= leaves.of(rows.messages())
        return columns

    def _stubs(self, rows: Rows) -> list[Message]:
        pieces = rows.texts.pieces()
        return [stub(piece.text(place), self._channel) for piece in pieces for place in range(len(piece))]


def _has_lists(message: Message) -> bool:
    """Whether it brings lists along that otherwise are found in the text."""
    lists = (message.links, message.domains, message.mentions, message.hashtags)
    return any(each is not None for each in lists)


class Looked(Enum):
    """What a leaf reads of a message."""

    SEARCH = auto()  # its text, and it is false where a search of the text finds nothing
    TEXT = auto()  # its text alone
    NOTHING = auto()  # only what stubs do not have
    MESSAGE = auto()


_OF_TEXT: Final = frozenset({"text", "unquoted", "links", "domains", "mentions", "hashtags"})
_OF_NO_STUB: Final = frozenset(
    {"language", "to", "hashes", "attachments", "reach", "is_reply", "edit_of", "meta", "author.roles", "author.labels"}
)


def _looked_at(leaves: Sequence[Leaf], version: Agreement) -> Iterator[Looked]:
    fields = fields_needed([(version.clause(leaf.own), _rule_of(leaf, version)) for leaf in leaves])
    for leaf, searched in zip(leaves, fields, strict=True):
        read = set(_variables(leaf.expression))
        if read <= _OF_NO_STUB:
            yield Looked.NOTHING
        elif not read <= _OF_TEXT | _OF_NO_STUB:
            yield Looked.MESSAGE
        else:
            yield Looked.SEARCH if leaf.type is Type.BOOL and searched == {"text"} else Looked.TEXT


class Leaves:
    """Some leaves: those that are true or false answered by one function, numbers one by one."""

    def __init__(self, version: Agreement, leaves: Sequence[Leaf], asked: Asked) -> None:
        claims = [leaf for leaf in leaves if leaf.type is Type.BOOL]
        numbers = [leaf for leaf in leaves if leaf.type is not Type.BOOL]
        self.keys = tuple(asked.key_of(leaf) for leaf in leaves)
        self._claims = [asked.key_of(leaf) for leaf in claims]
        self._plan = plan(_version_of(claims, version, asked.channels)) if claims else None
        self._others = plan(_version_of(numbers, version, asked.channels)) if numbers else None
        self._numbers = [
            (asked.key_of(leaf), leaf.type, _value_of(self._others, place))
            for place, leaf in enumerate(numbers)
            if self._others is not None
        ]

    def sift(self, piece: Joined) -> list[int]:
        """For each text 0 where no search finds anything."""
        return self._plan.sift(piece) if self._plan is not None else []

    def of(self, messages: Sequence[Message]) -> Columns:
        """Their columns."""
        columns: Columns = {}
        if self._plan is not None:
            bits = _unpacked(self._plan.breached_batch(messages), len(self._claims))
            columns.update(zip(self._claims, bits, strict=True))
        if self._others is not None:
            readings = [self._others.read(message, {}) for message in messages]
            for key, kind, value in self._numbers:
                columns[key] = column_of([value(reading) for reading in readings], kind)
        return columns


def _variables(expression: Expression) -> Iterator[str]:
    return (part.name for part in walk(expression) if isinstance(part, Variable) and not part.bound)


def _measure(expression: Expression) -> Measure | None:
    """A way round the plan for what most rules ask of texts; it comes to the same."""
    match expression:
        case Call(function="size", args=(Variable(name="text"),)):
            return texts.sizes
        case Call(function="size", args=(Variable(name="links"),)):
            return texts.link_counts
        case Call(function="capitals", args=(Variable(name="text"),)):
            return texts.capitals
        case Call(function="contains", args=(Variable(name="text"), Literal(value=str() as wanted))):
            return texts.contains(wanted)
        case _:
            return None


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
        clause, rule = version.clause(leaf.own), _rule_of(leaf, version)
        clauses.append(dataclasses.replace(clause, id=_leaf_id(place), rule=rule, channels=everywhere))
    return dataclasses.replace(version, clauses=tuple(clauses))


def _rule_of(leaf: Leaf, version: Agreement) -> Rule:
    rule = version.clause(leaf.own).rule
    assert rule is not None
    return dataclasses.replace(rule, expression=leaf.expression)


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
