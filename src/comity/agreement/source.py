"""Texts of the files of an agreement, and pieces of them that know where they stand.

Decides what a position is. Leaves to `decoding` which bytes are a text at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A decoded file.

    `file` is the name that diagnostics show. `text` is the original; `clean` is of the same length and has carriage
    returns, control characters and a byte order mark replaced, so that readers need not mind them.
    """

    file: str
    text: str
    clean: str

    def position(self, offset: int) -> tuple[int, int]:
        """1-based line and column of an offset."""
        line_start = self.text.rfind("\n", 0, offset) + 1
        return self.text.count("\n", 0, offset) + 1, offset - line_start + 1

    def all(self) -> Excerpt:
        return Excerpt(source=self, start=0, end=len(self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A run of a source, half-open, in code points."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.clean[self.start : self.end]

    def part(self, start: int, end: int | None = None) -> Excerpt:
        """The run from `start` to `end`, both counted from this excerpt's start."""
        stop = self.end if end is None else min(self.start + end, self.end)
        return Excerpt(source=self.source, start=min(self.start + start, stop), end=stop)

    def stripped(self) -> Excerpt:
        """Without white space on both ends."""
        text = self.text
        lead = len(text) - len(text.lstrip())
        return self.part(lead, max(lead, len(text.rstrip())))

    def split(self, pattern: str) -> tuple[Excerpt, ...]:
        """The pieces between matches of a regular expression, stripped."""
        return tuple(self.part(start, end).stripped() for start, end in _gaps(self.text, pattern))

    def lines(self) -> tuple[Excerpt, ...]:
        """Its lines, without their ends."""
        return tuple(self.part(start, end) for start, end in _gaps(self.text, "\n"))

    def first_line(self) -> Excerpt:
        end = self.text.find("\n")
        return self if end < 0 else self.part(0, end)


def _gaps(text: str, pattern: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in re.finditer(pattern, text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)
