"""The world as values: a clock that stands still until it is set, entropy that counts, a log kept in memory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import shake_256

from comity.ledger.log import CHECKPOINT_PATH


class FixedClock:
    """Tells the time that it was given."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class CountedEntropy:
    """Never the same token twice, and the same tokens in every run."""

    def __init__(self, seed: str = "") -> None:
        self._seed, self._count = seed, 0

    def token(self, length: int) -> bytes:
        self._count += 1
        return shake_256(f"{self._seed}/{self._count}".encode()).digest(length)


class MemoryLog:
    """A published log in a dictionary, in the order in which it was written."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def publish(self, files: Iterable[tuple[str, bytes]], checkpoint: bytes) -> None:
        self.files |= dict(files)
        self.files[CHECKPOINT_PATH] = checkpoint

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)


class MemoryCounts:
    """Counts in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def read(self, name: str) -> bytes:
        return self.kept.get(name, b"")

    def keep(self, name: str, content: bytes) -> None:
        self.kept[name] = content
