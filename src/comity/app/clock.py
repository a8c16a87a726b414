"""The machine's clock. Apart from what else `wiring` makes, since a gate's host needs nothing of that."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one place that asks the machine
