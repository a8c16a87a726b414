"""What a clock on the wall shows: the parts of a time in a zone, as CEL counts them.

Defined for every time from year 1 to 9999 in every zone; where the zone's offset leads out of Python's years, the
calendar is read 400 years away, where it repeats itself.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_OFFSET: Final = re.compile(r"([+-]?)(\d\d?):(\d\d)", re.ASCII)
_CYCLE_YEARS: Final = 400
_CYCLE: Final = timedelta(days=146097)


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """The zone of an IANA name, or of an offset such as `+05:30`; ValueError if there is none."""
    if name in ("", "UTC"):
        return UTC
    if offset := _OFFSET.fullmatch(name):
        sign = -1 if offset[1] == "-" else 1
        return timezone(sign * timedelta(hours=int(offset[2]), minutes=int(offset[3])))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as problem:
        raise ValueError(f"no time zone {name!r}") from problem


def part(function: str, at: datetime, zone_name: str = "UTC") -> int:
    """`getHours` and its like of a time. Months, days of month and of year count from 0, Sunday is 0."""
    local, years = _local(at, zone(zone_name))
    match function:
        case "getFullYear":
            return local.year + years
        case "getMonth":
            return local.month - 1
        case "getDate":
            return local.day
        case "getDayOfMonth":
            return local.day - 1
        case "getDayOfYear":
            return local.timetuple().tm_yday - 1
        case "getDayOfWeek":
            return local.isoweekday() % 7
        case "getHours":
            return local.hour
        case "getMinutes":
            return local.minute
        case "getSeconds":
            return local.second
        case "getMilliseconds":
            return local.microsecond // 1000
        case _:
            raise ValueError(f"no such part of a time: {function}")


def _local(at: datetime, where: tzinfo) -> tuple[datetime, int]:
    """The time in the zone, and the years that must be added to what it shows."""
    if where is UTC:
        return at, 0
    if 1 < at.year < 9999:
        return at.astimezone(where), 0
    years = _CYCLE_YEARS if at.year == 1 else -_CYCLE_YEARS
    offset = _offset(at, where)
    return at.replace(tzinfo=None) + (_CYCLE if years > 0 else -_CYCLE) + offset, -years


def _offset(at: datetime, where: tzinfo) -> timedelta:
    """The zone's offset at the first or the last year's times, judged a year further in."""
    inner = at + timedelta(days=366) if at.year == 1 else at - timedelta(days=364)
    return where.utcoffset(inner.astimezone(where).replace(tzinfo=where)) or timedelta()


def span_part(function: str, span: timedelta) -> int:
    """`getHours` and its like of a duration: the whole length in that unit, cut towards zero."""
    micros = span // timedelta(microseconds=1)
    sign = -1 if micros < 0 else 1
    match function:
        case "getHours":
            return sign * (abs(micros) // 3_600_000_000)
        case "getMinutes":
            return sign * (abs(micros) // 60_000_000)
        case "getSeconds":
            return sign * (abs(micros) // 1_000_000)
        case "getMilliseconds":
            return sign * (abs(micros) // 1000 % 1000)
        case _:
            raise ValueError(f"no such part of a duration: {function}")
