"""A rule's checked expression: CEL's abstract syntax after parsing, typing and the proof that it is total.

Macros (`exists`, `all`, `exists_one`, `map`, `filter`) are kept as `Comprehension`, not as CEL's loops.
`at` is the half-open span of the node in the rule's own source, in code points.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
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
