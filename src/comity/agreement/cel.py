"""CEL's front end: parsing and type-checking a rule, with nothing of CEL's evaluator but for constants.

Positions are code points of the rule's source. What the trees mean is for `reading`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from cel_expr_python import cel
from google.protobuf.message import DecodeError, Message

from comity.agreement.language import FUNCTIONS, VARIABLES, DeclaredFunction, Shape
from comity.agreement.syntax import checked_expr, parsed_expr
from comity.model.expression import Scalar, Type

_ERROR: Final = re.compile(r"^(?:[A-Z_]+: )?ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?: \[[A-Z_]+\])?$", re.MULTILINE)
_TOO_DEEP: Final = ("recursion limit", "recursion depth")
_WELL_KNOWN: Final = {2: Type.TIMESTAMP, 3: Type.DURATION}
_PRIMITIVES: Final = {
    1: Type.BOOL,
    2: Type.INT,
    3: Type.UINT,
    4: Type.DOUBLE,
    5: Type.STRING,
    6: Type.BYTES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CelError:
    """An error in CEL's words; `position` is None where CEL names no place."""

    position: int | None
    message: str

    @property
    def is_too_deep(self) -> bool:
        return any(words in self.message for words in _TOO_DEEP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """CEL's syntax tree (`cel.expr.Expr`) and the position of each node by its id."""

    tree: Message
    positions: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticType:
    """A node's type; `type` or `element` are None for what rules have no values of, such as `dyn`."""

    type: Type | None
    element: Type | None = None  # of a list


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    """What the checker found, by node id: types and resolved overloads. Empty if it found errors."""

    types: Mapping[int, StaticType]
    overloads: Mapping[int, tuple[str, ...]]
    errors: tuple[CelError, ...] = ()


def parse(source: str) -> Parsed | tuple[CelError, ...]:
    """The syntax tree of a rule without lone surrogates, or the errors, at least one."""
    try:
        content = environment().compile(source, disable_check=True).serialize()
        found = parsed_expr(content)
    except RuntimeError as error:
        return _errors(source, str(error))
    except DecodeError:
        return (CelError(position=None, message=_TOO_DEEP[0]),)
    return Parsed(tree=found.expr, positions=dict(found.source_info.positions))


def check(source: str) -> Typing:
    """Types and overloads of a rule that parses."""
    try:
        found = checked_expr(environment().compile(source).serialize())
    except RuntimeError as error:
        return Typing(types={}, overloads={}, errors=_errors(source, str(error)))
    types = {id_: _static(type_) for id_, type_ in found.type_map.items()}
    overloads = {id_: tuple(reference.overload_id) for id_, reference in found.reference_map.items()}
    return Typing(types=types, overloads=overloads)


def constant(text: str) -> Scalar:
    """What a conversion of literals comes to, by CEL's own evaluator; `ValueError` says why it comes to nothing.

    Durations and times finer than a microsecond are refused, since rules could not tell them apart.
    """
    value = _evaluate(text)
    if isinstance(value, timedelta):
        micros = value // timedelta(microseconds=1)
        exact = _evaluate(f'({text}) == duration("{micros}us")') is True
    elif isinstance(value, datetime):
        rendered = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        exact = _evaluate(f'({text}) == timestamp("{rendered}")') is True
    else:
        exact = True
    if not exact:
        raise ValueError("it is finer than a microsecond")
    return value


def _evaluate(text: str) -> Scalar:
    try:
        result = environment().compile(text).eval(data={})
    except RuntimeError as error:
        raise ValueError("it cannot be converted") from error
    found = result.value()
    if result.type() == cel.Type.ERROR:
        raise ValueError("it cannot be converted")
    match found:
        case bytearray():
            return bytes(found)
        case bool() | int() | float() | str() | bytes() | datetime() | timedelta():
            return found
        case _:
            raise ValueError("it cannot be converted")


@cache
def environment() -> cel.Env:
    """The checker's environment: the rule language's names, and no implementations."""
    return cel.NewEnv(
        variables={variable.name: _declared(variable.shape) for variable in VARIABLES.values()},
        functions=[_declaration(function) for function in FUNCTIONS.values()],
    )


def _declaration(function: DeclaredFunction) -> cel.FunctionDecl:
    overloads = [
        cel.Overload(
            overload.id,
            _declared(overload.result),
            [_declared(parameter.shape) for parameter in overload.parameters],
            is_member=function.is_receiver,
        )
        for overload in function.overloads
    ]
    return cel.FunctionDecl(function.name, overloads)


def _declared(shape: Shape) -> cel.Type:
    match shape:
        case Shape.STRINGS:
            return cel.Type.List(cel.Type.STRING)
        case Shape.META:
            return cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
        case _:
            return cel.Type(shape.value)


def _errors(source: str, text: str) -> tuple[CelError, ...]:
    """CEL's report, which is one text of `ERROR: <input>:LINE:COLUMN: message` blocks with drawings between."""
    starts = [0, *(found.end() for found in re.finditer("\n", source))]
    found = [
        CelError(position=_position(starts, int(line), int(column)), message=message)
        for line, column, message in _ERROR.findall(text)
    ]
    return tuple(found) or (CelError(position=None, message=text),)


def _position(starts: list[int], line: int, column: int) -> int | None:
    return starts[line - 1] + column - 1 if 1 <= line <= len(starts) and column >= 1 else None


def _static(type_: Message) -> StaticType:
    match type_.WhichOneof("type_kind"):
        case "list_type":
            return StaticType(type=Type.LIST, element=_scalar(type_.list_type.elem_type))
        case "map_type":
            return StaticType(type=Type.MAP)
        case _:
            return StaticType(type=_scalar(type_))


def _scalar(type_: Message) -> Type | None:
    match type_.WhichOneof("type_kind"):
        case "primitive":
            return _PRIMITIVES.get(type_.primitive)
        case "well_known":
            return _WELL_KNOWN.get(type_.well_known)
        case _:
            return None
