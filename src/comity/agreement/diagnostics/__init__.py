"""Diagnostics: problems of an agreement as values, and how they are shown."""

from comity.agreement.diagnostics.diagnostic import Diagnostic, Severity
from comity.agreement.diagnostics.drawing import draw
from comity.agreement.diagnostics.formats import as_github, as_json

__all__ = ["Diagnostic", "Severity", "as_github", "as_json", "draw"]
