"""Sections with ids: which clause a fence or a table belongs to, what its prose is, what stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from comity.agreement.decoding import check_visible
from comity.agreement.document import Block, Document, Fence, Heading, Table, Words
from comity.agreement.names import is_name
from comity.agreement.problems import Problems, quoted
from comity.agreement.source import Excerpt
from comity.model.clause import MEASURES_ID
from comity.model.ids import ClauseId

MOST_CLAUSES: Final = 10_000

_BLANK_LINES: Final = re.compile(r"\n{3,}")
_ID_MARK: Final = re.compile(r"[ \t]*\{#[^{}]*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with an id and what is under it.

    `around` are the ids of the sections that hold it, innermost first. Fences and tables of nested sections without
    an id belong to it; those of nested sections with an id do not, but their prose does.
    """

    id: ClauseId
    title: str
    at: Excerpt
    line: int  # 1-based
    around: tuple[ClauseId, ...]
    fences: tuple[Fence, ...]
    tables: tuple[Table, ...]
    prose: str
    body: Excerpt
    has_words: bool

    @property
    def parent(self) -> ClauseId | None:
        """The clause that it is nested under."""
        return next((one for one in self.around if one != MEASURES_ID), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The sections in the order of their headings, and what stands in none of them.

    `words` is the file's text with front matter, fences and tables blanked out, so that offsets stay.
    """

    sections: tuple[Section, ...]
    loose_fences: tuple[Fence, ...]
    loose_tables: tuple[Table, ...]
    words: str


def read_outline(document: Document, problems: Problems) -> Outline:
    """The sections of a document; ids that are malformed or used twice are reported and their headings have none."""
    reader = _Reader(document, problems)
    for block in document.blocks:
        reader.take(block)
    return reader.outline()


@dataclass(slots=True, kw_only=True)
class _Open:
    """A section whose end has not been met yet; without an id it lends its place to the one around it."""

    heading: Heading
    id: ClauseId | None
    around: tuple[ClauseId, ...]
    end_line: int = 0
    fences: list[Fence] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    has_words: bool = False


class _Reader:
    def __init__(self, document: Document, problems: Problems) -> None:
        self._document = document
        self._problems = problems
        self._prose: list[str | None] = [line.text for line in document.lines]
        self._stack: list[_Open] = []
        self._opened: list[_Open] = []
        self._lines_of: dict[str, int] = {}
        self._loose_fences: list[Fence] = []
        self._loose_tables: list[Table] = []

    def take(self, block: Block) -> None:
        match block:
            case Heading():
                self._open(block)
            case Words():
                for one in self._stack:
                    one.has_words = one.has_words or block.line >= one.heading.end_line
            case Fence():
                self._leave_out(block)
                owner = self._owner()
                (owner.fences if owner else self._loose_fences).append(block)
            case Table():
                self._leave_out(block)
                owner = self._owner()
                (owner.tables if owner else self._loose_tables).append(block)

    def outline(self) -> Outline:
        self._close(0, len(self._document.lines))
        return Outline(
            sections=tuple(self._section(one, clause) for one, clause in self._kept()),
            loose_fences=tuple(self._loose_fences),
            loose_tables=tuple(self._loose_tables),
            words=self._words(),
        )

    def _kept(self) -> Iterator[tuple[_Open, ClauseId]]:
        """The clauses up to the limit, and the section with the main ladder wherever it stands."""
        left = MOST_CLAUSES
        for one in self._opened:
            if one.id == MEASURES_ID:
                yield one, one.id
            elif one.id is not None and left:
                left -= 1
                yield one, one.id

    def _words(self) -> str:
        pairs = zip(self._document.lines, self._prose, strict=True)
        kept = [line.text if prose is not None else " " * len(line.text) for line, prose in pairs]
        kept[: self._document.body_line] = [" " * len(line) for line in kept[: self._document.body_line]]
        return "\n".join(kept)

    def _owner(self) -> _Open | None:
        return next((one for one in reversed(self._stack) if one.id is not None), None)

    def _leave_out(self, block: Fence | Table) -> None:
        for line in range(block.line, block.end_line):
            self._prose[line] = None

    def _open(self, heading: Heading) -> None:
        self._close(heading.level, heading.line)
        around = tuple(one.id for one in reversed(self._stack) if one.id is not None)
        opened = _Open(heading=heading, id=self._id(heading), around=around)
        self._stack.append(opened)
        self._opened.append(opened)
        if heading.id_at is not None:
            last = heading.end_line - 1
            for line in range(heading.line, last + 1):
                self._prose[line] = _ID_MARK.sub("", self._document.lines[line].text)

    def _close(self, level: int, line: int) -> None:
        while self._stack and self._stack[-1].heading.level >= level:
            self._stack.pop().end_line = line

    def _id(self, heading: Heading) -> ClauseId | None:
        at = heading.id_at
        if at is None:
            return None
        check_visible(heading.at, self._problems)
        if not is_name(at.text):
            help = "a lower-case letter, then lower-case letters, digits and hyphens, such as `{#no-spam}`"
            self._problems.error("C060", at, f"{quoted(at.text)} is not a clause id", help=help)
            return None
        if at.text in self._lines_of:
            message = f"the id `{at.text}` is used twice"
            help = f"line {self._lines_of[at.text]} has it already: choose another"
            self._problems.error("C061", at, message, help=help)
            return None
        self._lines_of[at.text] = heading.line + 1
        clauses = len(self._lines_of) - (MEASURES_ID in self._lines_of)
        if clauses == MOST_CLAUSES + 1 and at.text != MEASURES_ID:
            self._problems.error("C009", heading.at, f"the agreement has more than {MOST_CLAUSES:,} clauses")
        return ClauseId(at.text)

    def _section(self, one: _Open, clause: ClauseId) -> Section:
        lines = self._prose[one.heading.end_line : one.end_line]
        prose = "\n".join(line for line in lines if line is not None)
        end = self._document.lines[one.end_line - 1].end
        return Section(
            id=clause,
            title=one.heading.title,
            at=one.heading.at,
            line=one.heading.line + 1,
            around=one.around,
            fences=tuple(one.fences),
            tables=tuple(one.tables),
            prose=_BLANK_LINES.sub("\n\n", prose).strip(),
            body=Excerpt(source=one.heading.at.source, start=one.heading.at.end, end=max(one.heading.at.end, end)),
            has_words=one.has_words,
        )
