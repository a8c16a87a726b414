"""What the tests of archives share: reading all of one, and records to read."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from comity.intake.archives import NO_MAPPING, read_archives
from comity.intake.problems import ArchiveError, Reject
from comity.model.message import Message

RECORD = {"id": "1", "author": "ada", "channel": "posts", "text": "hello", "sent": "2026-01-31T12:00:00Z"}


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Everything that archives gave."""

    messages: tuple[Message, ...]
    rejects: tuple[Reject, ...]
    problems: tuple[ArchiveError, ...]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]

    @property
    def reasons(self) -> list[str]:
        return [reject.reason for reject in self.rejects]


def read(
    *paths: Path | str, mapping: Mapping[str, str] = NO_MAPPING, source: str | None = None, stdin: bytes | None = None
) -> All:
    given = None if stdin is None else io.BufferedReader(io.BytesIO(stdin))
    batches = list(read_archives([str(path) for path in paths], source=source, mapping=mapping, stdin=given))
    return All(
        messages=tuple(message for batch in batches for message in batch.messages),
        rejects=tuple(reject for batch in batches for reject in batch.rejects),
        problems=tuple(batch.problem for batch in batches if batch.problem),
    )


def line(**changes: object) -> bytes:
    """A record as a line of JSON, with fields changed or, by `None`, left out."""
    record = {name: value for name, value in (RECORD | changes).items() if value is not None}
    return json.dumps(record).encode() + b"\n"


def stored(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"".join(lines))
    return path
