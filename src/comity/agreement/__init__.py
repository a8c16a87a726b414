"""Agreements: Markdown in, a checked version or all its problems out. Pure: bytes, never paths."""

from comity.agreement.diagnostics import Diagnostic, Severity, as_github, as_json, draw
from comity.agreement.load import Checked, load

__all__ = ["Checked", "Diagnostic", "Severity", "as_github", "as_json", "draw", "load"]
