"""Who is called what on one channel: a table of numbers that finds the places of a name in little memory.

Open addressing with linear probing. A slot holds 32 bits of the name's hash and a place; Python's hash of a string is
keyed anew in each process, so nobody can choose names that collide. The names themselves are compared by the caller.

`recent` is the caller's, for what it found out about a name: whatever is told of that name drops it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import datetime
from typing import Final

PART: Final = 0xFFFFFFFF
"""The bits of a hash that a slot keeps, and the bits of a slot that are a place."""
_GONE: Final = PART
"""A slot whose name was taken out; probing goes on over it. No place has this number."""
_LEAST: Final = 64


class Handles:
    """Places by hash. The same name may have several places."""

    __slots__ = ("_filled", "_names", "mask", "recent", "slots")

    def __init__(self, *, room: int = 0) -> None:
        size = _LEAST
        while room * 2 > size:
            size *= 2
        self.slots, self.mask = array("Q", bytes(8 * size)), size - 1
        self._filled = self._names = 0  # slots that are not empty, and those of them that hold a place
        self.recent = dict[str, tuple[datetime, datetime, int]]()

    def __len__(self) -> int:
        return self._names

    def add(self, name: str, place: int) -> None:
        self.recent.pop(name, None)
        if self._filled * 3 >= len(self.slots) * 2:
            self._make_room()
        self._put((hash(name) & PART) << 32 | place)

    def drop(self, name: str, place: int) -> None:
        """Take out a place that was added under this name."""
        self.recent.pop(name, None)
        wanted = (hash(name) & PART) << 32 | place
        at = (wanted >> 32) & self.mask
        while self.slots[at] != wanted:
            at = (at + 1) & self.mask
        self.slots[at] = _GONE
        self._names -= 1

    def places(self, name: str) -> Iterator[int]:
        """The places that may be of this name; compare it."""
        part = hash(name) & PART
        at = part & self.mask
        while slot := self.slots[at]:
            if slot >> 32 == part and slot != _GONE:
                yield slot & PART
            at = (at + 1) & self.mask

    def _put(self, slot: int) -> None:
        slots, mask = self.slots, self.mask
        at = (slot >> 32) & mask
        while slots[at]:
            at = (at + 1) & mask
        slots[at] = slot
        self._filled += 1
        self._names += 1

    def _make_room(self) -> None:
        old, grown = self.slots, Handles(room=self._names + 1)
        self.slots, self.mask, self._filled, self._names = grown.slots, grown.mask, 0, 0
        for slot in old:
            if slot and slot != _GONE:
                self._put(slot)
