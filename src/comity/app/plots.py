"""Plots as SVG, drawn with a few lines each: no library, nothing fetched, colours from the page's own style."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH = 640
HEIGHT = 120
_GAP = 0.2


def bars(counts: Sequence[int], names: Sequence[str], *, title: str, height: int = HEIGHT) -> str:
    """A bar for each count, with its name and number as a tip, and the first, last and highest written down."""
    highest = max(counts, default=0) or 1
    step = WIDTH / max(1, len(counts))
    drawn = "".join(
        f'<rect x="{place * step:.1f}" y="{height - count / highest * height:.1f}" width="{step * (1 - _GAP):.1f}"'
        f' height="{count / highest * height:.1f}"><title>{escape(name)}: {count:,}</title></rect>'
        for place, (count, name) in enumerate(zip(counts, names, strict=True))
        if count
    )
    return (
        f'<figure class="plot"><svg viewBox="0 0 {WIDTH} {height}" role="img" preserveAspectRatio="none"'
        f' aria-label="{escape(title)}">{drawn}</svg>'
        f'<figcaption><span>{escape(names[0])}</span><span class="title">{escape(title)}; highest {highest:,}</span>'
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
