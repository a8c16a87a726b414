"""Which entries have or cite an id, remembered outside the memory: there may be many millions of them.

Each is a record of 32 bytes. They are sorted some at a time and put aside on a `Scratch`; once all are there, the ids
that ask to be looked at come back one after the other, each with all that mention it. Ids are random: of a log whose
ids are not, more may have to be sorted at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import groupby
from operator import itemgetter
from struct import Struct
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

_RECORD: Final = Struct(">16sQQ")  # the id; the entry; what is noted << 8 | role. In this order they are sorted.
_AT_ONCE: Final = 1 << 16
_PARTS: Final = 256
_FIRST_OF_PART: Final = np.array([bytes([part]) for part in range(1, _PARTS)], "S1")

Records = npt.NDArray[np.bytes_]


class Scratch(Protocol):
    """Bytes put aside until they are read again; they need not outlast the process."""

    def write(self, content: bytes) -> int:
        """Where `content` begins."""

    def read(self, at: int, length: int) -> bytes: ...


class Held:
    """A scratch in memory, for logs that are not large."""

    def __init__(self) -> None:
        self._content = bytearray()

    def write(self, content: bytes) -> int:
        self._content += content
        return len(self._content) - len(content)

    def read(self, at: int, length: int) -> bytes:
        return bytes(self._content[at : at + length])


class Role(IntEnum):
    """What an entry has to do with an id. Those from `CORRECTS` on cite an earlier entry's, the others are its own."""

    OTHER = 1
    STATEMENT = 2
    SEALED = 3
    APPEAL = 4
    CORRECTS = 128
    LIFTS = 129
    APPEALS = 130
    ERASES = 131
    DECIDES = 132
    SETTLES = 133


class Mention(NamedTuple):
    """Entry `entry` has or cites an id; `noted` is a number of the caller's."""

    entry: int
    role: Role
    noted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Sorted records at a place of the scratch; those whose id begins with byte n end before record `ends[n]`."""

    at: int
    ends: tuple[int, ...]


@dataclass(slots=True, kw_only=True)
class Mentions:
    """Grows by `add`; read once, at the end, by `together`."""

    scratch: Scratch
    _waiting: bytearray = field(default_factory=bytearray)
    _runs: list[_Run] = field(default_factory=list)

    def add(self, entry_id: bytes, index: int, role: Role, noted: int = 0) -> None:
        """`entry_id`: its 16 bytes."""
        self._waiting += _RECORD.pack(entry_id, index, noted << 8 | role)
        if len(self._waiting) == _AT_ONCE * _RECORD.size:
            self._put_aside()

    def together(self) -> Iterator[tuple[bytes, list[Mention]]]:
        """Each id that several mention, or that is cited and nobody's, with all that mention it in the log's order."""
        self._put_aside()
        for part in range(_PARTS):
            records = np.concatenate([self._read(run, part) for run in self._runs])
            yield from _together(np.sort(records))

    def _put_aside(self) -> None:
        records = np.sort(np.frombuffer(self._waiting, f"S{_RECORD.size}"))
        ends = np.searchsorted(records, _FIRST_OF_PART)
        self._runs.append(_Run(at=self.scratch.write(records.tobytes()), ends=(*map(int, ends), len(records))))
        self._waiting = bytearray()

    def _read(self, run: _Run, part: int) -> Records:
        start, end = (run.ends[part - 1] if part else 0), run.ends[part]
        content = self.scratch.read(run.at + start * _RECORD.size, (end - start) * _RECORD.size)
        return np.frombuffer(content, f"S{_RECORD.size}")


def _together(records: Records) -> Iterator[tuple[bytes, list[Mention]]]:
    wanted = records.view(np.uint8).reshape(-1, _RECORD.size)[:, -1] >= Role.CORRECTS
    ids = records.view(np.uint64).reshape(-1, _RECORD.size // 8)[:, :2]
    is_next_alike = (ids[1:] == ids[:-1]).all(axis=1)
    wanted[1:] |= is_next_alike
    wanted[:-1] |= is_next_alike
    unpacked = _RECORD.iter_unpack(records[wanted].tobytes())
    for entry_id, group in groupby(unpacked, key=itemgetter(0)):
        yield entry_id, [Mention(index, Role(noted & 0xFF), noted >> 8) for _, index, noted in group]
