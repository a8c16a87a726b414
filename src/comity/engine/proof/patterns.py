"""RE2 patterns as trees of characters, sequences, choices, repetitions and edges: what `languages` reasons about.

What a class, an escape or a letter in either case stands for is asked of RE2 itself, over all of Unicode, so that
folding and tables are RE2's own. A pattern with anything unfamiliar is given up, never guessed; so is `\\B`, which
RE2 finds between the bytes of a character, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final

import re2

from comity.engine.functions import compiled

Ranges = tuple[tuple[int, int], ...]
"""Code points, both ends included, in order and apart."""

LAST: Final = 0x10FFFF
ALL: Final[Ranges] = ((0, 0xD7FF), (0xE000, LAST))
"""Every character that a text may hold: no surrogates."""

_COUNT: Final = re.compile(r"\{(\d+)(?:(,)(\d*))?\}")
_FLAGS: Final = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")
_NAMED: Final = re.compile(r"\(\?P?<\w+>")
_CLASS: Final = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\[pP]\{\^?\w+\}|\\.|[^\]\\])*\]", re.DOTALL)
_ESCAPE: Final = re.compile(
    r"\\(?:[pP]\{\^?\w+\}|[pP]\w|x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|[^0-9A-Za-z]|[adDfnrsStvwW])"
)
_EDGES: Final = {"\\A": "begin", "\\z": "end", "\\b": "bound"}
_DEEPEST: Final = 60


class Side(StrEnum):
    """An edge: a place between two characters."""

    BEGIN = "begin"
    END = "end"
    LINE_BEGIN = "line begin"
    LINE_END = "line end"
    BOUND = "bound"  # between a word's character and another, in ASCII


@dataclass(frozen=True, slots=True)
class Chars:
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    options: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    part: Tree
    least: int
    most: int | None  # None: without end


@dataclass(frozen=True, slots=True)
class Edge:
    side: Side


Tree = Chars | Sequence | Choice | Repeat | Edge

ANY: Final = Chars(ALL)
ANYTHING: Final = Repeat(ANY, 0, None)


def literal(text: str) -> Sequence:
    """Just these characters."""
    return Sequence(tuple(Chars(((ord(character), ord(character)),)) for character in text))


def anywhere(tree: Tree) -> Sequence:
    """Any text that has it somewhere."""
    return Sequence((ANYTHING, tree, ANYTHING))


@lru_cache(maxsize=512)
def pattern(source: str) -> Tree | None:
    """The tree of a valid RE2 pattern; None if it holds what is not followed here."""
    reader = _Reader(source)
    try:
        tree = reader.choice(_Flags(), 0)
    except _UnfamiliarError:
        return None
    return tree if reader.at == len(source) else None


class _UnfamiliarError(Exception):
    """The pattern has something that the reader does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flags:
    any_case: bool = False
    lines: bool = False
    dot_all: bool = False

    def after(self, on: str, off: str) -> _Flags:
        names = {"i": "any_case", "m": "lines", "s": "dot_all"}
        changes = {names[letter]: True for letter in on if letter in names}
        return replace(self, **changes, **{names[letter]: False for letter in off if letter in names})


class _Reader:
    """Reads a pattern that RE2 has accepted."""

    def __init__(self, source: str) -> None:
        self.at = 0
        self._source = source

    def choice(self, flags: _Flags, depth: int) -> Tree:
        """Up to the end or the closing bracket; a flag set on the way holds until there."""
        if depth > _DEEPEST:
            raise _UnfamiliarError
        options: list[Tree] = []
        parts: list[Tree] = []
        while self._next() not in ("", ")"):
            if self._taken("|"):
                options.append(Sequence(tuple(parts)))
                parts = []
            elif (found := _FLAGS.match(self._source, self.at)) and found[3] == ")":
                self.at = found.end()
                flags = flags.after(found[1], found[2] or "")
            else:
                parts += self._repeated(self._atoms(flags, depth))
        options.append(Sequence(tuple(parts)))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _next(self) -> str:
        return self._source[self.at : self.at + 1]

    def _taken(self, text: str) -> bool:
        if not self._source.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def _atoms(self, flags: _Flags, depth: int) -> list[Tree]:
        """One atom; several for `\\Q...\\E`."""
        if self._taken("\\Q"):
            end = self._source.find("\\E", self.at)
            quoted = self._source[self.at : end if end >= 0 else len(self._source)]
            self.at += len(quoted) + (2 if end >= 0 else 0)
            return [_character(character, flags) for character in quoted]
        if self._next() == "(":
            return [self._group(flags, depth)]
        return [self._simple(flags)]

    def _group(self, flags: _Flags, depth: int) -> Tree:
        if found := _FLAGS.match(self._source, self.at):
            self.at = found.end()
            flags = flags.after(found[1], found[2] or "")
        elif found := _NAMED.match(self._source, self.at):
            self.at = found.end()
        elif self._source.startswith("(?", self.at):
            raise _UnfamiliarError
        else:
            self.at += 1
        inside = self.choice(flags, depth + 1)
        if not self._taken(")"):
            raise _UnfamiliarError
        return inside

    def _simple(self, flags: _Flags) -> Tree:
        source, at = self._source, self.at
        if (edge := _EDGES.get(source[at : at + 2])) is not None:
            self.at += 2
            return Edge(Side(edge))
        for token in (_CLASS, _ESCAPE):
            if found := token.match(source, at):
                self.at = found.end()
                return Chars(_members(found[0], flags.any_case, False))
        self.at += 1
        match source[at]:
            case "^":
                return Edge(Side.LINE_BEGIN if flags.lines else Side.BEGIN)
            case "$":
                return Edge(Side.LINE_END if flags.lines else Side.END)
            case ".":
                return Chars(_members(".", False, flags.dot_all))
            case "\\" | "[" | "*" | "+" | "?":
                raise _UnfamiliarError
            case character:
                return _character(character, flags)

    def _repeated(self, atoms: list[Tree]) -> list[Tree]:
        while atoms and (bounds := self._bounds()) is not None:
            atoms = [*atoms[:-1], Repeat(atoms[-1], *bounds)]
        return atoms

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._taken(sign):
                self._taken("?")  # the shortest match first: the same texts
                return bounds
        found = _COUNT.match(self._source, self.at)
        if found is None:
            return None
        self.at = found.end()
        self._taken("?")
        least = int(found[1])
        most = int(found[3]) if found[3] else None
        return least, most if found[2] else least


def _character(character: str, flags: _Flags) -> Chars:
    if flags.any_case and (character.isalpha() or not character.isascii()):
        return Chars(_members(re2.escape(character), True, False))
    return Chars(((ord(character), ord(character)),))


@lru_cache(maxsize=512)
def _members(source: str, any_case: bool, dot_all: bool) -> Ranges:  # noqa: FBT001
    """The characters that a pattern for one character matches, as RE2 says."""
    flags = ("i" if any_case else "") + ("s" if dot_all else "")
    runs = compiled(f"(?{flags}:{source})+" if flags else f"(?:{source})+").finditer(_every_character())
    return tuple(part for run in runs for part in _apart(_code_at(run.start()), _code_at(run.end()) - 1))


def _apart(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The range without the surrogates in its middle, if it has them there."""
    if first < 0xD800 and last > 0xDFFF:
        yield first, 0xD7FF
        yield 0xE000, last
    else:
        yield first, 0xD7FF if 0xD800 <= last <= 0xDFFF else last


@lru_cache(maxsize=1)
def _every_character() -> bytes:
    return "".join(chr(code) for first, last in ALL for code in range(first, last + 1)).encode()


_LAYOUT: Final = ((0, 0, 1), (0x80, 0x80, 2), (0x800, 0xF80, 3), (0xE000, 0x27F80, 3), (0x10000, 0x2DF80, 4))
"""Where code points of each length begin in `_every_character`: first code point, offset, bytes each."""


def _code_at(offset: int) -> int:
    """The code point that stands at that offset; one beyond the last at the end."""
    first, start, size = next(row for row in reversed(_LAYOUT) if row[1] <= offset)
    return first + (offset - start) // size
