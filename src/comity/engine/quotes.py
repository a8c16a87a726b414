"""`unquoted`: what the author wrote, without quoted lines, the lines that announce them, and forwarded parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from comity.model.expression import Span

_FORWARDED: Final = re.compile(
    r"\s*(?:-{2,}\s*(?:original message|forwarded (?:message|by)|mensaje original|mensaje reenviado"
    r"|ursprüngliche nachricht|message (?:d'origine|transféré))"
    r"|begin forwarded message:)",
    re.IGNORECASE,
)
_ATTRIBUTION: Final = re.compile(
    r"(?:wrote|writes|escribió|schrieb|schrieb [^:\n]{1,200}|a écrit|ha scritto|escreveu|skrev)\s?:\s*$"
)
_ATTRIBUTION_START: Final = re.compile(r"\s*(?:On|El|Am|Le|Il|Em|Den|At|In)\s[^\n]*\d", re.IGNORECASE)
_LONGEST_ATTRIBUTION: Final = 400


def unquoted(text: str) -> str:
    """The text without what it quotes or forwards."""
    if ">" not in text and "-" not in text and ":" not in text:
        return text
    return "".join(text[span.start : span.end] for span in own_spans(text))


def own_spans(text: str) -> tuple[Span, ...]:
    """The lines, ends included, that are the author's own, in order."""
    lines = list(_lines(text))
    shown = [text[span.start : span.end] for span in lines]
    own: list[Span] = []
    for index, line in enumerate(shown):
        if _FORWARDED.match(line[:_LONGEST_ATTRIBUTION]):
            break
        if _is_quoted(line) or _announces(shown, index) or (index and _announces_wrapped(shown, index - 1)):
            continue
        own.append(lines[index])
    return tuple(own)


def _lines(text: str) -> Iterator[Span]:
    start = 0
    while start < len(text):
        newline = text.find("\n", start)
        end = len(text) if newline < 0 else newline + 1
        yield Span(start=start, end=end)
        start = end


def _is_quoted(line: str) -> bool:
    return line.lstrip(" \t").startswith(">")


def _announces(lines: list[str], index: int) -> bool:
    """Whether the line, or it and the next, say who wrote what is quoted below."""
    line = lines[index]
    if len(line) > _LONGEST_ATTRIBUTION or not _ATTRIBUTION_START.match(line):
        return False
    return _is_end_of_attribution(line) or _announces_wrapped(lines, index)


def _announces_wrapped(lines: list[str], index: int) -> bool:
    """Whether this line begins an attribution that the next one ends."""
    if index + 1 >= len(lines) or not _ATTRIBUTION_START.match(lines[index][:_LONGEST_ATTRIBUTION]):
        return False
    return not _is_end_of_attribution(lines[index]) and _is_end_of_attribution(lines[index + 1])


def _is_end_of_attribution(line: str) -> bool:
    return len(line) <= _LONGEST_ATTRIBUTION and _ATTRIBUTION.search(line) is not None
