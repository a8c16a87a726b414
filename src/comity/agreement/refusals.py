"""What a rule may not hold, in words: one function for each thing that the reading of a rule refuses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from comity.agreement.language import FUNCTIONS, VARIABLES
from comity.agreement.problems import nearest, quoted
from comity.agreement.rule_problem import RuleProblem
from comity.agreement.standard import MACROS, STANDARD
from comity.model.expression import Expression, Span, Type, Variable

DYNAMIC: Final = frozenset({"dyn", "type"})
TYPE_NAMES: Final = frozenset(
    {"int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type", "dyn", "google"}
)
NAMESPACES: Final = frozenset(name.split(".")[0] for name in FUNCTIONS if "." in name)
_NAMESPACED: Final = frozenset(name for name in FUNCTIONS if "." in name)
METHODS: Final = frozenset(name for name in FUNCTIONS if FUNCTIONS[name].is_receiver) | STANDARD.keys() | MACROS
PLAIN: Final = (FUNCTIONS.keys() - METHODS - _NAMESPACED) | {"size", "matches"}
_ELSEWHERE: Final = {
    "any": "`exists`",
    "some": "`exists`",
    "every": "`all`",
    "len": "`size`",
    "length": "`size`",
    "count": "`size`",
    "isEmpty": '`size() == 0`, or `== ""`',
    "includes": "`contains`",
    "lower": "`says`, which compares folded text, without case",
    "lowerAscii": "`says`, which compares folded text, without case",
    "toLowerCase": "`says`, which compares folded text, without case",
}
"""What other languages call it."""

_CONVERTED: Final = {
    "int": "compare values of one type",
    "double": 'use `share(a, b)` for a proportion, or `meta.number("key")` for a number that a source sends',
    "timestamp": "compare with `sent`",
}


def unknown_variable(at: Span, name: str, bound: Iterable[str] = ()) -> RuleProblem:
    if name.split(".")[0] in TYPE_NAMES:
        return RuleProblem(
            code="C022",
            span=at,
            message=f"{quoted(name)} is a type, and types are no values",
            label="not a value",
            help="compare the value itself; every variable has one fixed type",
        )
    return RuleProblem(
        code="C012",
        span=at,
        message=f"unknown variable {quoted(name)}",
        label="not a variable of a message",
        help=_meant(name, bound),
    )


def _meant(name: str, bound: Iterable[str]) -> str:
    if name in FUNCTIONS or name in STANDARD:
        return f"{quoted(name)} is a function: call it with its arguments in parentheses"
    if name.lower() in ("true", "false"):
        return f"write `{name.lower()}`"
    fields = sorted(variable for variable in VARIABLES if variable.startswith(f"{name}."))
    if fields:
        return f"it has {', '.join(f'`{one}`' for one in fields)}"
    return nearest(name, {*VARIABLES, *bound})


def unknown_function(at: Span, name: str) -> RuleProblem:
    if name in MACROS:
        help_ = f"call it on a list: `links.{name}(link, ...)`"
    elif name in METHODS:
        help_ = f"call it on a value: `{(forms(name) if name in FUNCTIONS else STANDARD[name].forms)[0]}`"
    elif name in VARIABLES:
        help_ = f"{quoted(name)} is a variable: leave the parentheses out"
    else:
        help_ = _near(name, _NAMESPACED if "." in name else PLAIN | METHODS)
    return RuleProblem(
        code="C013",
        span=at,
        message=f"unknown function {quoted(name)}",
        label="not a function of the rule language",
        help=help_,
    )


def unknown_method(at: Span, name: str, receiver: Expression, count: int) -> RuleProblem:
    if name in MACROS:
        return RuleProblem(
            code="C013",
            span=at,
            message=f"`{name}` cannot be called with {count} argument{'' if count == 1 else 's'}",
            label="needs a name and a condition",
            help=f"write `links.{name}(link, ...)` with a condition about `link`",
        )
    if name in PLAIN and isinstance(receiver, Variable):
        help_ = f"`{name}` is no method: write `{name}(...)`"
    else:
        help_ = _near(name, METHODS)
    return RuleProblem(
        code="C013",
        span=at,
        message=f"unknown function {quoted(name)}",
        label="not a function of the rule language",
        help=help_,
    )


def _near(name: str, known: Iterable[str]) -> str:
    if name in _ELSEWHERE:
        return f"use {_ELSEWHERE[name]}"
    found = nearest(name, known)
    return found if found.startswith("did you mean") else "docs/rule-language.md lists all variables and functions"


def wrong_count(at: Span, name: str) -> RuleProblem:
    return RuleProblem(
        code="C014",
        span=at,
        message=f"`{name}` needs other arguments",
        label="too few or too many",
        help=f"write {' or '.join(f'`{form}`' for form in forms(name))}",
    )


def forms(name: str) -> list[str]:
    """How a function of the rule language is called."""
    function = FUNCTIONS[name]
    skipped = 1 if function.is_receiver else 0
    calls = []
    for overload in function.overloads:
        receiver = f"{overload.parameters[0].name}." if function.is_receiver else ""
        shapes = ", ".join(parameter.shape.value for parameter in overload.parameters[skipped:])
        calls.append(f"{receiver}{name}({shapes})")
    return calls


def field(at: Span, operand: Expression, name: str) -> RuleProblem:
    if _is_meta(operand):
        return RuleProblem(
            code="C018",
            span=at,
            message="a key of `meta` may be missing",
            label="fails when the source does not send it",
            help=f'write `meta.get("{name}")`, which is empty then, or `meta.number("{name}")`',
        )
    is_method = name in METHODS
    return RuleProblem(
        code="C018",
        span=at,
        message=f"{quoted(name)} is not a field",
        label="only `meta` has keys, and no value has fields",
        help=f"call it: `.{name}(...)`" if is_method else _near(name, METHODS),
    )


def has(at: Span, operand: Expression, name: str) -> RuleProblem:
    return RuleProblem(
        code="C018",
        span=at,
        message="`has` is not part of the rule language",
        label="tests for a field",
        help=f'write `"{name}" in meta`'
        if _is_meta(operand)
        else "variables are always there; compare with their default",
    )


def index(at: Span, operand: Expression, key: Expression, text: str) -> RuleProblem:
    if _is_meta(operand):
        help_ = f"write `meta.get({text})`, which is empty when the key is missing"
    else:
        help_ = 'ask about any entry instead: `links.exists(link, link.contains("..."))`'
    return RuleProblem(
        code="C018",
        span=at,
        message="indexing may fail",
        label="there may be no such key" if _is_meta(operand) else "there may be no such entry",
        help=help_,
    )


def _is_meta(operand: Expression) -> bool:
    return isinstance(operand, Variable) and operand.name == "meta"


def conversion(at: Span, name: str) -> RuleProblem:
    return RuleProblem(
        code="C019",
        span=at,
        message=f"`{name}` may only convert a literal",
        label="may fail when the rule runs",
        help=_CONVERTED.get(name, "compare values of one type"),
    )


def not_convertible(at: Span, name: str, why: str) -> RuleProblem:
    forms = {
        "duration": 'write a duration such as `duration("1h30m")` (h, m, s, ms, us), or `days(7)`',
        "timestamp": 'write a time such as `timestamp("2026-01-31T12:00:00Z")`, of the years 1 to 9999',
        "bool": "write `true` or `false`",
    }
    return RuleProblem(
        code="C020",
        span=at,
        message=f"not a valid {name}",
        label=why,
        help=forms.get(name, f"write the {name} itself"),
    )


def not_finite(at: Span, text: str) -> RuleProblem:
    return RuleProblem(
        code="C020",
        span=at,
        message=f"{quoted(text)} is not a finite number",
        label="too large, or no number",
        help="write a number below 1.7e308",
    )


def null(at: Span) -> RuleProblem:
    return RuleProblem(
        code="C022",
        span=at,
        message="nothing in a rule is `null`",
        label="compares with no value",
        help='what a source does not give is empty or 0: compare with `""` or `0`',
    )


def dynamic(at: Span, name: str) -> RuleProblem:
    return RuleProblem(
        code="C022",
        span=at,
        message=f"`{name}` is not part of the rule language",
        label="its type is only known when the rule runs",
        help="use the value itself; every variable has one fixed type",
    )


def untyped(at: Span) -> RuleProblem:
    return RuleProblem(
        code="C022",
        span=at,
        message="the type of this is not fixed",
        label="mixes types, or holds lists in a list",
        help="let a list hold values of one type: strings, numbers, durations, times or truth values",
    )


def structure(at: Span, name: str) -> RuleProblem:
    return RuleProblem(
        code="C023",
        span=at,
        message=f"rules have no {'messages' if name else 'maps'} of their own",
        label=f"builds a {quoted(name) if name else 'map'}",
        help="use a list, `[a, b]`, or a lexicon",
    )


def open_length(at: Span, name: str) -> RuleProblem:
    return RuleProblem(
        code="C024",
        span=at,
        message=f"`{name}` needs a whole number that is written out",
        label="its length must be known beforehand",
        help=f"write a number: `{name}(7)`",
    )


def long_duration(at: Span, text: str) -> RuleProblem:
    return RuleProblem(
        code="C024",
        span=at,
        message=f"{quoted(text)} is longer than 10 years",
        label="at most 3650 days",
        help="write `days(3650)` or less",
    )


def unknown_macro(at: Span) -> RuleProblem:
    return RuleProblem(
        code="C038",
        span=at,
        message="this loop is not part of the rule language",
        label="not one of all, exists, exists_one, filter and map",
        help="write it with `exists` or `all`",
    )


def unordered(at: Span, name: str) -> RuleProblem:
    return RuleProblem(
        code="C038",
        span=at,
        message=f"`{name}` needs a list, and the keys of `meta` have no order",
        label="has no order",
        help='ask with `exists` or `all`, or name a key: `meta.get("key")`',
    )


def hides(at: Span, name: str) -> RuleProblem:
    return RuleProblem(
        code="C036",
        span=at,
        message=f"{quoted(name)} already has a meaning here",
        label="hides the other one",
        help="give it a name of its own, such as `x`",
    )


def wrong_result(at: Span, type_: Type) -> RuleProblem:
    return RuleProblem(
        code="C015",
        span=at,
        message=f"a rule must be true or false, and this is {'an' if type_ is Type.INT else 'a'} {type_}",
        label="neither true nor false",
        help="compare it with something" if type_ is not Type.STRING else "compare it, or ask `.says(...)` of it",
    )
