"""Somebody else's text, made safe to look at."""

from __future__ import annotations


def printable(text: str) -> str:
    """Somebody else's text on one line: control, format and bidi characters are shown as escapes."""
    return "".join(_printable(each) for each in text)


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode()
