"""Diagnostics for people: the source line, carets under the span, a label and help, in the manner of rustc.

Everything that comes from a file is made safe first: tabs become spaces, and characters that a terminal would obey or
hide are shown as `\\u{202e}`. Wide characters take two columns.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from comity.agreement.diagnostics.diagnostic import Diagnostic

WIDEST: Final = 160
"""Code points of a source line that are shown; of a longer line, those around the span."""

_MOST_LINES: Final = 6  # of a span over several lines
_TAB: Final = "    "
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def draw(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str]) -> str:
    """All diagnostics, drawn, with an empty line between two. A file without a source is named only."""
    lines: dict[str, list[str]] = {}
    drawn: list[str] = []
    for one in diagnostics:
        if one.file in sources and one.file not in lines:
            lines[one.file] = sources[one.file].split("\n")
        drawn.append("\n".join(_drawn(one, lines.get(one.file, []))))
    return "\n\n".join(drawn) + "\n" if drawn else ""


def safe(text: str) -> str:
    """The text as a terminal may show it."""
    return "".join(_safe(character) for character in text)


def _drawn(one: Diagnostic, lines: list[str]) -> Iterator[str]:
    yield f"{one.severity}[{one.code}]: {safe(one.message)}"
    last = _last_line(one, lines)
    margin = " " * len(str(last))
    yield f"{margin}--> {safe(one.file)}:{one.line}:{one.column}"
    if one.line <= len(lines):
        yield f"{margin} |"
        body = _one_line(one, lines, last) if one.line == last else _several_lines(one, lines, last)
        yield from (line.rstrip() for line in body)
    elif one.label:
        yield f"{margin} = note: {safe(one.label)}"
    if one.help:
        first, *more = one.help.split("\n")
        yield f"{margin} = help: {safe(first)}"
        yield from (f"{margin}         {safe(line)}" for line in more)


def _last_line(one: Diagnostic, lines: list[str]) -> int:
    """The last line that the span shows something of."""
    ends_before = one.end_column == 1 and one.end_line > one.line
    return max(one.line, min(one.end_line - ends_before, len(lines)))


def _one_line(one: Diagnostic, lines: list[str], last: int) -> Iterator[str]:
    text = lines[one.line - 1]
    start = one.column - 1
    end = one.end_column - 1 if one.end_line == one.line else len(text)
    first, stop = _window(len(text), start)
    shown = safe(text[first:stop])
    before, after = "..." if first else "", "..." if stop < len(text) else ""
    indent = " " * (len(before) + _width(text[first:start]))
    carets = "^" * max(1, _width(text[start : min(end, stop)]))
    yield f"{last} | {before}{shown}{after}"
    yield f"{' ' * len(str(last))} | {indent}{carets} {safe(one.label)}"


def _several_lines(one: Diagnostic, lines: list[str], last: int) -> Iterator[str]:
    """A bar along the lines, from the span's first character to its last."""
    margin = " " * len(str(last))
    shown = [(number, lines[number - 1]) for number in range(one.line, last + 1)]
    starts_late = shown[0][1][: one.column - 1].strip() != ""
    for number, text in _abridged(shown):
        mark = "|"
        if number == one.line:
            mark = " " if starts_late else "/"
        cut = safe(text[:WIDEST]) + ("..." if len(text) > WIDEST else "")
        yield f"{number or '...':>{len(margin)}} | {mark} {cut}"
        if number == one.line and starts_late:
            yield f"{margin} |  {'_' * (_width(text[: min(one.column - 1, WIDEST)]) + 1)}^"
    end = one.end_column - 1 if one.end_line == last else len(lines[last - 1])
    yield f"{margin} | |{'_' * max(1, _width(lines[last - 1][: min(end, WIDEST)]))}^ {safe(one.label)}"


def _abridged(shown: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines, those in the middle left out (number 0) when there are many."""
    if len(shown) <= _MOST_LINES:
        yield from shown
        return
    half = _MOST_LINES // 2
    yield from shown[:half]
    yield 0, ""
    yield from shown[-half:]


def _window(length: int, start: int) -> tuple[int, int]:
    """Which part of a line of that length is shown."""
    if length <= WIDEST:
        return 0, length
    first = max(0, min(start - WIDEST // 4, length - WIDEST))
    return first, first + WIDEST


def _safe(character: str) -> str:
    if character == "\t":
        return _TAB
    return f"\\u{{{ord(character):x}}}" if unicodedata.category(character) in _UNSAFE else character


def _width(text: str) -> int:
    """Columns that a terminal needs for the text, once it is safe."""
    return sum(_columns(character) for character in safe(text))


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
