"""Running counts over the whole record, kept from one start of the service to the next: only what came since is read.

They may be lost, or not be of the record as it is now (a backup was put back): then all is counted anew. What stops
them from being kept, such as a full disk, stops nobody from counting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from types import GenericAlias
from typing import Final, TypeVar, get_args

import msgspec

from comity.ports import Counts, Store, StoreError

CountedT = TypeVar("CountedT")
EachT = TypeVar("EachT")

_RULES: Final = 1
"""Of what is counted: other ones count anew. Change it with `casework.openness` and `casework.quality`."""
_OFTEN: Final = 1_000
"""Facts. Fewer are soon counted again."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """`position`, `erasures`, `size`: how many facts, erasures and entries there were. `entry`: SHA-256 of the last."""

    rules: int
    position: int
    erasures: int
    size: int
    entry: bytes
    counted: msgspec.Raw


class Keeping:
    """One running count, as it is kept. `counted` is made of what msgspec writes, and of counters."""

    def __init__(self, counts: Counts, name: str) -> None:
        self._counts, self._name = counts, name
        self._position = self._erasures = 0

    def taken_up(self, store: Store, kind: type[CountedT]) -> CountedT | None:
        """What was kept; None: nothing that is of this record."""
        try:
            kept = msgspec.json.decode(self._counts.read(self._name), type=_Kept)
            counted = msgspec.json.decode(kept.counted, type=kind, dec_hook=_counter, strict=False)
        except (msgspec.MsgspecError, StoreError):
            return None
        if not _is_of(kept, store):
            return None
        self._position, self._erasures = kept.position, kept.erasures
        return counted

    def keep(self, store: Store, position: int, erasures: int, counted: object) -> None:
        """What was counted of so many facts and erasures; not each time, but after each erasure."""
        if position - self._position < _OFTEN and (erasures == self._erasures or not self._position):
            return
        size = store.size
        kept = _Kept(
            rules=_RULES,
            position=position,
            erasures=erasures,
            size=size,
            entry=_entry(store, size),
            counted=msgspec.Raw(msgspec.json.encode(counted)),
        )
        with suppress(StoreError):
            self._counts.keep(self._name, msgspec.json.encode(kept))
        self._position, self._erasures = position, erasures


class EndedError(Exception):
    """Nobody will ask for it any more."""


def unless_over(is_over: Callable[[], bool], found: Iterable[EachT]) -> Iterator[EachT]:
    """Raises `EndedError` instead of going on."""
    for each in found:
        if is_over():
            raise EndedError
        yield each


def _is_of(kept: _Kept, store: Store) -> bool:
    """Whether the record has all that it had then, and so is no other and no earlier one."""
    is_long = store.position >= kept.position and store.size >= kept.size
    return kept.rules == _RULES and is_long and _entry(store, kept.size) == kept.entry


def _entry(store: Store, size: int) -> bytes:
    return sha256(b"".join(store.entries(max(0, size - 1), size))).digest()


def _counter(kind: type, value: object) -> object:
    """msgspec reads no `Counter`; its numbers may stand as text, since they are a name in JSON."""
    return Counter(msgspec.convert(value, GenericAlias(dict, (*get_args(kind), int)), strict=False))
