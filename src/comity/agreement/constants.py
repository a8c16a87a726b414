"""Literals, and conversions of literals folded into literals."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Final

from google.protobuf.message import Message

from comity.agreement import cel, refusals
from comity.agreement.rule_problem import RuleProblem
from comity.model.expression import Expression, Literal, Span, Type

UNTYPED: Final = Type.NULL
"""Stands for a node's type while a rule has problems; no checked rule holds it."""

_KINDS: Final = {
    "bool_value": Type.BOOL,
    "int64_value": Type.INT,
    "uint64_value": Type.UINT,
    "double_value": Type.DOUBLE,
    "string_value": Type.STRING,
    "bytes_value": Type.BYTES,
}


def stand_in(at: Span) -> Literal:
    """What takes the place of something refused while the rest of the rule is read."""
    return Literal(value=None, type=UNTYPED, at=at)


def is_stand_in(expression: Expression) -> bool:
    """Whether it takes the place of something refused."""
    return isinstance(expression, Literal) and expression.value is None


def written(constant: Message, at: Span, text: str) -> Literal | RuleProblem:
    """The literal of CEL's `Constant`."""
    kind = constant.WhichOneof("constant_kind")
    if kind not in _KINDS:
        return refusals.null(at)
    return _finite(Literal(value=getattr(constant, kind), type=_KINDS[kind], at=at), text)


def converted(name: str, operand: Expression, at: Span, text: str) -> Literal | RuleProblem:
    """What `text`, the conversion `name` of `operand`, comes to."""
    if is_stand_in(operand):
        return stand_in(at)
    if not isinstance(operand, Literal):
        return refusals.conversion(at, name)
    try:
        value = cel.constant(text)
    except ValueError as why:
        return refusals.not_convertible(at, name, str(why))
    return _finite(Literal(value=value, type=Type(name), at=at), text)


def length_of_time(name: str, count: Expression, at: Span, text: str) -> Literal | RuleProblem:
    """The duration of `days(7)` and its like."""
    if is_stand_in(count):
        return stand_in(at)
    if not isinstance(count, Literal) or count.type is not Type.INT or not isinstance(count.value, int):
        return refusals.open_length(at, name)
    try:
        return Literal(value=timedelta(**{name: count.value}), type=Type.DURATION, at=at)
    except OverflowError:
        return refusals.long_duration(at, text)


def _finite(literal: Literal, text: str) -> Literal | RuleProblem:
    if isinstance(literal.value, float) and not math.isfinite(literal.value):
        return refusals.not_finite(literal.at, text)
    return literal
