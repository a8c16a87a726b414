"""Whole numbers, durations and times (in microseconds), and doubles, as the engine computes them.

Exact but for: products of two unknowns, calendar parts that need a calendar, time zones with a history, and arithmetic
of doubles. Those are unknowns of their own, the same for the same expression.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

import z3

from comity.agreement.language import MOST
from comity.engine.clockface import zone
from comity.engine.proof.symbols import Symbols
from comity.engine.proof.traits import CAPITALS, NUMBER, REPEATS, SIZE
from comity.engine.proof.values import Bound, Double, Reads
from comity.engine.windows import UNITS, is_history, window_of
from comity.model.expression import Call, Expression, Literal, Type, Variable
from comity.model.ids import ClauseId

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICRO: Final = timedelta(microseconds=1)
FIRST: Final = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // MICRO
LAST: Final = (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC) - EPOCH) // MICRO
DAY: Final = 86_400_000_000
_THURSDAY: Final = 4  # 1970-01-01

_SPANS: Final = {"getHours": 3_600_000_000, "getMinutes": 60_000_000, "getSeconds": 1_000_000}
_ON_CLOCK: Final = {
    "getHours": (3_600_000_000, 24),
    "getMinutes": (60_000_000, 60),
    "getSeconds": (1_000_000, 60),
    "getMilliseconds": (1000, 1000),
}
_ON_CALENDAR: Final = {
    "getFullYear": (0, 10_000),
    "getMonth": (0, 11),
    "getDate": (1, 31),
    "getDayOfMonth": (0, 30),
    "getDayOfWeek": (0, 6),
    "getDayOfYear": (0, 365),
    "getHours": (0, 23),
    "getMinutes": (0, 59),
    "getSeconds": (0, 59),
    "getMilliseconds": (0, 999),
}


def whole(reads: Reads, symbols: Symbols, own: ClauseId, expression: Expression, bound: Bound) -> z3.ArithRef:
    """A whole number, a duration or a time."""
    match expression:
        case Literal(value=value):
            return symbols.whole(_micros(value))
        case Variable(name="sent"):
            return symbols.number("sent", FIRST, LAST)
        case Variable(name="author.age"):
            return symbols.number("author.age", 0, LAST - FIRST)
        case Variable(name="reach"):
            return symbols.number("reach", 0, MOST)
        case Call(function="_?_:_", args=(when, then, other)):
            return z3.If(reads.truth(when, bound), reads.number(then, bound), reads.number(other, bound))
        case Call(function="size" | "repeats" as function, args=(measured,)):
            return _measured(reads, symbols, function, measured, bound)
        case Call(function=function) if is_history(function):
            return symbols.window(window_of(expression, own))
        case Call(args=(Literal(value=int() as count),), function=unit) if unit in UNITS:
            return symbols.whole(count * UNITS[unit] // MICRO)
        case Call(function=function) if function.startswith("get"):
            return _part(reads, symbols, expression, bound)
        case Call(function="_+_" | "_-_" | "_*_" | "_/_" | "_%_" | "-_"):
            return _arithmetic(reads, symbols, expression, bound)
        case _:
            return symbols.number(reads.name(expression, bound))


def _micros(value: object) -> int:
    match value:
        case timedelta():
            return value // MICRO
        case datetime():
            return (value - EPOCH) // MICRO
        case int():
            return value
        case _:
            raise TypeError(f"{value!r} is no whole number")


def _measured(reads: Reads, symbols: Symbols, function: str, measured: Expression, bound: Bound) -> z3.ArithRef:
    match measured.type:
        case Type.STRING:
            return symbols.measure(reads.text(measured, bound), SIZE if function == "size" else REPEATS)
        case Type.LIST if (entries := reads.entries(measured, bound)) is not None:
            return entries.size
        case _:
            return symbols.number(f"size of {reads.name(measured, bound)}", 0)


def _arithmetic(reads: Reads, symbols: Symbols, call: Call, bound: Bound) -> z3.ArithRef:
    args = [reads.number(arg, bound) for arg in call.args]
    match call.function:
        case "_+_":
            return args[0] + args[1]
        case "_-_":
            return args[0] - args[1]
        case "-_":
            return -args[0]
        case "_*_" if any(isinstance(arg, Literal) for arg in call.args):
            return args[0] * args[1]
        case "_/_" | "_%_" if isinstance(call.args[1], Literal) and isinstance(call.args[1].value, int):
            quotient = _truncated(args[0], call.args[1].value)
            return quotient if call.function == "_/_" else args[0] - call.args[1].value * quotient
        case _:
            return symbols.number(reads.name(call, bound))


def _truncated(dividend: z3.ArithRef, divisor: int) -> z3.ArithRef:
    """Division cut towards zero; the solver's own rounds down for a divisor above zero."""
    size = abs(divisor)
    up, down = (1, -1) if divisor > 0 else (-1, 1)
    return z3.If(dividend >= 0, up * (dividend / size), down * (-dividend / size))


def _part(reads: Reads, symbols: Symbols, call: Call, bound: Bound) -> z3.ArithRef:
    """`getHours` and its like."""
    value = reads.number(call.args[0], bound)
    if call.args[0].type is Type.DURATION:
        if call.function == "getMilliseconds":
            whole_seconds = _truncated(value, 1_000_000) * 1000
            return _truncated(value, 1000) - whole_seconds
        return _truncated(value, _SPANS[call.function])
    offset = _offset(call.args[1:])
    if offset is None:
        return symbols.number(reads.name(call, bound), *_ON_CALENDAR[call.function])
    local = value + offset
    if call.function == "getDayOfWeek":
        return (local / DAY + _THURSDAY) % 7
    if call.function in _ON_CLOCK:
        unit, cycle = _ON_CLOCK[call.function]
        return (local / unit) % cycle
    return symbols.number(reads.name(call, bound), *_ON_CALENDAR[call.function])


def _offset(zones: tuple[Expression, ...]) -> int | None:
    """How far a zone is from UTC, if it has always been that far."""
    if not zones:
        return 0
    if not isinstance(zones[0], Literal) or not isinstance(zones[0].value, str):
        return None
    found = zone(zones[0].value).utcoffset(None)
    return None if found is None else found // MICRO


def double(reads: Reads, symbols: Symbols, own: ClauseId, expression: Expression, bound: Bound) -> Double:
    """A double. Arithmetic of doubles rounds, so its result is an unknown that compares as a double does."""
    match expression:
        case Literal(value=float() as value):
            return symbols.constant(value)
        case Call(function="capitals", args=(text,)):
            return _finite(symbols, symbols.measure(reads.text(text, bound), CAPITALS))
        case Call(function="number", args=(_, key)):
            return _finite(symbols, symbols.measure(symbols.subject(f"meta.{_text(key)}"), NUMBER))
        case Call(function="author.total"):
            count = symbols.window(window_of(expression, own))
            return Double(value=count, undefined=symbols.true(False), is_finite=False)
        case Call(function="share", overload="share_int", args=(part, of_all)):
            made = symbols.double(reads.name(expression, bound), is_finite=True, may_be_undefined=False)
            whole_, all_ = reads.number(part, bound), reads.number(of_all, bound)
            symbols.facts.append(z3.Implies(all_ == 0, made.value == 0))
            symbols.shares[made.value.get_id()] = made.value, whole_, all_
            return made
        case Call(function="-_", args=(arg,)):
            of = reads.double(arg, bound)
            return Double(value=-of.value, undefined=of.undefined, is_finite=of.is_finite)
        case Call(function="_?_:_", args=(when, then, other)):
            return _either(reads.truth(when, bound), reads.double(then, bound), reads.double(other, bound))
        case Call(args=args) if all(arg.type is Type.DOUBLE for arg in args):
            are_finite = all(reads.double(arg, bound).is_finite for arg in args)
            is_defined = are_finite and (expression.function != "_/_" or _is_number(args[-1]))
            return symbols.double(reads.name(expression, bound), may_be_undefined=not is_defined)
        case _:
            return symbols.double(reads.name(expression, bound))


def _finite(symbols: Symbols, value: z3.ArithRef) -> Double:
    return Double(value=value, undefined=symbols.true(False), is_finite=True)


def _either(when: z3.BoolRef, then: Double, other: Double) -> Double:
    return Double(
        value=z3.If(when, then.value, other.value),
        undefined=z3.If(when, then.undefined, other.undefined),
        is_finite=then.is_finite and other.is_finite,
    )


def _is_number(expression: Expression) -> bool:
    return isinstance(expression, Literal) and bool(expression.value)


def _text(expression: Expression) -> str:
    return str(expression.value) if isinstance(expression, Literal) else ""


_COMPARED: Final[dict[str, Callable[[z3.ArithRef, z3.ArithRef], z3.BoolRef]]] = {
    "_<_": lambda a, b: a < b,
    "_<=_": lambda a, b: a <= b,
    "_>_": lambda a, b: a > b,
    "_>=_": lambda a, b: a >= b,
    "_==_": lambda a, b: a == b,
    "_!=_": lambda a, b: a != b,
}


def compared(function: str, left: z3.ArithRef, right: z3.ArithRef) -> z3.BoolRef:
    """`<` and its like, of numbers."""
    return _COMPARED[function](left, right)


def compared_doubles(symbols: Symbols, function: str, left: Double, right: Double) -> z3.BoolRef:
    """The same of doubles: nothing holds of what is no number but that it differs."""
    for this, other in ((left, right), (right, left)):
        _share_facts(symbols, this, other)
    defined = z3.And(z3.Not(left.undefined), z3.Not(right.undefined))
    if function == "_!=_":
        return z3.Or(z3.Not(defined), left.value != right.value)
    return z3.And(defined, compared(function, left.value, right.value))


def _share_facts(symbols: Symbols, share: Double, limit: Double) -> None:
    """A share is a quotient rounded, so against a constant it is known up to the constant's neighbours."""
    found = symbols.shares.get(share.value.get_id())
    if found is None or not z3.is_rational_value(limit.value):
        return
    made, part, of_all = found
    constant = float(limit.value.as_fraction())
    edges = (math.nextafter(constant, -math.inf), constant, math.nextafter(constant, math.inf))
    for edge in filter(math.isfinite, edges):
        exact = Fraction(edge)
        scaled, times = part * exact.denominator, of_all * exact.numerator
        known = z3.RatVal(exact.numerator, exact.denominator, symbols.context)
        symbols.facts += [
            z3.Implies(z3.And(of_all > 0, scaled <= times), made <= known),
            z3.Implies(z3.And(of_all > 0, scaled >= times), made >= known),
            z3.Implies(z3.And(of_all < 0, scaled >= times), made <= known),
            z3.Implies(z3.And(of_all < 0, scaled <= times), made >= known),
        ]
