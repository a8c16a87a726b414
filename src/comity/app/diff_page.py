"""The difference of two versions as one page that needs nothing else: what the terminal says, for screens and paper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from comity.app.diff_drawing import lines
from comity.app.html import document, in_html
from comity.flow.diff import Difference

_CLASSES: Final = {"red": "bad", "green": "good", "yellow": "warn", "magenta": "warn", "dim": "from", "bold": ""}
"""How the page marks what the terminal colours."""

_CODE: Final = ("  -", "  +")
"""What lines of prose and rules begin with."""


def page(found: Difference, old: str, new: str) -> str:
    """The whole page."""
    first, *others = lines(found, old, new)
    body = f"<h1>{in_html(first.plain)}</h1>\n{''.join(map(_line, others))}"
    return document(f"{in_html(old)} → {in_html(new)}", body)


def _line(line: Text) -> str:
    words = line.plain.strip()
    if not words:
        return ""
    if line.style == "bold":
        return f"<h2>{in_html(words)}</h2>\n"
    set_in = len(line.plain) - len(line.plain.lstrip())
    font = "font-family:ui-monospace,monospace;font-size:.875rem;" if line.plain.startswith(_CODE) or set_in > 4 else ""
    style = f"margin:{'.15rem' if set_in else '1.5rem'} 0 .15rem {set_in / 2:g}rem;white-space:pre-wrap;{font}"
    return f'<p class="{_CLASSES.get(str(line.style), "")}" style="{style}">{"".join(_marked(line, set_in))}</p>\n'


def _marked(line: Text, start: int) -> Iterator[str]:
    """The line from there on, with what is coloured of it."""
    for span in line.spans:
        yield in_html(line.plain[start : span.start])
        yield f'<span class="{_CLASSES.get(str(span.style), "")}">{in_html(line.plain[span.start : span.end])}</span>'
        start = span.end
    yield in_html(line.plain[start:])
