"""The last published checkpoint on other storage: what shows that a folder restored whole is older than it was."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from comity.ledger.note import LARGEST_NOTE
from comity.ports import PublishedLog, StoreError
from comity.stores.database import made_durable


class AnchoredLog:
    """A published log whose checkpoint is copied to `anchor` after each publication, durably."""

    def __init__(self, log: PublishedLog, anchor: Path) -> None:
        self._log, self._anchor = log, anchor

    def publish(self, files: Iterable[tuple[str, bytes]], checkpoint: bytes) -> None:
        self._log.publish(files, checkpoint)
        write_anchor(self._anchor, checkpoint)

    def read(self, path: str) -> bytes | None:
        return self._log.read(path)


def write_anchor(path: Path, checkpoint: bytes) -> None:
    """Whole or not at all. Raises `OSError`."""
    aside = path.with_name(f"{path.name}.new")
    with aside.open("wb") as file:
        file.write(checkpoint)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    made_durable(path.parent)


def read_anchor(path: Path, *, is_new: bool) -> bytes | None:
    """What it holds; None for a new record's. Raises `StoreError` if it is missing, or `OSError`."""
    if path.exists():
        with path.open("rb") as file:
            return file.read(LARGEST_NOTE + 1)
    if is_new and path.parent.is_dir():
        return None
    raise StoreError(
        f"the anchor {path} is missing. Mount its disk; or, if you have just set it, begin it with a copy of the"
        " published file `checkpoint`"
    )
