"""Checking an agreement whole: its format, its rules, and its examples run as tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from comity.agreement.diagnostics import Diagnostic, Severity
from comity.agreement.load import Checked, load
from comity.engine.examples import ExampleFailure, run_examples


def check(name: str, content: bytes, read: Callable[[str], bytes | None]) -> Checked:
    """All problems of an agreement, an example that does not come out as it says included."""
    checked = load(name, content, read)
    if checked.agreement is None:
        return checked
    failures = run_examples(checked.agreement)
    if not failures:
        return checked
    lines = checked.sources[name].split("\n")
    failing = tuple(_diagnostic(name, lines, failure) for failure in failures)
    return replace(checked, agreement=None, diagnostics=(*checked.diagnostics, *failing))


def _diagnostic(name: str, lines: list[str], failure: ExampleFailure) -> Diagnostic:
    example, line = failure.example, lines[failure.example.line - 1]
    indent = len(line) - len(line.lstrip())
    if failure.expected:
        message, label = f"the example does not breach `{failure.clause.id}`", "expected a breach, found none"
    else:
        message, label = f"the example breaches `{failure.clause.id}`", "expected it to be fine, found a breach"
    values = (f"`{' '.join(each.expression.split())}` is {each.value}" for each in failure.values)
    return Diagnostic(
        code="C100",
        severity=Severity.ERROR,
        message=message,
        file=name,
        line=example.line,
        column=indent + 1,
        end_line=example.line,
        end_column=max(len(line.rstrip()), indent + 1) + 1,
        label=label,
        help="\n".join(("mend the rule or the example; with this example", *values)),
    )
