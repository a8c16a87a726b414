"""Messages of an archive a second time: for evidence, samples and names, which columns do not hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from comity.app.scan import Scanned
from comity.intake.parts import Part, messages_at, read_part
from comity.model.message import Message


class Again:
    """Gives the messages of scanned parts, which must be asked for in their order."""

    def __init__(self) -> None:
        self._path = ""
        self._batches: Iterator[tuple[Message, ...]] = iter(())
        self._left: list[Message] = []  # read, but of a later part
        self._next = 0  # the place of the first of them
        self._held: tuple[tuple[str, int], list[Message]] = (("", -1), [])

    def messages(self, one: Scanned) -> Sequence[Message]:
        """All messages of the part."""
        place = (one.part.archive.path, one.number)
        if self._held[0] != place:
            self._held = (place, self._whole(one))
        return self._held[1]

    def at(self, one: Scanned, rows: Sequence[int]) -> Iterator[tuple[int, Message]]:
        """The messages at these rows of the part, in rising order."""
        if not rows:
            return iter(())
        if one.part.stretch is not None:
            return messages_at(one.part, rows, is_whole=not one.about.rejects, size=one.about.bytes)
        messages = self.messages(one)
        return ((row, messages[row]) for row in rows)

    def _whole(self, one: Scanned) -> list[Message]:
        if one.part.stretch is not None:
            return [message for taken, _ in read_part(one.part) for message in taken.messages]
        self._begin(one.part.archive.path, one)
        while self._next + len(self._left) < one.first + one.size:
            self._left.extend(next(self._batches))
            self._skip(one.first)
        self._skip(one.first)
        found, self._left = self._left[: one.size], self._left[one.size :]
        self._next += len(found)
        return found

    def _begin(self, path: str, one: Scanned) -> None:
        if path != self._path or self._next > one.first:
            self._path, self._left, self._next = path, [], 0
            self._batches = (taken.messages for taken, _ in read_part(one.part))

    def _skip(self, first: int) -> None:
        passed = max(0, min(first - self._next, len(self._left)))
        del self._left[:passed]
        self._next += passed


def read_at(
    places: Iterable[tuple[int, int]], parts: Mapping[int, Scanned], executor: Executor | None
) -> dict[tuple[int, int], Message]:
    """The messages at these parts and rows, read by all cores."""
    rows: dict[int, set[int]] = {}
    for part, row in places:
        rows.setdefault(part, set()).add(row)
    asked = {part: sorted(rows[part]) for part in sorted(rows)}
    apart = [part for part in asked if parts[part].part.stretch is not None]
    each = map if executor is None else executor.map
    jobs = [
        _Apart(part=each.part, rows=asked[one], is_whole=not each.about.rejects, size=each.about.bytes)
        for one in apart
        for each in [parts[one]]
    ]
    found = dict(zip(apart, each(_read_apart, jobs), strict=True))
    again = Again()
    found |= {part: list(again.at(parts[part], asked[part])) for part in asked if part not in found}
    return {(part, row): message for part in asked for row, message in found[part]}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Apart:
    """Rows of a part that can be read without those before it."""

    part: Part
    rows: Sequence[int]
    is_whole: bool
    size: int | None


def _read_apart(one: _Apart) -> list[tuple[int, Message]]:
    return list(messages_at(one.part, one.rows, is_whole=one.is_whole, size=one.size))
