"""What commands share at the terminal: the two streams, JSON, progress on anything that takes over a second."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from comity.app.errors import Exit, StopError

out = Console(highlight=False, soft_wrap=True)
"""Results."""

err = Console(stderr=True, highlight=False, soft_wrap=True)
"""Everything else."""


def as_json(value: object) -> None:
    """Print `value` for programs."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


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


def parse_time(text: str | None, default: datetime) -> datetime:
    """An RFC 3339 time or date (UTC). Raises `StopError`."""
    if text is None:
        return default
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        help_ = "Write a date, or a time with its offset, such as 2026-12-01T00:00:00Z."
        raise StopError(f"{text!r} is no time", help=help_, code=Exit.USAGE) from error
    return at.astimezone(default.tzinfo) if at.tzinfo else at.replace(tzinfo=default.tzinfo)
