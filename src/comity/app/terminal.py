"""What commands share at the terminal: the two streams, JSON, progress on anything that takes over a second."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from comity.app.errors import Exit, StopError
from comity.intake.problems import RecordError
from comity.intake.values import name
from comity.model.ids import AccountId

_OBEYED: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""What JSON leaves as it is, but a terminal obeys."""

_NARROW: Final = 90
"""Columns that a table with ids needs at least."""

out = Console(highlight=False, emoji=False, soft_wrap=not sys.stdout.isatty())
"""Results: what people wrote as they wrote it, broken between words at a terminal, and nowhere for a program."""

err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=not sys.stderr.isatty())
"""Everything else."""


_NARROWEST: Final = 30


def say(line: str | Text) -> None:
    """Print a line; at a terminal, where it is too long, broken between words and set in."""
    whole = Text(line) if isinstance(line, str) else line
    for piece in in_width(whole, out.width) if out.is_terminal else (whole,):
        out.print(piece)


def in_width(line: Text, width: int) -> Iterator[Text]:
    """The line in pieces of at most this width; what goes on stands two further in than it begins."""
    if line.cell_len <= width:
        yield line
        return
    before = len(line.plain) - len(line.plain.lstrip())
    pieces = line[before:].wrap(out, max(width - before - 2, _NARROWEST), overflow="fold")
    for piece in pieces:
        piece.rstrip()
    first, *others = pieces
    yield line[:before] + first
    for other in others:
        yield Text(" " * (before + 2)) + other


def as_json(value: object) -> None:
    """Print `value` for programs, and safe to look at."""
    written = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(_OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", written) + "\n")


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Progress]:
    """A bar on the error stream with one task, number 0; silent when that is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("[dim]{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        bar.add_task(what, total=total, note="")
        yield bar


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table at a terminal that is wide enough; else a line each, the cells apart by two spaces. First come ids."""
    if not out.is_terminal or out.width < _NARROW:
        for row in rows:
            out.print("  ".join(cell for cell in row if cell), markup=False)
        return
    drawn = Table(*head, box=None, pad_edge=False)
    drawn.columns[0].no_wrap = True
    for row in rows:
        drawn.add_row(*map(Text, row))
    out.print(drawn)


def parse_time(text: str | None, default: datetime) -> datetime:
    """An RFC 3339 time or date (UTC). Raises `StopError`."""
    if text is None:
        return default
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(default.tzinfo) if at.tzinfo else at.replace(tzinfo=default.tzinfo)
    except (ValueError, OverflowError) as error:
        help_ = "Write a date, or a time with its offset, such as 2026-12-01T00:00:00Z."
        raise StopError(f"{text!r} is no time", help=help_, code=Exit.USAGE) from error


def parse_name(text: str, what: str) -> str:
    """An id as archives may hold it. Raises `StopError`."""
    try:
        return name(text)
    except RecordError as error:
        raise StopError(f"{what} {error.reason}", help=f"{error.mend}.", code=Exit.USAGE) from error


def parse_account(text: str) -> AccountId:
    return AccountId(parse_name(text, "the account's id"))
