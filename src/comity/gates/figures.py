"""What a gate tells those who watch it: names and values, the same for every kind."""

from __future__ import annotations

from datetime import datetime

from comity.gates.answers import WhenStale
from comity.gates.replica import Replica

PREFIX = "comity_gate_"


def figures(replica: Replica, at: datetime) -> dict[str, float]:
    """The state at `at`; what happened is counted apart, in `replica.counts`."""
    known, manner = replica.known, replica.manner
    return {
        "cursor": known.cursor if known else -1,
        "entries": len(known.records) if known else 0,
        "kept_entries": len(replica.kept),
        "unproven_entries": len(known.unproven) if known else 0,
        "is_stale": replica.is_stale(at),
        "stale_after_seconds": manner.max_stale.total_seconds(),
        "closes_when_stale": manner.when_stale is WhenStale.CLOSED,
        "clock_offset_seconds": replica.offset.total_seconds(),
    }
