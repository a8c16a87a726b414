"""The proof that a rule's arithmetic cannot overflow, by intervals.

Whole numbers, durations and times are followed; doubles, strings and lists cannot fail. Durations and times count in
microseconds. Sizes and counts are at most `language.MOST`, literals are known, anything else takes its type's range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

from comity.agreement.language import FUNCTIONS, MOST
from comity.agreement.problems import quoted
from comity.agreement.rule_problem import RuleProblem
from comity.model.expression import (
    Call,
    Comprehension,
    Expression,
    ListOf,
    Literal,
    Macro,
    Type,
    Variable,
    parts,
    text_of,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """All values from `low` to `high`, both included."""

    low: int
    high: int

    def holds(self, other: Interval) -> bool:
        return self.low <= other.low and other.high <= self.high

    def joined(self, other: Interval) -> Interval:
        return Interval(low=min(self.low, other.low), high=max(self.high, other.high))


_INT: Final = Interval(low=-(2**63), high=2**63 - 1)
_TIMES: Final = Interval(
    low=(datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MICRO,
    high=(datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC) - _EPOCH) // _MICRO,
)
_LIMITS: Final = {
    Type.INT: _INT,
    Type.UINT: Interval(low=0, high=2**64 - 1),
    # What CEL computes with: 63 bits of nanoseconds, about 292 years.
    Type.DURATION: Interval(low=-(_INT.high // 1000), high=_INT.high // 1000),
    Type.TIMESTAMP: _TIMES,
}
_ALL: Final = {**_LIMITS, Type.DURATION: Interval(low=_TIMES.low - _TIMES.high, high=_TIMES.high - _TIMES.low)}
_COUNT: Final = Interval(low=0, high=MOST)
_GETTERS: Final = {
    "getFullYear": Interval(low=0, high=10_000),
    "getMonth": Interval(low=0, high=11),
    "getDate": Interval(low=1, high=31),
    "getDayOfMonth": Interval(low=0, high=30),
    "getDayOfWeek": Interval(low=0, high=6),
    "getDayOfYear": Interval(low=0, high=365),
    "getMilliseconds": Interval(low=-999, high=999),
}
_SECONDS: Final = Interval(low=-(10**12), high=10**12)  # hours, minutes or seconds of any duration
_ARITHMETIC: Final = frozenset({"_+_", "_-_", "_*_", "_/_", "_%_", "-_"})

_Bound = Mapping[str, Interval | None]


def check_ranges(source: str, expression: Expression) -> tuple[RuleProblem, ...]:
    """A problem for each operation of a typed rule that may overflow, or divides by what may be zero."""
    proof = _Proof(source)
    proof.interval(expression, {})
    return tuple(proof.problems)


class _Proof:
    def __init__(self, source: str) -> None:
        self.problems: list[RuleProblem] = []
        self._source = source

    def interval(self, expression: Expression, bound: _Bound) -> Interval | None:
        """Where a value, or each entry of a list, must lie; None for what is not followed."""
        match expression:
            case Literal():
                return _of_literal(expression)
            case Variable(bound=True):
                return bound.get(expression.name)
            case Variable(name="reach"):
                return _COUNT
            case Variable():
                return _ALL.get(expression.type)
            case ListOf():
                return _join([self.interval(item, bound) for item in expression.items])
            case Comprehension():
                return self._of_macro(expression, bound)
            case Call():
                return self._of_call(expression, [self.interval(arg, bound) for arg in expression.args])

    def _of_macro(self, macro: Comprehension, bound: _Bound) -> Interval | None:
        over = self.interval(macro.over, bound)
        inner = {**bound, macro.variable: over}
        if macro.where is not None:
            self.interval(macro.where, inner)
        body = self.interval(macro.body, inner)
        match macro.macro:
            case Macro.MAP:
                return body
            case Macro.FILTER:
                return over
            case _:
                return None

    def _of_call(self, call: Call, args: list[Interval | None]) -> Interval | None:
        if call.function in ("_/_", "_%_") and not self._divides(call):
            return _LIMITS.get(call.type)
        if call.function in _ARITHMETIC and call.type in _LIMITS:
            return self._of_arithmetic(call, args)
        if call.function == "_?_:_":
            return _join(args[1:])
        if call.function == "_+_" and call.type is Type.LIST:
            return _join(args)
        return _of_function(call)

    def _of_arithmetic(self, call: Call, args: list[Interval | None]) -> Interval:
        limit = _LIMITS[call.type]
        known = [arg or _ALL.get(part.type, limit) for arg, part in zip(args, parts(call), strict=True)]
        result = _computed(call, known)
        if limit.holds(result):
            return result
        self.problems.append(_overflow(call, text_of(self._source, call)))
        return limit

    def _divides(self, call: Call) -> bool:
        divisor = call.args[1]
        is_literal = isinstance(divisor, Literal)
        if isinstance(divisor, Literal) and divisor.value:
            return True
        sign = "/" if call.function == "_/_" else "%"
        by_zero = RuleProblem(
            code="C016",
            span=divisor.at,
            message=f"`{sign}` by zero",
            label="always fails",
            help="divide by another number",
        )
        by_any = RuleProblem(
            code="C016",
            span=divisor.at,
            message=f"`{sign}` by something that may be zero",
            label="not a literal number",
            help="use `share(a, b)`, which is 0.0 if b is 0" if sign == "/" else "write the divisor as a number",
        )
        self.problems.append(by_zero if is_literal else by_any)
        return False


def _of_literal(literal: Literal) -> Interval | None:
    match literal.value:
        case bool():
            return None
        case int():
            return Interval(low=literal.value, high=literal.value)
        case timedelta():
            count = literal.value // _MICRO
        case datetime():
            count = (literal.value - _EPOCH) // _MICRO
        case _:
            return None
    return Interval(low=count, high=count)


def _of_function(call: Call) -> Interval | None:
    if call.type is not Type.INT:
        return _ALL.get(call.type)
    if call.function == "size" or call.function in FUNCTIONS:
        return _COUNT
    if call.function.startswith("get"):
        return _GETTERS.get(call.function, _SECONDS)
    return _INT


def _computed(call: Call, args: list[Interval]) -> Interval:
    first, last = args[0], args[-1]
    match call.function:
        case "_+_":
            return Interval(low=first.low + last.low, high=first.high + last.high)
        case "_-_":
            return Interval(low=first.low - last.high, high=first.high - last.low)
        case "-_":
            return Interval(low=-first.high, high=-first.low)
        case "_*_":
            corners = [a * b for a, b in product((first.low, first.high), (last.low, last.high))]
        case "_%_":
            # CEL computes the quotient first, so the least number modulo -1 overflows.
            overflows = last.low == -1 and first.low == _INT.low
            most = abs(last.low) if overflows is False else _INT.high + 1
            return Interval(low=-most if first.low < 0 else 0, high=most)
        case _:
            corners = [_truncated(a, last.low) for a in (first.low, first.high)]
    return Interval(low=min(corners), high=max(corners))


def _truncated(dividend: int, divisor: int) -> int:
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def _join(intervals: list[Interval | None]) -> Interval | None:
    """The interval that holds them all; None if one is not followed."""
    joined: Interval | None = None
    for one in intervals:
        if one is None:
            return None
        joined = one if joined is None else joined.joined(one)
    return joined


def _overflow(call: Call, text: str) -> RuleProblem:
    match call.type:
        case Type.TIMESTAMP:
            message, label = "the time may fall outside the years 1 to 9999", "leaves the calendar"
            help_ = "compare the times themselves: `sent > timestamp(...)`"
        case Type.DURATION:
            message, label = "the duration may be too long to compute", "may exceed 292 years"
            help_ = "compare durations and times themselves: `author.age < days(7)`, `sent > timestamp(...)`"
        case Type.UINT:
            message, label = f"{quoted(text)} may leave the range of unsigned numbers", "may overflow"
            help_ = "use signed numbers: `5` instead of `5u`"
        case _:
            message, label = f"{quoted(text)} may overflow", "may need more than 64 bits"
            help_ = "compare the parts on their own, or use doubles: `share(a, b)`"
    return RuleProblem(code="C017", span=call.at, message=message, label=label, help=help_)
