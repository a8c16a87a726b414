"""A rule's checked expression: CEL's abstract syntax after parsing, typing and the proof that it is total.

Macros (`exists`, `all`, `exists_one`, `map`, `filter`) are kept as `Comprehension`, not as CEL's loops.
`at` is the half-open span of the node in the rule's own source, in code points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec


class Type(StrEnum):
    """The static type of a value. Lists are `list(ELEMENT)`; only lists of scalars and of strings occur."""

    BOOL = "bool"
    INT = "int"
    UINT = "uint"
    DOUBLE = "double"
    STRING = "string"
    BYTES = "bytes"
    DURATION = "duration"
    TIMESTAMP = "timestamp"
    LIST = "list"
    MAP = "map"
    NULL = "null"


class Span(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Half-open, in code points of the text it is about."""

    start: int
    end: int


Scalar = bool | int | float | str | bytes | datetime | timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A constant, including folded literal conversions such as `duration("1h")` and `-5`."""

    value: Scalar
    type: Type
    at: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of the message (`author.age`) or the variable of an enclosing comprehension."""

    name: str
    type: Type
    at: Span
    bound: bool = False  # True: of a comprehension


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function with its resolved CEL overload id. A receiver is the first of `args`.

    `function` is CEL's name: `_&&_`, `_<_`, `_?_:_`, `@in`, `size`, `matches`, `copies`, `author.copies`, ...
    """

    function: str
    overload: str
    args: tuple[Expression, ...]
    type: Type
    at: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list literal."""

    items: tuple[Expression, ...]
    type: Type
    at: Span


class Macro(StrEnum):
    EXISTS = "exists"
    ALL = "all"
    EXISTS_ONE = "exists_one"
    MAP = "map"
    FILTER = "filter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comprehension:
    """`over.macro(variable, body)`; `map` with a condition has it in `where`."""

    macro: Macro
    over: Expression
    variable: str
    body: Expression
    type: Type
    at: Span
    where: Expression | None = None


Expression = Literal | Variable | Call | ListOf | Comprehension


def parts(expression: Expression) -> tuple[Expression, ...]:
    """The expressions that it is directly made of, in the order in which they are written."""
    match expression:
        case Call():
            return expression.args
        case ListOf():
            return expression.items
        case Comprehension():
            where = () if expression.where is None else (expression.where,)
            return expression.over, *where, expression.body
        case Literal() | Variable():
            return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """It and everything in it, outermost first."""
    yield expression
    for part in parts(expression):
        yield from walk(part)


def text_of(source: str, expression: Expression) -> str:
    """How `expression`, a part of the rule `source`, is written there."""
    return source[expression.at.start : expression.at.end]
