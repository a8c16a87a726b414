"""What history keeps of a message: enough to count windows, and nothing that can be read.

Texts, recipients and `meta` values are kept as keyed hashes (BLAKE2b, 128 bits), so a trace tells nobody what was
written or to whom; without the key equal values cannot even be guessed. Where traces do not outlive the process, its
own keyed hash of 64 bits (SipHash) stands for a text: it takes a fifth of the time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from itertools import chain
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from comity.engine.batch import joined_texts
from comity.engine.folded import folded_bytes, folded_rows
from comity.engine.functions import number
from comity.engine.lateness import EPOCH, MICROSECOND
from comity.engine.windows import Counted, Window
from comity.model.ids import AccountId
from comity.model.message import Message

_BYTES: Final = 16
_OF_TEXT: Final = frozenset({Counted.COPIES, Counted.TEXT_COPIES, Counted.TEXT_COPIERS})
_OF_NO_STORE: Final = b"traces that are not stored"
_IS_HASH_KEYED: Final = sys.hash_info.algorithm.startswith("siphash") and sys.flags.hash_randomization == 1
"""Not where PYTHONHASHSEED is 0: then anybody can find two texts with one hash."""
_OF_VALUE: Final = frozenset({Counted.SAME, Counted.AUTHORS_SAME})


class Trace(msgspec.Struct, frozen=True, array_like=True):
    """One message in history. What no window needs is left empty."""

    author: AccountId
    sent: datetime
    text: bytes = b""
    to: tuple[bytes, ...] = ()
    values: dict[str, bytes] = {}
    numbers: dict[str, float] = {}


@dataclass(frozen=True, kw_only=True)
class Traces:
    """Many messages in history, in intake order, as columns. What no window needs is left empty."""

    authors: Sequence[AccountId]
    sent: npt.NDArray[np.int64]  # microseconds since 1970
    texts: Sequence[bytes] = ()
    to: Sequence[tuple[bytes, ...]] = ()
    values: Mapping[str, Sequence[bytes]] = field(default_factory=dict)  # b"" where there is none
    numbers: Mapping[str, Sequence[float]] = field(default_factory=dict)  # 0.0 where there is none

    def __len__(self) -> int:
        return len(self.authors)

    @cached_property
    def names(self) -> list[bytes]:
        """The authors in UTF-8."""
        return [author.encode() for author in self.authors]

    def __iter__(self) -> Iterator[Trace]:
        """One by one; all are dated 1970, for who steps through them has `sent`."""
        count = len(self.authors)
        texts, to = self.texts or (b"",) * count, self.to or ((),) * count
        for index, (author, text, recipients) in enumerate(zip(self.authors, texts, to, strict=True)):
            values = {key: of[index] for key, of in self.values.items() if of[index]}
            numbers = {key: of[index] for key, of in self.numbers.items() if of[index]}
            yield Trace(author, EPOCH, text, recipients, values, numbers)


class Tracer:
    """Makes traces for the windows that are asked for."""

    def __init__(self, windows: Iterable[Window], *, key: bytes | None) -> None:
        """`key` is secret, 16 to 64 bytes, and the store's own; None for traces that are never stored."""
        windows = tuple(windows)
        counted = {window.counted for window in windows}
        self._hashing = blake2b(digest_size=_BYTES, key=key or _OF_NO_STORE)
        self._is_passing = key is None and _IS_HASH_KEYED
        self._keeps_text = bool(counted & _OF_TEXT)
        self._keeps_recipients = Counted.RECIPIENTS in counted
        self._values = _keys(windows, _OF_VALUE)
        self._numbers = _keys(windows, frozenset({Counted.TOTAL}))
        self._keeps_no_more = not (self._keeps_recipients or self._values or self._numbers)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Trace)

    def trace(self, message: Message, *, sent: datetime | None = None) -> Trace:
        """What history keeps of the message. `sent`: when it counts as sent, if its clock is not believed."""
        at, text = message.sent if sent is None else sent, self._text(message) if self._keeps_text else b""
        if self._keeps_no_more:
            return Trace(message.author, at, text)
        return Trace(
            message.author,
            at,
            text,
            self._recipients(message) if self._keeps_recipients else (),
            self._values_of(message.meta) if self._values else {},
            _numbers(message.meta, self._numbers) if self._numbers else {},
        )

    def is_of(self, content: bytes, message: Message) -> bool | None:
        """Whether what `encode` made is of a message with the same folded text; None if it keeps nothing of it."""
        kept = self.decode(content).text
        return kept == self._text(message) if kept else None

    def traces(self, messages: Sequence[Message]) -> Traces:
        """What a batch history keeps of the messages."""
        return Traces(
            authors=[message.author for message in messages],
            sent=np.array([(message.sent - EPOCH) // MICROSECOND for message in messages], np.int64),
            texts=self._texts(messages) if self._keeps_text else (),
            to=[self._recipients(message) for message in messages] if self._keeps_recipients else (),
            values={key: [self._value(message, key) for message in messages] for key in self._values},
            numbers={key: [number(message.meta.get(key, "")) for message in messages] for key in self._numbers},
        )

    def _recipients(self, message: Message) -> tuple[bytes, ...]:
        return tuple(sorted({self._hash(to) for to in message.to}))

    def _value(self, message: Message, key: str) -> bytes:
        value = message.meta.get(key, "")
        return self._hash(value) if value else b""

    def encode(self, trace: Trace) -> bytes:
        return self._encoder.encode(trace)

    def decode(self, content: bytes) -> Trace:
        """The trace of `encode`; `msgspec.ValidationError` for anything else."""
        return self._decoder.decode(content)

    def _text(self, message: Message) -> bytes:
        folded = folded_bytes(message.text)
        if self._is_passing:
            return hash(folded).to_bytes(8, "little", signed=True)
        hashing = self._hashing.copy()
        hashing.update(folded)
        return hashing.digest()

    def _texts(self, messages: Sequence[Message]) -> list[bytes]:
        rows = chain.from_iterable(map(folded_rows, joined_texts(messages)))
        if self._is_passing:
            hashed: list[bytes] = np.fromiter(map(hash, rows), "<i8", len(messages)).view("V8").tolist()
            return hashed
        copied, hashes = self._hashing.copy, []
        for folded in rows:
            hashing = copied()
            hashing.update(folded)
            hashes.append(hashing.digest())
        return hashes

    def _values_of(self, meta: Mapping[str, str]) -> dict[str, bytes]:
        return {key: self._hash(meta[key]) for key in self._values if meta.get(key)}

    def _hash(self, value: str) -> bytes:
        hashing = self._hashing.copy()
        hashing.update(value.encode())
        return hashing.digest()


def _keys(windows: Iterable[Window], counted: frozenset[Counted]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(window.key for window in windows if window.counted in counted))


def _numbers(meta: Mapping[str, str], keys: Iterable[str]) -> dict[str, float]:
    return {key: value for key in keys if (value := number(meta.get(key, "")))}
