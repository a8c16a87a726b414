"""The error of an act that the record does not allow."""

from __future__ import annotations

from enum import Enum, auto


class Mend(Enum):
    """What whoever was refused can do next. How it is done here, is for the edge to say."""

    SAY_WHY = auto()
    SAY_NOTE = auto()
    """What a statement should have said."""
    WRITE_TEXT = auto()
    """Of an appeal."""
    LOOK_UP = auto()
    """Which ids there are."""
    READ_AGAIN = auto()
    """The case, as it is now."""
    CLAIM = auto()
    NAME_CLAUSES = auto()
    CHOOSE_MILDER = auto()
    ASK_ANOTHER = auto()
    """Person, who took no part."""
    DECIDE_FIRST = auto()
    """What waits for a decision."""
    END_MEASURE = auto()
    END_HOLD = auto()


class RefusedError(Exception):
    """Somebody asked for what they may not do, or what the record no longer allows; says why. Nothing was changed."""

    def __init__(self, message: str, mend: Mend | None = None) -> None:
        """`mend` None: the message says it, or there is none."""
        super().__init__(message)
        self.mend = mend


class TookPartError(RefusedError):
    """Whoever wants to decide took part in what is to be looked at by somebody else."""


class UnknownError(RefusedError):
    """Nothing has that id, or no longer."""
