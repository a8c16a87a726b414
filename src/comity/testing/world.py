"""The world as values: a clock that stands still until it is set, entropy that counts, a log kept in memory."""

from __future__ import annotations

from comity.stores.world import CountedEntropy, FixedClock, MemoryLog

__all__ = ["CountedEntropy", "FixedClock", "MemoryLog"]
