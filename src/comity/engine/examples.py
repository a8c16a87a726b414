"""An agreement's own tests: each example is judged as a message would be, and must breach its clause or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

import msgspec

from comity.agreement.example_values import ExampleValue, read_value, settable, split_call
from comity.agreement.language import VARIABLES
from comity.agreement.problems import Misread
from comity.engine.explain import explain
from comity.engine.functions import number
from comity.engine.plan import Plan, plan
from comity.engine.windows import Counted, Window, is_history, window_of
from comity.model.agreement import Agreement
from comity.model.clause import Clause, Example, Rule
from comity.model.duration import EARLIEST
from comity.model.expression import Call, text_of, walk
from comity.model.finding import Value
from comity.model.message import Message

SENT: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""`sent` of an example that does not set it."""

MOST_VALUES: Final = 12
"""Sub-expressions shown for one failing example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleFailure:
    """An example that does not come out as it says. `values` are the rule's parts with what they came to."""

    clause: Clause
    example: Example
    found: bool  # whether it breaches the clause
    values: tuple[Value, ...]

    @property
    def expected(self) -> bool:
        return self.example.breaches


def run_examples(agreement: Agreement) -> tuple[ExampleFailure, ...]:
    """The examples that fail, in the order of the agreement."""
    made = plan(agreement)
    return tuple(
        failure
        for clause in agreement.clauses
        if clause.rule
        for example in clause.examples
        if (failure := _failure(made, agreement, clause, clause.rule, example))
    )


def _failure(made: Plan, agreement: Agreement, clause: Clause, rule: Rule, example: Example) -> ExampleFailure | None:
    message = example_message(agreement, clause, example)
    counts = dict.fromkeys(made.needs, 0) | example_counts(clause, rule, example, message)
    found = clause.id in made.breached(message, counts)
    if found == example.breaches:
        return None
    explained = explain(made, clause.id, message, counts)
    values = dict.fromkeys(explained.values()) if explained else {}
    return ExampleFailure(clause=clause, example=example, found=found, values=tuple(islice(values, MOST_VALUES)))


def example_message(agreement: Agreement, clause: Clause, example: Example) -> Message:
    """The message that an example stands for."""
    values: dict[str, object] = {
        "id": "example",
        "author": "example",
        "text": example.text,
        "sent": SENT,
        "channel": next(channel for channel in agreement.channels if channel in clause.channels),
    }
    values |= {name.replace(".", "_"): value for name, value in _values(example).items() if name in VARIABLES}
    return msgspec.convert({**values, "author_created": _created(values)}, Message)


def _created(values: Mapping[str, object]) -> datetime | None:
    sent, age = values["sent"], values.get("author_age")
    if not isinstance(age, timedelta) or not isinstance(sent, datetime):
        return None
    return sent - age if sent - EARLIEST > age else EARLIEST


def example_counts(clause: Clause, rule: Rule, example: Example, message: Message) -> dict[Window, int | float]:
    """What the windows of the clause's rule count in an example: as set, else as for a first message."""
    values = _values(example)
    counts: dict[Window, int | float] = {}
    for call in walk(rule.expression):
        if isinstance(call, Call) and is_history(call.function):
            name, written = split_call(text_of(rule.source, call))
            window = window_of(call, clause.id)
            value = values.get(written, values.get(name))
            counts[window] = value if isinstance(value, int | float) else _first(window, message)
    return counts


def _first(window: Window, message: Message) -> int | float:
    """What a window counts where this message is the first of all."""
    match window.counted:
        case Counted.BREACHES | Counted.NOTICES:
            return 0
        case Counted.RECIPIENTS:
            return len(set(message.to))
        case Counted.TOTAL:
            return number(message.meta.get(window.key, ""))
        case Counted.SAME | Counted.AUTHORS_SAME:
            return 1 if message.meta.get(window.key) else 0
        case _:
            return 1


def _values(example: Example) -> dict[str, ExampleValue]:
    """What the example sets, read as its type; calls in the form in which they compare equal."""
    shapes = settable()
    values: dict[str, ExampleValue] = {}
    for written, text in example.values:
        name, call = split_call(written)
        value = read_value(text, shapes[name])
        if not isinstance(value, Misread):  # the reader of the agreement refuses what cannot be read
            values[call or name] = value
    return values
