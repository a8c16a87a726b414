"""Durations as agreements write them: a number and a unit, months and years by the calendar (UTC)."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

LATEST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The last time that Comity can name; a later end is cut to it."""

EARLIEST: Final = datetime(1, 1, 1, tzinfo=UTC)


class Unit(StrEnum):
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


_SECONDS: Final = {
    Unit.SECOND: 1,
    Unit.MINUTE: 60,
    Unit.HOUR: 3600,
    Unit.DAY: 86400,
    Unit.WEEK: 7 * 86400,
    Unit.MONTH: 30 * 86400,
    Unit.YEAR: 365 * 86400,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A count of one unit, such as `7 days`. Months and years follow the calendar, the day clamped."""

    count: int
    unit: Unit

    @property
    def nominal_seconds(self) -> int:
        """Its length in seconds with 30-day months and 365-day years: for ordering, never for dates."""
        return self.count * _SECONDS[self.unit]

    def after(self, start: datetime) -> datetime:
        """The time this long after `start`, at most `LATEST`."""
        try:
            span = _span(self.count, self.unit)
            end = _add_months(start, self._months) if span is None else start + span
        except OverflowError:
            return LATEST
        return end if end < LATEST else LATEST

    def before(self, end: datetime) -> datetime:
        """The time this long before `end`, at least `EARLIEST`."""
        if self.unit in (Unit.MONTH, Unit.YEAR):
            return _add_months(end, -self._months)
        try:
            return max(end - timedelta(seconds=self.nominal_seconds), EARLIEST)
        except OverflowError:
            return EARLIEST

    @property
    def _months(self) -> int:
        return self.count * (12 if self.unit is Unit.YEAR else 1)

    def __str__(self) -> str:
        return f"{self.count} {self.unit}" + ("" if self.count == 1 else "s")


@lru_cache(maxsize=1024)
def _span(count: int, unit: Unit) -> timedelta | None:
    """None: the calendar has to be asked."""
    return None if unit in (Unit.MONTH, Unit.YEAR) else timedelta(seconds=count * _SECONDS[unit])


def _add_months(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if year > LATEST.year:
        return LATEST
    if year < 1:
        return EARLIEST
    last = calendar.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))
