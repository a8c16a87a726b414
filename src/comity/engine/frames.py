"""The Python for each function of the rule language: a frame for its arguments' code, and its price.

Prices are rough nanoseconds over twenty; only their order matters, for cheap tests come first.
"""

from __future__ import annotations

from typing import Final

from comity.model.expression import Call, Comprehension, Expression, ListOf, Macro, Type

Frame = tuple[str, float]

_PLAIN: Final[dict[str, Frame]] = {
    "!_": ("(not {0})", 0.5),
    "-_": ("(-{0})", 0.5),
    "_?_:_": ("({1} if {0} else {2})", 0.5),
    "_!=_": ("(not {0} == {1})", 1.0),
    "_<_": ("({0} < {1})", 1.0),
    "_<=_": ("({0} <= {1})", 1.0),
    "_>_": ("({0} > {1})", 1.0),
    "_>=_": ("({0} >= {1})", 1.0),
    "_+_": ("({0} + {1})", 1.0),
    "_-_": ("({0} - {1})", 1.0),
    "_*_": ("({0} * {1})", 1.0),
    "_%_": ("int_remainder({0}, {1})", 3.0),
    "size": ("len({0})", 1.0),
    "contains": ("({1} in {0})", 3.0),
    "startsWith": ("{0}.startswith({1})", 2.0),
    "endsWith": ("{0}.endswith({1})", 2.0),
    "capitals": ("capitals({0})", 10.0),
    "repeats": ("repeats({0})", 15.0),
    "speaks": ("speaks({0}, {1})", 5.0),
    "get": ("{0}.get({1}, '')", 2.0),
    "number": ("number({0}.get({1}, ''))", 8.0),
    "share": ("share({0}, {1})", 3.0),
    "seconds": ("({0} * SECOND)", 3.0),
    "minutes": ("({0} * MINUTE)", 3.0),
    "hours": ("({0} * HOUR)", 3.0),
    "days": ("({0} * DAY)", 3.0),
}

_MACROS: Final = {
    Macro.EXISTS: "any({1} for $ in {0})",
    Macro.ALL: "all({1} for $ in {0})",
    Macro.EXISTS_ONE: "(sum(1 for $ in {0} if {1}) == 1)",
    Macro.FILTER: "tuple($ for $ in {0} if {1})",
    Macro.MAP: "tuple({1} for $ in {0})",
}


def frame_of(call: Call) -> Frame:
    """The frame for a call's arguments in order; KeyError for a function that the language does not have."""
    match call.function:
        case "_==_":
            return _equality(call)
        case "@in":
            return _membership(call)
        case "_/_":
            kind = "double" if call.type is Type.DOUBLE else "int"
            return f"{kind}_quotient({{0}}, {{1}})", 3.0
        case function if function.startswith("get") and function != "get":
            return _clock_part(call)
        case function:
            return _PLAIN[function]


def macro_frame(made: Comprehension) -> str:
    """The frame for the code of list, body and (in `{2}`) condition."""
    frame = _MACROS[made.macro].replace("$", f"x_{made.variable}")
    return frame.replace("in {0}", "in {0} if {2}") if made.where else frame


def _equality(call: Call) -> Frame:
    if call.args[0].type is Type.LIST and any(map(_may_hold_doubles, call.args)):
        return "all_equal({0}, {1})", 5.0
    return "({0} == {1})", 1.0


def _membership(call: Call) -> Frame:
    if call.args[0].type is Type.DOUBLE:
        return "one_equals({0}, {1})", 5.0
    return "({0} in {1})", 2.0


def _may_hold_doubles(expression: Expression) -> bool:
    """Whether a list's elements may be doubles, of which NaN does not equal itself."""
    match expression:
        case ListOf(items=items):
            return any(item.type is Type.DOUBLE or _may_hold_doubles(item) for item in items)
        case Comprehension(over=over, body=body):
            return body.type is Type.DOUBLE or _may_hold_doubles(over) or _may_hold_doubles(body)
        case Call(args=args):
            return any(map(_may_hold_doubles, args))
        case _:
            return False


def _clock_part(call: Call) -> Frame:
    if call.args[0].type is Type.DURATION:
        return f"span_part({call.function!r}, {{0}})", 8.0
    zone = ", {1}" if len(call.args) > 1 else ""
    return f"part({call.function!r}, {{0}}{zone})", 12.0
