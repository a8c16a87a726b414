"""What `comity serve` writes while it runs: JSON lines for machines, short ones at a terminal, nothing of people."""

from __future__ import annotations

from typing import TextIO

import msgspec

from comity.api.timed import Tell
from comity.ports import Clock


def told_to(stream: TextIO, clock: Clock) -> Tell:
    """Writes a line each time, at once."""

    def tell(what: str, fields: dict[str, object]) -> None:
        at = clock.now()
        if stream.isatty():
            line = " ".join([f"{at:%H:%M:%S}", what, *(f"{name}={value}" for name, value in fields.items())])
        else:
            line = msgspec.json.encode({"at": at, "level": "error", "what": what, **fields}).decode()
        stream.write(line + "\n")
        stream.flush()

    return tell
