"""Plots as SVG: what is drawn reads in print and on a narrow screen, in dark and in light."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

ROW, LEFT, WIDTH = 22, 330, 720
STYLE = "text{font:13px system-ui,sans-serif;fill:#555}rect{fill:#4a7ebb}"


def bars(title: str, figures: Sequence[tuple[str, float]]) -> str:
    """One bar for each figure, with its value."""
    most = max((value for _, value in figures), default=1.0) or 1.0
    room = WIDTH - LEFT - 70
    height = ROW * (len(figures) + 1) + 10
    drawn = [f'<text x="0" y="{ROW - 6}" font-weight="bold">{escape(title)}</text>']
    for number, (name, value) in enumerate(figures, start=1):
        y, length = ROW * number, max(1.0, room * value / most)
        drawn.append(f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
        drawn.append(f'<rect x="{LEFT}" y="{y + 3}" width="{length:.1f}" height="{ROW - 6}"/>')
        drawn.append(f'<text x="{LEFT + length + 6:.1f}" y="{y + 15}">{value:g}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title><style>{STYLE}</style>", *drawn, "</svg>", ""])
