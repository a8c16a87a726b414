"""Hyperscan's databases: many patterns, one pass, and for each match the bits that its pattern stands for.

Every pattern has an id of its own: shared ids make compilation a hundred times slower. Databases are made on first use.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Final, Literal

import hyperscan

Kind = Literal["joined", "words", "row", "row's words", "literal"]

_LOOSE: Final = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_PREFILTER
_FLAGS: Final = {
    "joined": _LOOSE | hyperscan.HS_FLAG_MULTILINE,  # rows in lines: every match, and `^ $` at each line's edges
    "words": 0,
    "row": _LOOSE | hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_SINGLEMATCH,  # one row alone: any match will do
    "row's words": hyperscan.HS_FLAG_SINGLEMATCH,
    "literal": 0,
}
_BEHIND: Final = b"\0\0"
"""Begins nothing: Vectorscan 5.4.12 may overlook what the last two bytes begin (see `pairs`)."""

Note = Callable[..., bool | None]
"""Told of a match by hyperscan: the pattern's id, start, end, flags and the list to keep it in. True ends the scan."""


class Patterns:
    """Patterns (literal bytes, or expressions) and their bits. Safe to share between threads.

    What hyperscan cannot take counts as matching everywhere. `words`: expressions for a row's words, beside the others.
    """

    __slots__ = ("_bits", "_database", "_kinds", "_patterns", "_refused", "_scratches")

    def __init__(
        self,
        bits: Mapping[str, int] | Mapping[bytes, int],
        *,
        kind: Kind,
        words: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._patterns = {one if isinstance(one, bytes) else one.encode(): of for one, of in bits.items()}
        self._kinds: dict[bytes, Kind] = dict.fromkeys(self._patterns, kind)
        for one, of in words.items():
            self._patterns[one.encode()] = self._patterns.get(one.encode(), 0) | of
            self._kinds.setdefault(one.encode(), "words" if kind == "joined" else "row's words")
        self._refused = 0
        self._bits: list[int] = []
        self._database: hyperscan.Database | None = None
        self._scratches: list[hyperscan.Scratch] = []

    def bits_in(self, raw: bytes) -> int:
        """The bits of all patterns that match."""
        database = self._database or (self._made() if self._patterns else None)
        bits = self._refused
        if database is None:
            return bits
        numbers: list[int] = []
        scratch = self._take(database)
        database.scan(raw + _BEHIND, NOTE_ID, 0, numbers, scratch)
        self._scratches.append(scratch)
        for number in numbers:
            bits |= self._bits[number]
        return bits

    def add_bits(self, joined: bytes, starts: Sequence[int], hits: list[int], *, most: int = 0) -> bool:
        """Adds each match's bits to the row in which it ends; False, and nothing added, if there are over `most`.

        Row n begins at `starts[n]`. The last of the starts and of the hits are no row's.
        """
        database = self._database or (self._made() if self._patterns else None)
        found: list[tuple[int, int]] = []
        if database is not None:
            scratch = self._take(database)
            is_whole = _scan(database, joined + _BEHIND, _note_up_to(most) if most else _NOTE_END, found, scratch)
            self._scratches.append(scratch)
            if not is_whole:
                return False
        for number, end in found:
            hits[bisect_right(starts, end) - 1] |= self._bits[number]
        if self._refused:
            hits[:] = [bits | self._refused for bits in hits]
        return True

    def _take(self, database: hyperscan.Database) -> hyperscan.Scratch:
        """One scratch space for each scan under way: hyperscan lets the interpreter go on meanwhile."""
        try:
            return self._scratches.pop()
        except IndexError:
            return hyperscan.Scratch(database)

    def _made(self) -> hyperscan.Database | None:
        made = _database(list(self._patterns), self._kinds)
        if made is None:
            refused = {one for one in self._patterns if _database([one], self._kinds) is None}
            self._refused = reduce(or_, (self._patterns[one] for one in refused), 0)
            self._patterns = {one: bits for one, bits in self._patterns.items() if one not in refused}
            made = _database(list(self._patterns), self._kinds)
        self._bits, self._database = list(self._patterns.values()), made
        return made


def _database(patterns: Sequence[bytes], kinds: Mapping[bytes, Kind]) -> hyperscan.Database | None:
    """A database whose ids are the patterns' places; None if one of them is more than hyperscan can do, or none is."""
    if not patterns:
        return None
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    ids = list(range(len(patterns)))
    flags = [_FLAGS[kinds[one]] for one in patterns]
    is_literal = kinds[patterns[0]] == "literal"
    try:
        made.compile(expressions=list(patterns), ids=ids, elements=len(ids), flags=flags, literal=is_literal)
    except hyperscan.error:
        return None
    return made


def _scan(
    database: hyperscan.Database, joined: bytes, note: Note, found: list[tuple[int, int]], scratch: hyperscan.Scratch
) -> bool:
    """Whether the scan came to its end."""
    try:
        database.scan(joined, note, 0, found, scratch)
    except hyperscan.ScanTerminated:
        return False
    return True


def _note_id(number: int, _start: int, _end: int, _flags: int, numbers: list[int]) -> None:
    numbers.append(number)


def _note_end(number: int, _start: int, end: int, _flags: int, found: list[tuple[int, int]]) -> None:
    found.append((number, end))


def _note_up_to(most: int) -> Note:
    def note(number: int, _start: int, end: int, _flags: int, found: list[tuple[int, int]]) -> bool:
        found.append((number, end))
        return len(found) > most

    return note


NOTE_ID: Final[Note] = _note_id
_NOTE_END: Final[Note] = _note_end
