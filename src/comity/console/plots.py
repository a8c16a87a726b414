"""Plots as SVG, drawn with a few lines each: no library, nothing fetched, colours from the page's own style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 640
HEIGHT = 120
_GAP = 0.2
_LINES_WIDTH, _LINES_HEIGHT = 400, 210
_LEFT, _TOP, _BOTTOM = 42, 8, 184
_STYLES = 5
"""Colours with dashes that the page's style knows."""


def bars(
    counts: Sequence[int],
    names: Sequence[str],
    *,
    title: str,
    height: int = HEIGHT,
    said: Sequence[str] | None = None,
) -> str:
    """A bar for each count, with its name and number as a tip, and the first, last and highest written down.

    `said`: the counts as they are told, where not all of them are told as they are.
    """
    highest = max(counts, default=0) or 1
    spoken = said or [f"{count:,}" for count in counts]
    top = max(zip(counts, spoken, strict=True), default=(0, "0"))[1]
    step = WIDTH / max(1, len(counts))
    drawn = "".join(
        f'<rect x="{place * step:.1f}" y="{height - count / highest * height:.1f}" width="{step * (1 - _GAP):.1f}"'
        f' height="{count / highest * height:.1f}"><title>{escape(name)}: {number}</title></rect>'
        for place, (count, name, number) in enumerate(zip(counts, names, spoken, strict=True))
        if count
    )
    return (
        f'<figure class="plot"><svg viewBox="0 0 {WIDTH} {height}" role="img" preserveAspectRatio="none"'
        f' aria-label="{escape(title)}">{drawn}</svg>'
        f'<figcaption><span>{escape(names[0])}</span><span class="title">{escape(title)}; highest {top}</span>'
        f"<span>{escape(names[-1])}</span></figcaption></figure>"
        if names
        else ""
    )


def spark(counts: Sequence[int], *, title: str) -> str:
    """A small plot for a table's cell."""
    highest = max(counts, default=0)
    if not highest:
        return ""
    step = 100 / len(counts)
    drawn = "".join(
        f'<rect x="{place * step:.1f}" y="{20 - count / highest * 20:.1f}" width="{step * (1 - _GAP):.1f}"'
        f' height="{count / highest * 20:.1f}"/>'
        for place, count in enumerate(counts)
        if count
    )
    return (
        f'<svg class="spark" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label="{escape(title)}">'
        f"{drawn}</svg>"
    )


def span(low: float, value: float, high: float, *, title: str) -> str:
    """An estimate between 0 and 1 with its interval, on one line."""
    return (
        f'<svg class="span" viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label="{escape(title)}">'
        f'<rect class="ground" x="0" y="5" width="100" height="2"/>'
        f'<rect x="{low * 100:.1f}" y="3" width="{max(0.5, (high - low) * 100):.1f}" height="6" class="range"/>'
        f'<rect x="{max(0.0, value * 100 - 0.75):.1f}" y="0" width="1.5" height="12"/></svg>'
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a plot: a value for each name on the axis."""

    name: str
    values: Sequence[int]


def lines(drawn: Sequence[Line], names: Sequence[str], *, title: str) -> str:
    """Lines over one axis, told apart by colour and by dashes, with a key that gives the last and highest value.

    The text is as large as it is on a page 400 pixels wide, and larger on a wider one.
    """
    highest = _round_up(max((max(line.values, default=0) for line in drawn), default=0))
    grid = "".join(_rung(highest, part) for part in (0, 1, 2))
    paths = "".join(
        f'<polyline class="line line-{number % _STYLES}" points="{_points(line.values, highest)}"/>'
        for number, line in enumerate(drawn)
    )
    keys = "".join(
        f'<li><svg class="key" viewBox="0 0 36 8" aria-hidden="true"><polyline class="line line-{number % _STYLES}"'
        f' points="0,4 36,4"/></svg>{escape(line.name)}: {line.values[-1]:,} at the end, highest'
        f" {max(line.values):,}</li>"
        for number, line in enumerate(drawn)
        if line.values
    )
    first, last = (escape(names[0]), escape(names[-1])) if names else ("", "")
    return (
        f'<figure class="lines"><svg viewBox="0 0 {_LINES_WIDTH} {_LINES_HEIGHT}" role="img"'
        f' aria-label="{escape(title)}">{grid}{paths}'
        f'<text x="{_LEFT}" y="{_LINES_HEIGHT - 4}">{first}</text>'
        f'<text x="{_LINES_WIDTH}" y="{_LINES_HEIGHT - 4}" text-anchor="end">{last}</text></svg>'
        f'<figcaption><ul class="keys">{keys}</ul></figcaption></figure>\n'
    )


def _rung(highest: int, part: int) -> str:
    """One of three lines across, with its number."""
    y = _y(highest * part // 2, highest)
    return (
        f'<path class="rung" d="M{_LEFT} {y:.1f}H{_LINES_WIDTH}"/>'
        f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{highest * part // 2:,}</text>'
    )


def _points(values: Sequence[int], highest: int) -> str:
    step = (_LINES_WIDTH - _LEFT) / max(1, len(values) - 1)
    return " ".join(f"{_LEFT + place * step:.1f},{_y(value, highest):.1f}" for place, value in enumerate(values))


def _y(value: int, highest: int) -> float:
    return _TOP + (1 - value / highest) * (_BOTTOM - _TOP)


def _round_up(value: int) -> int:
    """The next number with a half that is easy to read: 2, 4, 10, 20, 40, 100 ..."""
    size = 1
    while True:
        for step in (2, 4, 10):
            if value <= step * size:
                return step * size
        size *= 10
