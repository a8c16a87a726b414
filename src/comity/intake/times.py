"""Reads a time: RFC 3339, or seconds since 1970 with an optional fraction.

A time without an offset is UTC, in text as in Parquet. Years run from 1 to 9999. Milliseconds are never guessed: read
as seconds they lie beyond the year 9999, and the refusal says so. A leap second counts as the second before it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from comity.intake.problems import RecordError

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RFC_3339: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:)(\d\d(?:\.\d{1,9})?)([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_SECONDS: Final = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?", re.ASCII)
_MEND: Final = "write it as 2026-01-31T12:00:00Z, or as seconds since 1970"
_SHOWN: Final = 40


def moment(value: object) -> datetime:
    """The time that a value names, aware and in UTC; `RecordError` if it names none. A datetime is aware already."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return from_seconds(value)
    raise RecordError(f"is a {type(value).__name__}, not a time", _MEND)


def _from_text(text: str) -> datetime:
    if found := _RFC_3339.fullmatch(text):
        return _from_rfc_3339(text, found)
    if _SECONDS.fullmatch(text):
        return from_seconds(float(text))
    raise RecordError(f"is no time: {text[:_SHOWN]!r}", _MEND)


def _from_rfc_3339(text: str, found: re.Match[str]) -> datetime:
    day, minute, second, offset = found.groups()
    second = "59" + second[2:] if second[:2] == "60" else second
    try:
        at = datetime.fromisoformat(f"{day}T{minute}{second}{(offset or 'Z').upper()}")
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RecordError(f"is no time in the years 1 to 9999: {text!r}", _MEND) from None


def from_seconds(seconds: float) -> datetime:
    """Seconds since 1970, rounded to microseconds."""
    try:
        return EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        raise RecordError(
            f"lies outside the years 1 to 9999: {str(seconds)[:_SHOWN]}",
            "numbers are seconds since 1970: are these milliseconds? divide by 1000",
        ) from None
