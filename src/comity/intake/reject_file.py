"""Writes rejects to a file as JSON Lines: archive, number, unit, reason, mend, and the start of the record itself.

`record` is text where the record is UTF-8, else `record_base64`; `is_cut` tells that there was more of it. The file
holds what people wrote: it is made readable by its owner alone, and only once there is something to write.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from comity.intake.problems import Reject


def reject_line(reject: Reject) -> bytes:
    """One reject as a line of JSON."""
    place = reject.place
    said = {"archive": place.archive, "number": place.number, "unit": place.unit}
    said |= {"reason": reject.reason, "mend": reject.mend, "is_cut": reject.is_cut} | _record(reject.raw)
    return msgspec.json.encode(said) + b"\n"


def _record(raw: bytes) -> dict[str, str]:
    try:
        return {"record": raw.decode()}
    except UnicodeDecodeError:
        return {"record_base64": base64.b64encode(raw).decode()}


class RejectFile:
    """Replaces the file at `path` at the first reject; `count` are all so far. A context: closes the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self.count = 0

    def append(self, rejects: Iterable[Reject]) -> None:
        for reject in rejects:
            self._file = self._file or os.fdopen(
                os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
            )
            self._file.write(reject_line(reject))
            self.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()
