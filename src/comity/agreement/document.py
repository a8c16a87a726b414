"""Markdown to the blocks that agreements are made of: headings, fences, tables and words, with their places.

CommonMark with tables, read by `markdown-it-py`. Only its block parser runs: what stands inside a paragraph is prose
and stays as it is written. Link definitions count as prose too, so reading stays linear in the size of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from comity.agreement.problems import Problems
from comity.agreement.source import Excerpt, Source

DEEPEST: Final = 100
"""Nesting of lists and quotations."""

_HEADING_ID: Final = re.compile(r"\{#([^{}]*)\}\Z")
_INVISIBLE_HTML: Final = re.compile(r"<!--.*?(?:-->|\Z)|<[^<>]*>", re.DOTALL)
_LINK_DEFINITION: Final = re.compile(r"\[[^\[\]]+\]:[ \t]*\S")
_MARKDOWN: Final = (
    MarkdownIt("commonmark", {"maxNesting": DEEPEST + 1}).enable("table").disable(["reference", "inline", "text_join"])
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """`id_at` is what stands between `{#` and `}`. Lines are 0-based and half-open, as for all blocks."""

    level: int
    title: str
    id_at: Excerpt | None
    at: Excerpt
    line: int
    end_line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """`word` is the first of the info string, `attributes` the rest of it; `lines` is the content."""

    word: str
    attributes: Excerpt
    lines: tuple[Excerpt, ...]
    at: Excerpt
    line: int
    end_line: int
    is_closed: bool
    is_nested: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`rows` are the cells of each line but the delimiter's; the first row is the header."""

    rows: tuple[tuple[Excerpt, ...], ...]
    at: Excerpt
    line: int
    end_line: int
    is_nested: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A block with something to read in it."""

    line: int


Block = Heading | Fence | Table | Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The lines of a file and its blocks in their order. Markdown begins on `body_line`, 0-based."""

    lines: tuple[Excerpt, ...]
    body_line: int
    blocks: tuple[Block, ...]


def read_document(source: Source, body: int, problems: Problems) -> Document:
    """The blocks of the file from offset `body` on; line numbers are those of the whole file."""
    lines = source.all().lines()
    skipped = source.clean.count("\n", 0, body)
    tokens = _MARKDOWN.parse("\n" * skipped + source.clean[body:])
    reader = _Reader(lines, tokens, problems)
    return Document(lines=lines, body_line=skipped, blocks=tuple(reader.blocks()))


class _Reader:
    def __init__(self, lines: tuple[Excerpt, ...], tokens: list[Token], problems: Problems) -> None:
        self._lines = lines
        self._tokens = tokens
        self._problems = problems
        self._is_too_deep = False

    def blocks(self) -> Iterator[Block]:
        for index, token in enumerate(self._tokens):
            if token.map is None:
                continue
            first, end = token.map[0], token.map[1]
            self._check_depth(token, first)
            match token.type:
                case "heading_open":
                    yield from self._heading(token, first, end)
                case "fence":
                    yield self._fence(token, first, end)
                case "table_open":
                    yield self._table(index, token, first, end)
                case "paragraph_open" if _has_words(self._tokens[index + 1]):
                    yield Words(line=first)
                case "code_block" | "html_block" if _has_words(token):
                    yield Words(line=first)
                case _:
                    pass

    def _check_depth(self, token: Token, line: int) -> None:
        if token.level >= DEEPEST and not self._is_too_deep:
            self._is_too_deep = True
            message = f"lists and quotations are nested more than {DEEPEST} levels deep"
            self._problems.error("C008", self._lines[line], message, help="write it flat")

    def _heading(self, token: Token, first: int, end: int) -> Iterator[Heading]:
        last = end - 1 if token.markup.startswith("#") else end - 2
        line = self._lines[last]
        found = _HEADING_ID.search(line.text.rstrip().rstrip("#").rstrip())
        at = Excerpt(source=line.source, start=self._lines[first].start, end=line.end).stripped()
        if token.level == 0:
            yield Heading(
                level=int(token.tag[1:]),
                title=_title(at, line.start + found.start() if found else at.end),
                id_at=line.part(found.start(1), found.end(1)) if found else None,
                at=at,
                line=first,
                end_line=end,
            )
        elif found:
            message = "a clause's heading stands inside a list or a quotation"
            self._problems.error("C066", at, message, help="move the heading to the start of a line of its own")

    def _fence(self, token: Token, first: int, end: int) -> Fence:
        line = self._lines[first]
        info = line.part(line.text.find(token.markup) + len(token.markup)).stripped()
        word = re.split(r"\s", info.text, maxsplit=1)[0]
        content = token.content.removesuffix("\n").split("\n") if token.content else []
        return Fence(
            word=word,
            attributes=info.part(len(word)).stripped(),
            lines=tuple(self._content(first + 1 + row, text) for row, text in enumerate(content)),
            at=line.stripped(),
            line=first,
            end_line=end,
            is_closed=end - first - 1 > len(content),
            is_nested=token.level > 0,
        )

    def _content(self, line: int, text: str) -> Excerpt:
        """The part of a line that is content: without the indentation or the `>` of what it stands in."""
        whole = self._lines[line]
        return whole.part(len(whole.text) - len(text)) if whole.text.endswith(text) else whole

    def _table(self, index: int, token: Token, first: int, end: int) -> Table:
        return Table(
            rows=tuple(_cells(self._lines[line]) for line in self._row_lines(index)),
            at=self._lines[first].stripped(),
            line=first,
            end_line=end,
            is_nested=token.level > 0,
        )

    def _row_lines(self, index: int) -> Iterator[int]:
        while self._tokens[index].type != "table_close":
            row = self._tokens[index]
            if row.type == "tr_open" and row.map is not None:
                yield row.map[0]
            index += 1


def _title(at: Excerpt, end: int) -> str:
    """A heading's words, without its marks and its id."""
    text = Excerpt(source=at.source, start=at.start, end=end).text.strip()
    return re.sub(r"^#{1,6}[ \t]+|[ \t]+#+$", "", " ".join(text.split())).strip()


def _cells(line: Excerpt) -> tuple[Excerpt, ...]:
    """The cells of a table's line, between its pipes, at least one; an escaped pipe is none."""
    cells = line.stripped().split(r"(?<!\\)\|")
    first = 1 if len(cells) > 1 and cells[0].start == cells[0].end else 0
    last = len(cells) - 1 if len(cells) > 1 and cells[-1].start == cells[-1].end else len(cells)
    return cells[first:last] or cells[:1]


def _has_words(token: Token) -> bool:
    text = token.content
    if token.type == "html_block":
        text = _INVISIBLE_HTML.sub("", text)
    return any(
        character.isalnum()
        for line in text.split("\n")
        if not _LINK_DEFINITION.match(line.strip())
        for character in line
    )
