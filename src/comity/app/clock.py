"""The machine's clock. Apart from what else `wiring` makes, since a gate's host needs nothing of that."""

from __future__ import annotations

from comity.gates.clock import SystemClock

__all__ = ["SystemClock"]
