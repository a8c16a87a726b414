"""How the command line ends: what it says, and its exit code."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    FINE = 0
    PROBLEMS = 1
    USAGE = 2
    COULD_NOT_RUN = 3
    STOPPED = 130


class StopError(Exception):
    """Ends a command. `message` says what happened, `help` what to do next."""

    def __init__(self, message: str, *, help: str = "", code: Exit = Exit.COULD_NOT_RUN) -> None:
        super().__init__(message)
        self.help = help
        self.code = code
