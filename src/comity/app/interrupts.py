"""Ctrl-C: never in the middle of a transaction, and always with a word on how to go on."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from comity.app.errors import Exit, StopError


@contextmanager
def held() -> Iterator[None]:
    """Ctrl-C within the block takes effect when it has ended: libraries in C would turn it into something else."""
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


@contextmanager
def explained(help: str) -> Iterator[None]:
    """Ctrl-C within the block ends the command with `help`."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise StopError("stopped", help=help, code=Exit.STOPPED) from interrupt
