"""A statement's sections as text for a terminal or a mail, and as one self-contained HTML page."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from comity.casework.visible import printable, visible
from comity.casework.wording import Section

WIDTH: Final = 88
"""Characters in a line that read well."""
_TIED: Final = re.compile(r"(?<=«) | (?=[»:;?!%])|(?<=\d) (?=\d{3}\b)|(?<=\d\.) (?=\w)")
"""Spaces, as French and German have them, at which no line ends."""
_TIE: Final = "\N{NO-BREAK SPACE}"
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --mild: #8881; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; line-height: 1.25; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.id { font: .875rem/1.5 ui-monospace, monospace; }
p, ul { margin: .5rem 0; } ul { padding-left: 1.25rem; }
blockquote { margin: .5rem 0 1rem; padding: .5rem 1rem; white-space: pre-wrap; }
blockquote { border-left: .25rem solid var(--line); background: var(--mild); }
h1, blockquote, p, li { overflow-wrap: anywhere; }
@media (max-width: 30rem) { body { margin: 1rem auto; } blockquote { padding: .5rem .75rem; } }
@media print {
  :root { color-scheme: light; } body { font-size: 11pt; max-width: none; margin: 0; padding: 0; }
  h2 { break-after: avoid; } p, li { orphans: 3; widows: 3; } blockquote { background: none; }
}
"""


def as_text(title: str, sections: Iterable[Section], *, width: int = WIDTH) -> str:
    """Plain text, wrapped, every line safe to print."""
    lines = [title, "=" * min(len(title), width)]
    for section in sections:
        lines += ["", section.title, "-" * len(section.title)]
        for paragraph in section.paragraphs:
            lines += _wrapped(paragraph, width)
    return "\n".join(lines) + "\n"


def as_html(
    title: str, sections: Iterable[Section], *, language: str, name: str = "", link: tuple[str, str] | None = None
) -> str:
    """A page that needs nothing but itself; all text of messages is shown as text.

    `name`: its id, below its title. `link`: what it is, and where.
    """
    above = "" if link is None else f"{_html('p', link[0])}\n{_link(link[1])}\n"
    body = "\n".join(_html_section(section) for section in sections)
    named = f'<p class="id">{html.escape(name)}</p>\n' if name else ""
    return (
        f'<!doctype html>\n<html lang="{html.escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{html.escape(f'{title} {name}'.strip())}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{html.escape(title)}</h1>\n{named}{above}{body}\n</main>\n</body>\n</html>\n"
    )


def _link(address: str) -> str:
    shown = html.escape(address)
    return f'<p><a href="{shown}">{shown}</a></p>'


def _wrapped(paragraph: str, width: int) -> Iterator[str]:
    mark, indent = ("", "")
    if paragraph.startswith("> "):
        mark, indent, paragraph = "  | ", "  | ", paragraph[2:]
    elif paragraph.startswith("- "):
        mark, indent, paragraph = "  - ", "    ", paragraph[2:]
    for line in paragraph.splitlines() or [""]:
        wrapped = textwrap.wrap(
            _TIED.sub(_TIE, printable(line)),
            width,
            initial_indent=mark,
            subsequent_indent=indent,
            break_on_hyphens=False,
        )
        yield from (one.replace(_TIE, " ") for one in wrapped or [mark.rstrip()])


def _html_section(section: Section) -> str:
    return f"<h2>{html.escape(section.title)}</h2>\n{paragraphs_as_html(section.paragraphs)}"


def paragraphs_as_html(paragraphs: Iterable[str]) -> str:
    """Quotations and lists as such; all text as text."""
    return "\n".join(_html_paragraphs(paragraphs))


def _html_paragraphs(paragraphs: Iterable[str]) -> Iterator[str]:
    for is_item, group in groupby(paragraphs, key=lambda paragraph: paragraph.startswith("- ")):
        if is_item:
            yield "<ul>"
            yield from (_html("li", paragraph[2:]) for paragraph in group)
            yield "</ul>"
        else:
            for paragraph in group:
                is_quoted = paragraph.startswith("> ")
                yield _html("blockquote", paragraph[2:]) if is_quoted else _html("p", paragraph)


def _html(tag: str, text: str) -> str:
    shown = visible(text)
    return f"<{tag}>{html.escape(shown if tag == 'blockquote' else _TIED.sub(_TIE, shown))}</{tag}>"
