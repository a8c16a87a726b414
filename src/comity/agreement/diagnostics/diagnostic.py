"""One problem of one place in one file. Collected, never raised."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """Lines and columns are 1-based and in code points of the original file; the span is half-open."""

    code: str
    severity: Severity
    message: str
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    label: str = ""
    help: str = ""

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR
