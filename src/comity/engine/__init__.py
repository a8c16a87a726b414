"""Judging: checked agreement -> plan -> findings, with evidence. Pure: values in, values out, the same each time."""

from comity.engine.examples import ExampleFailure, run_examples
from comity.engine.explain import Explained, explain
from comity.engine.history import History
from comity.engine.plan import Plan, plan
from comity.engine.trace import Trace, Tracer
from comity.engine.windows import Counted, Window, windows_of

__all__ = [
    "Counted",
    "ExampleFailure",
    "Explained",
    "History",
    "Plan",
    "Trace",
    "Tracer",
    "Window",
    "explain",
    "plan",
    "run_examples",
    "windows_of",
]
