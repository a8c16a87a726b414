"""What can be wrong with an archive: a value, a record, or the archive itself, each with its mend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RAW_LIMIT: Final = 8192
"""Bytes of a bad record that are kept."""


class RecordError(Exception):
    """A value or a record that cannot become a message. Never leaves `intake`, but for `message_from_mail`."""

    def __init__(self, reason: str, mend: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.mend = mend


class ArchiveError(Exception):
    """An archive that cannot be read (further), or a request for archives that makes no sense."""

    def __init__(self, archive: str, what: str, mend: str) -> None:
        super().__init__(f"{archive}: {what}; {mend}" if archive else f"{what}; {mend}")
        self.archive = archive
        self.what = what
        self.mend = mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a record stands: a line, a row of a Parquet file, or the file itself for a folder of mails (number 1)."""

    archive: str
    number: int
    unit: str = "line"

    def __str__(self) -> str:
        return f"{self.archive}:{self.number}" if self.unit == "line" else f"{self.archive}, {self.unit} {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A record that was not taken in, and why. `raw` is its first `RAW_LIMIT` bytes; `is_cut` if it is longer."""

    place: Place
    reason: str
    mend: str
    raw: bytes
    is_cut: bool

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}; {self.mend}"


def reject(place: Place, refused: RecordError, raw: bytes) -> Reject:
    return Reject(
        place=place, reason=refused.reason, mend=refused.mend, raw=raw[:RAW_LIMIT], is_cut=len(raw) > RAW_LIMIT
    )
