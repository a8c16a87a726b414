"""The documentation's pictures: each main page in all four ways, and none that no page shows."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
WAYS = {f"{scheme}-{width}" for scheme in ("light", "dark") for width in ("wide", "narrow")}


def test_each_page_is_shown_light_and_dark_wide_and_narrow() -> None:
    taken = re.findall(r"(?:take|shoot)\([^\n]*\"([a-z-]+)\"", (ROOT / "tools" / "pictures.py").read_text())
    others = re.findall(r"for name in \(([^)]*)\)", (ROOT / "tools" / "pictures.py").read_text())
    names = {*taken, *re.findall(r'"([a-z]+)"', others[0])}
    assert len(names) >= 11
    for name in names:
        found = {path.stem.removeprefix(f"{name}-") for path in (DOCS / "images").glob(f"{name}-*.png")}
        assert found >= WAYS, name


def test_every_picture_is_shown_and_every_picture_shown_is_there() -> None:
    pages = [ROOT / "README.md", *DOCS.glob("*.md")]
    shown = {name for page in pages for name in re.findall(r"images/([\w.-]+)", page.read_text(encoding="utf-8"))}
    assert shown == {path.name for path in (DOCS / "images").iterdir()}
