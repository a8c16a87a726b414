"""Durations as they are written: a number and a unit, a range of two, or an expiry."""

from __future__ import annotations

import re
from typing import Final

from comity.agreement.problems import Misread, nearest, quoted
from comity.model.clause import Clean, Expiry, Never, Range
from comity.model.duration import Duration, Unit

_LONGEST: Final = Duration(count=100, unit=Unit.YEAR)
_WRITTEN: Final = re.compile(r"([0-9]+)(\s*)([^\W\d]+)", re.ASCII)
_RANGE: Final = re.compile(r"([0-9]+(?:\s+[a-z]+)?)\s+to\s+(.+)")
_UNITS: Final = {f"{unit}{plural}": unit for unit in Unit for plural in ("", "s")}
_EXAMPLE: Final = "write a number and a unit, such as `7 days`"


def read_duration(text: str, *, zero: bool = False) -> Duration | Misread:
    """`7 days`. A length of nothing is refused unless `zero`; so is one of more than 100 years."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return Misread(code="C049", message=f"{quoted(text)} is not a duration", help=_EXAMPLE)
    number, gap, name = match.groups()
    unit = _UNITS.get(name)
    if unit is None:
        hint = nearest(name, [f"{unit}s" for unit in Unit]) if len(name) > 1 else _EXAMPLE
        return Misread(code="C049", message=f"unknown unit of time {quoted(name)}", help=hint, about=name)
    if gap != " ":
        return Misread(
            code="C049", message=f"{quoted(text)} is not a duration", help=f"write `{number[:12]} {name}`, with a space"
        )
    return _bounded(number, unit, zero=zero)


def read_range(text: str) -> Range | Misread | None:
    """`1 to 30 days` or `10 minutes to 1 day`; None when the text is no range at all."""
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    first, second = match.groups()
    most = read_duration(second)
    if isinstance(most, Misread):
        return most
    least = read_duration(f"{first} {most.unit}" if first.isdigit() else first)
    if isinstance(least, Misread):
        return least
    if least.nominal_seconds >= most.nominal_seconds:
        return Misread(
            code="C050", message=f"{quoted(text)} ends before it begins", help="write the shorter duration first"
        )
    return Range(least=least, most=most)


def read_expiry(text: str) -> Expiry | Misread:
    """A duration, `never`, or a duration and `clean`."""
    if text == "never":
        return Never()
    if text.endswith(" clean"):
        clean = read_duration(text.removesuffix(" clean"))
        return clean if isinstance(clean, Misread) else Clean(duration=clean)
    return read_duration(text)


def _bounded(number: str, unit: Unit, *, zero: bool) -> Duration | Misread:
    digits = number.lstrip("0") or "0"
    duration = Duration(count=int(digits[:12]), unit=unit)
    if len(digits) > 12 or duration.nominal_seconds > _LONGEST.nominal_seconds:
        return Misread(code="C050", message=f"the duration is longer than {_LONGEST}", help=f"at most `{_LONGEST}`")
    if duration.count == 0 and not zero:
        return Misread(code="C050", message="a duration of nothing has no effect", help="at least `1 second`")
    return duration
