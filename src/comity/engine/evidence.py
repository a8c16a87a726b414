"""Why a clause is breached, in the message's own words: passages of the original text, counts and compared values.

Only what carries the answer is shown: of a true `||` the sides that hold, of a false `&&` those that fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from comity.engine.passages import passages
from comity.engine.reading import Reading
from comity.engine.steps import Bound, Step
from comity.model.expression import Call, Comprehension, Expression, Literal, Macro, Type
from comity.model.finding import Evidence, Value

MOST_EVIDENCE: Final = 24
"""Pieces of evidence for one finding: enough to answer it, and a hostile message cannot swell a statement."""

_MOST_ELEMENTS: Final = 5
_LONGEST_VALUE: Final = 200
_UNITS_SHOWN: Final = 2
_MEASURED: Final = frozenset({Type.INT, Type.UINT, Type.DOUBLE, Type.DURATION})
_ORDERS: Final = {"_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">="}
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_CONTRARY: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_SEARCHES: Final = frozenset({"says", "saysAny", "matches", "under", "contains"})


def evidence(step: Step, reading: Reading) -> tuple[Evidence, ...]:
    """The evidence for a rule's answer, whatever it is, in the order of the rule."""
    return tuple(islice(dict.fromkeys(_evidence(step, reading, ())), MOST_EVIDENCE))


def _evidence(step: Step, reading: Reading, bound: Bound) -> Iterator[Evidence]:
    match step.expression:
        case Call(function="_&&_" | "_||_" as function):
            yield from _of_chain(step, reading, bound, decisive=function == "_||_")
        case Call(function="!_"):
            yield from _evidence(step.below[0], reading, bound)
        case Call(function="_?_:_"):
            condition, yes, no = step.below
            yield from _evidence(condition, reading, bound)
            yield from _evidence(yes if condition.of(reading, bound) else no, reading, bound)
        case Call(function=function) if function in _SEARCHES:
            found = passages(step.search, reading) if step.search and step.of(reading, bound) else ()
            yield from found
            if not found:
                yield _value(step, reading, bound)
        case Comprehension(macro=Macro.EXISTS | Macro.ALL | Macro.EXISTS_ONE):
            yield from _of_elements(step, reading, bound)
        case Call(type=Type.BOOL):
            yield from _of_operands(step, reading, bound)
        case Literal():
            return
        case _:
            yield _value(step, reading, bound)


def _of_chain(step: Step, reading: Reading, bound: Bound, *, decisive: bool) -> Iterator[Evidence]:
    """Of the operands that came to the decisive value those, if any, else all."""
    decided = [operand for operand in step.below if operand.of(reading, bound) is decisive]
    for operand in decided or step.below:
        yield from _evidence(operand, reading, bound)


def _of_elements(step: Step, reading: Reading, bound: Bound) -> Iterator[Evidence]:
    """The first elements on which the answer rests, and the evidence in each."""
    over, body = step.below[0], step.below[-1]
    assert isinstance(step.expression, Comprehension)
    elements = over.of(reading, bound)
    assert isinstance(elements, tuple | dict)
    wanted = step.expression.macro is not Macro.ALL or not elements or bool(step.of(reading, bound))
    telling = (element for element in elements if bool(body.of(reading, (*bound, element))) is wanted)
    shown = list(islice(telling, _MOST_ELEMENTS))
    if not shown:
        yield Value(expression=over.words, value=show(elements))
    for element in shown:
        yield Value(expression=f"{step.expression.variable} in {over.words}", value=show(element))
        yield from _evidence(body, reading, (*bound, element))


def _of_operands(step: Step, reading: Reading, bound: Bound) -> Iterator[Evidence]:
    """The values of a comparison's sides, or of a test's receiver and the test's answer."""
    telling = [operand for operand in step.below if not _is_constant(operand.expression)]
    against = _against(step, reading, bound) if len(telling) == 1 else ""
    for operand in telling:
        yield _value(operand, reading, bound, against)
    if not telling:
        yield _value(step, reading, bound)


def _against(step: Step, reading: Reading, bound: Bound) -> str:
    """How a number or duration stands to the constant beside it: true of the value, whatever the rule makes of it."""
    match step.expression:
        case Call(function=function, args=(left, right)) if function in _ORDERS and right.type in _MEASURED:
            order = _ORDERS[function]
        case _:
            return ""
    one, other = (operand.of(reading, bound) for operand in step.below)
    constant = other
    if _is_constant(left):
        constant, order = one, _TURNED[order]
    if one != one or (isinstance(constant, timedelta) and len(_units(constant)) > _UNITS_SHOWN):
        return ""
    return f"{order if step.of(reading, bound) else _CONTRARY[order]} {show(constant)}"


def _is_constant(expression: Expression) -> bool:
    match expression:
        case Literal():
            return True
        case Call(function="seconds" | "minutes" | "hours" | "days"):
            return True
        case _:
            return False


def _value(step: Step, reading: Reading, bound: Bound, against: str = "") -> Value:
    return Value(expression=step.words, value=show(step.of(reading, bound)), against=against)


def show(value: object) -> str:
    """A value as people read it, cut where it is long."""
    match value:
        case bool():
            shown = "true" if value else "false"
        case str():
            shown = f'"{value[: _LONGEST_VALUE + 1]}"'
        case float():
            shown = f"{value:.6g}" if value % 1 else f"{value:.1f}"
        case datetime():
            shown = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case timedelta():
            shown = _span(value)
        case tuple():
            shown = f"[{', '.join(map(show, value[:_LONGEST_VALUE]))}]"
        case bytes():
            shown = f"0x{value[:_LONGEST_VALUE].hex()}"
        case dict():
            shown = f"{{{', '.join(f'{key}: {show(of)}' for key, of in islice(value.items(), _LONGEST_VALUE))}}}"
        case _:
            shown = str(value)
    return shown if len(shown) <= _LONGEST_VALUE else f"{shown[: _LONGEST_VALUE - 1]}…"


def _span(span: timedelta) -> str:
    """Whole units of a duration, the two largest: `2 days 3 hours`."""
    if span < timedelta():
        return f"-{_span(-span)}"
    shown = [f"{count:g} {unit}{'' if count == 1 else 's'}" for unit, count in _units(span)]
    return " ".join(shown[:_UNITS_SHOWN]) or "0 seconds"


def _units(span: timedelta) -> list[tuple[str, float]]:
    seconds = span.total_seconds()
    minutes, hours = divmod(span.seconds // 60, 60)[::-1]
    units = (("day", span.days), ("hour", hours), ("minute", minutes), ("second", seconds % 60))
    return [(unit, count) for unit, count in units if count]
