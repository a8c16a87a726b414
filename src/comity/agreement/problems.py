"""The list that all readers of one agreement report their problems to."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from comity.agreement.diagnostics.diagnostic import Diagnostic, Severity
from comity.agreement.source import Excerpt

MOST_SHOWN: Final = 200
"""So many problems of one agreement are kept; errors are kept first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misread:
    """Why a piece of text could not be read, in a diagnostic's words."""

    message: str
    label: str = ""
    help: str = ""
    code: str = ""
    about: str = ""  # the part of the text that is wrong, if not all of it


class Problems:
    """Collects diagnostics; the only mutable thing that readers of an agreement share."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []
        self._files: list[str] = []
        self._errors = 0
        self._warnings = 0

    @property
    def errors(self) -> int:
        """How many errors were reported so far."""
        return self._errors

    def error(self, code: str, at: Excerpt, message: str, *, label: str = "", help: str = "") -> None:
        self._errors += 1
        if self._errors <= MOST_SHOWN:
            self._keep(Severity.ERROR, code, at, Misread(message=message, label=label, help=help))

    def warning(self, code: str, at: Excerpt, message: str, *, label: str = "", help: str = "") -> None:
        self._warnings += 1
        if self._warnings <= MOST_SHOWN:
            self._keep(Severity.WARNING, code, at, Misread(message=message, label=label, help=help))

    def misread(self, code: str, at: Excerpt, why: Misread) -> None:
        """Reports why something could not be read; its own code goes before `code`."""
        start = at.text.find(why.about) if why.about else -1
        place = at.part(start, start + len(why.about)) if start >= 0 else at
        self.error(why.code or code, place, why.message, label=why.label, help=why.help)

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything reported, by file, line and column; at most `MOST_SHOWN` and a note on the rest."""
        kept = sorted(self._found, key=lambda one: not one.is_error)[:MOST_SHOWN]
        ordered = sorted(kept, key=self._order)
        hidden = self._errors + self._warnings - len(ordered)
        return tuple(ordered) if not hidden else (*ordered, self._note(hidden, ordered[-1]))

    def _keep(self, severity: Severity, code: str, at: Excerpt, why: Misread) -> None:
        line, column = at.source.position(at.start)
        end_line, end_column = at.source.position(at.end)
        if at.source.file not in self._files:
            self._files.append(at.source.file)
        self._found.append(
            Diagnostic(
                code=code,
                severity=severity,
                message=why.message,
                file=at.source.file,
                line=line,
                column=column,
                end_line=end_line,
                end_column=end_column,
                label=why.label,
                help=why.help,
            )
        )

    def _order(self, one: Diagnostic) -> tuple[int, int, int, str]:
        return self._files.index(one.file), one.line, one.column, one.code

    def _note(self, hidden: int, last: Diagnostic) -> Diagnostic:
        return Diagnostic(
            code="C098",
            severity=Severity.ERROR if self._errors > MOST_SHOWN else Severity.WARNING,
            message=f"{hidden} more problems are not shown",
            file=last.file,
            line=last.line,
            column=last.column,
            end_line=last.end_line,
            end_column=last.end_column,
            help="mend the first ones and check again",
        )


def nearest(name: str, names: Iterable[str]) -> str:
    """Help that names the nearest valid name, or lists them all when none is near."""
    known = sorted(names)
    close = difflib.get_close_matches(name[:100].lower(), known, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    if not known:
        return ""
    shown = ", ".join(f"`{one}`" for one in known[:20])
    return f"one of {shown}" if len(known) <= 20 else f"one of {shown}, ..."


def quoted(text: str) -> str:
    """The text in backticks, cut when it is long, for messages."""
    one_line = " ".join(text.split())
    return f"`{one_line if len(one_line) <= 60 else one_line[:57] + '...'}`"
