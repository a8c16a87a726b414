"""Diagnostics for programs: JSON in the shape of the Language Server Protocol, and GitHub's workflow commands."""

from __future__ import annotations

import json
from collections.abc import Iterable

from comity.agreement.codes import TITLES, page
from comity.agreement.diagnostics.diagnostic import Diagnostic
from comity.agreement.diagnostics.drawing import safe

_LSP_SEVERITY = {"error": 1, "warning": 2}


def as_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A JSON list of LSP diagnostics, each with its file as `uri`.

    Lines and characters are 0-based as in LSP 3.17, with the position encoding `utf-32`: code points, as everywhere
    in Comity. Label and help are related information at the same place.
    """
    return json.dumps([_lsp(one) for one in diagnostics], indent=2)


def as_github(diagnostics: Iterable[Diagnostic]) -> str:
    """One workflow command a line, which GitHub shows beside the changed lines."""
    return "".join(f"{_command(one)}\n" for one in diagnostics)


def _lsp(one: Diagnostic) -> dict[str, object]:
    place = {
        "start": {"line": one.line - 1, "character": one.column - 1},
        "end": {"line": one.end_line - 1, "character": one.end_column - 1},
    }
    return {
        "uri": one.file,
        "range": place,
        "severity": _LSP_SEVERITY[one.severity],
        "code": one.code,
        "codeDescription": {"href": page(one.code)},
        "source": "comity",
        "message": one.message,
        "relatedInformation": [
            {"location": {"uri": one.file, "range": place}, "message": text} for text in (one.label, one.help) if text
        ],
        "data": {"title": TITLES.get(one.code, ""), "label": one.label, "help": one.help},
    }


def _command(one: Diagnostic) -> str:
    properties = {
        "file": safe(one.file),
        "line": one.line,
        "endLine": one.end_line,
        "col": one.column,
        "endColumn": one.end_column,
        "title": one.code,
    }
    written = ",".join(f"{name}={_escape(str(value), ':,')}" for name, value in properties.items())
    parts = (one.message, one.label, f"help: {one.help}" if one.help else "")
    text = "\n".join(safe(line) for part in parts if part for line in part.split("\n"))
    return f"::{one.severity} {written}::{_escape(text)}"


def _escape(text: str, extra: str = "") -> str:
    """Percent-encodes what would end a command or a property."""
    for character in "%\r\n" + extra:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
