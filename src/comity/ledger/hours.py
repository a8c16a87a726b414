"""How exactly entries say when: the hour of UTC in the open profile, the day in the sealed one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from comity.model.duration import LATEST

_HOUR: Final = timedelta(hours=1)


def hour_of(at: datetime) -> datetime:
    """The hour of UTC that `at` falls in: how the open profile shows when something happened."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return datetime(utc.year, utc.month, utc.day, utc.hour, 0, 0, 0, UTC)  # in a third of the time of `replace`


def day_of(at: datetime) -> datetime:
    """The day of UTC that `at` falls in."""
    return hour_of(at).replace(hour=0)


_LAST_HOUR: Final = hour_of(LATEST)


def hour_after(end: datetime) -> datetime:
    """The first whole hour not before `end`, so that no measure outlasts its entry; near `LATEST`, the last one."""
    hour = hour_of(end)
    return hour if hour in (end, _LAST_HOUR) else hour + _HOUR


def demand_hour(at: datetime | None, field: str) -> None:
    """Raises `ValueError` naming the field of an entry that tells more than the hour."""
    if at is not None and (at.minute or at.second or at.microsecond or at.tzinfo is not UTC):
        raise ValueError(f"`{field}` is {at.isoformat()}, not a whole hour of UTC")
