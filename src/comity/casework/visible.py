"""Somebody else's text, made safe to look at."""

from __future__ import annotations


def printable(text: str) -> str:
    """Somebody else's text on one line: control, format and bidi characters are shown as escapes."""
    return "".join(_printable(each) for each in text)


def visible(text: str) -> str:
    """The same, line by line: line breaks stay."""
    return "\n".join(printable(line) for line in text.replace("\r\n", "\n").split("\n"))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode()
