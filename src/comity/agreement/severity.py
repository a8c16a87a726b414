"""Whether a ladder ever grows milder on the way up, which is seldom meant."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from comity.agreement.problems import Problems
from comity.agreement.source import Excerpt
from comity.model.clause import Act, Kind, Length, Range, Reaches, Row
from comity.model.duration import Duration

_ORDER: Final = (
    Kind.WARN,
    Kind.MARK,
    Kind.REMOVE,
    Kind.LIMIT_REACH,
    Kind.LIMIT,
    Kind.HOLD,
    Kind.SUSPEND,
    Kind.TERMINATE,
)

Severity = tuple[int, float, float, int]
"""Rank of the gravest act, how slow its limit is, seconds that it lasts, and whether it is on every channel."""


def severity(row: Row) -> Severity:
    """How grave a row is. A condition counts as unbounded, a range by its first."""
    act = max(row.acts, key=_grave)
    rank, slowness = _grave(act)
    if rank < _ORDER.index(Kind.LIMIT_REACH):
        return rank, 0.0, 0.0, 0
    return rank, slowness, _seconds(row.term.length), int(row.channels is Reaches.ALL)


def check_severity(rows: list[tuple[Row, Excerpt]], problems: Problems) -> None:
    """Warns of each number of points whose gravest row is milder than the one before; row 0 stands for itself."""
    before: tuple[Severity, int] | None = None
    for points, group in groupby(rows, key=lambda pair: pair[0].points):
        row, at = max(group, key=lambda pair: severity(pair[0]))
        now = severity(row)
        if before is not None and now < before[0]:
            message = f"{points} points bring a milder measure than {before[1]}"
            problems.warning("C090", at, message, help="let severity rise from row to row")
        if points > 0:
            before = now, points


def _grave(act: Act) -> tuple[int, float]:
    slowness = act.rate.per.nominal_seconds / act.rate.count if act.rate else 0.0
    return _ORDER.index(act.kind), slowness


def _seconds(length: Length | None) -> float:
    match length:
        case Duration():
            return length.nominal_seconds
        case Range():
            return length.least.nominal_seconds
        case _:
            return float("inf")
