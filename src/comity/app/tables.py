"""Tables for terminals of any width: what there is no room for stands elsewhere, and no word is broken.

Side by side where that fits; else without the columns that can be spared; else each name on a line of its own above its
figures; else each figure on a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, set_cell_size

_APART: Final = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`cells`: one for each row."""

    heading: str
    cells: tuple[str, ...]
    is_number: bool = False
    can_be_spared: bool = False


def table(names: Column, columns: Sequence[Column], *, width: int) -> Iterator[str]:
    """The lines of a table. `names`: what each row is about."""
    fewer = [column for column in columns if not column.can_be_spared]
    for shown in (columns, fewer):
        lines = _side_by_side([names, *shown])
        if _fits(lines, width):
            yield from lines
            return
    for shown in (columns, fewer):
        heading, *lines = [_APART + line for line in _side_by_side(shown)]
        if _fits([heading, *lines], width):
            yield heading
            for name, line in zip(names.cells, lines, strict=True):
                yield from (name, line)
            return
    yield from _one_by_one(names, fewer)


def _fits(lines: Sequence[str], width: int) -> bool:
    return max(map(cell_len, lines)) <= width


def _side_by_side(columns: Sequence[Column]) -> list[str]:
    filled = [_filled(column) for column in columns]
    return [_APART.join(cells).rstrip() for cells in zip(*filled, strict=True)]


def _filled(column: Column) -> list[str]:
    """The column's heading and cells, all of one width."""
    every = (column.heading, *column.cells)
    width = max(map(cell_len, every))
    return [" " * (width - cell_len(cell)) + cell if column.is_number else set_cell_size(cell, width) for cell in every]


def _one_by_one(names: Column, columns: Sequence[Column]) -> Iterator[str]:
    for row, name in enumerate(names.cells):
        yield name
        yield from (f"{_APART}{column.heading}: {column.cells[row]}" for column in columns if column.cells[row])
