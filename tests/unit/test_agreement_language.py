"""The table of variables and functions is what the checker knows and what the documentation says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from comity.agreement.language import FUNCTIONS, LENGTHS, VARIABLES, DeclaredFunction, Overload, Role, Shape
from comity.agreement.rules import Names, check_rule
from comity.agreement.standard import STANDARD
from comity.model.agreement import LexiconKind
from comity.model.expression import Call, Literal, Type, walk
from comity.model.ids import ClauseId

PAGE = Path(__file__).parents[2] / "docs" / "rule-language.md"
NAMES = Names(
    lexicons={"p": LexiconKind.PHRASES, "d": LexiconKind.DOMAINS, "e": LexiconKind.EXACT},
    clauses=frozenset({ClauseId("own"), ClauseId("other")}),
    own=ClauseId("own"),
)
ARGUMENTS = {
    Role.TEXT: "text",
    Role.COUNT: "7",
    Role.WINDOW: "days(1)",
    Role.PHRASE: '"free money"',
    Role.PHRASES: '"p"',
    Role.DOMAINS: '"d"',
    Role.EXACT: '"e"',
    Role.CLAUSE: '"other"',
    Role.NOTICED: '"own"',
    Role.KEY: '"key"',
    Role.LANGUAGE: '"de"',
}
VALUES = {
    Shape.STRING: "text",
    Shape.STRINGS: "links",
    Shape.META: "meta",
    Shape.INT: "reach",
    Shape.DOUBLE: "1.0",
    Shape.DURATION: "author.age",
}
OVERLOADS = [(function, overload) for function in FUNCTIONS.values() for overload in function.overloads]
RESOLVED = [(function, overload) for function, overload in OVERLOADS if function.name not in LENGTHS]


def called(function: DeclaredFunction, overload: Overload) -> str:
    """A call of the overload, as one writes it."""
    args = [ARGUMENTS.get(one.role, VALUES[one.shape]) for one in overload.parameters]
    if function.is_receiver:
        return f"{args[0]}.{function.name}({', '.join(args[1:])})"
    return f"{function.name}({', '.join(args)})"


@pytest.mark.parametrize(("function", "overload"), RESOLVED, ids=[overload.id for _, overload in RESOLVED])
def test_every_declared_overload_is_the_one_that_is_resolved(function: DeclaredFunction, overload: Overload) -> None:
    call = called(function, overload)
    expression = check_rule(f"{call} == {call}", NAMES).expression
    assert expression is not None
    resolved = {part.overload: part.type for part in walk(expression) if isinstance(part, Call)}
    assert resolved[overload.id] is overload.result.type


@pytest.mark.parametrize("name", sorted(LENGTHS))
def test_a_length_of_time_is_a_literal(name: str) -> None:
    expression = check_rule(f"author.age < {name}(7)", NAMES).expression
    assert isinstance(expression, Call)
    length = expression.args[1]
    assert isinstance(length, Literal)
    assert length.value == timedelta(**{name: 7})


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_is_known_with_its_type(name: str) -> None:
    expression = check_rule(f"{name} == {name}", NAMES).expression
    assert isinstance(expression, Call)
    assert expression.args[0].type is VARIABLES[name].shape.type


@pytest.mark.parametrize("form", [form for function in STANDARD.values() for form in function.forms])
def test_every_standard_function_is_total_as_documented(form: str) -> None:
    assert check_rule(f"{form} == {form}", NAMES).problems == ()


def test_shapes_are_types() -> None:
    assert [shape.type for shape in (Shape.STRINGS, Shape.META, Shape.TIMESTAMP)] == [
        Type.LIST,
        Type.MAP,
        Type.TIMESTAMP,
    ]


def test_the_documentation_lists_all_of_the_language(golden: Callable[[Path, str], None]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, table in (("variables", variables()), ("functions", functions()), ("standard", standard())):
        text = re.sub(rf"(<!-- {name}: .*? -->\n).*?(<!-- end -->)", rf"\1\n{table}\n\2", text, flags=re.DOTALL)
    golden(PAGE, text)


def variables() -> str:
    rows = [f"| `{one.name}` | {one.shape} | {one.doc} |\n" for one in VARIABLES.values()]
    return "| variable | type | what it is |\n|---|---|---|\n" + "".join(rows)


def functions() -> str:
    rows = [
        f"| `{shown(function, overload)}` | {overload.result} | {overload.doc} |\n" for function, overload in OVERLOADS
    ]
    return "| function | gives | what it is |\n|---|---|---|\n" + "".join(rows)


def shown(function: DeclaredFunction, overload: Overload) -> str:
    names = [
        "" if index == 0 and function.is_receiver else f'"{one.name}"' if one.shape is Shape.STRING else one.name
        for index, one in enumerate(overload.parameters)
    ]
    receiver = f"{overload.parameters[0].name}." if function.is_receiver else ""
    return f"{receiver}{function.name}({', '.join(name for name in names if name)})"


def standard() -> str:
    rows = [
        f"| {', '.join(f'`{form}`' for form in function.forms)} | {function.doc} |\n" for function in STANDARD.values()
    ]
    return "| function | what it is |\n|---|---|\n" + "".join(rows)


def test_the_documented_rules_are_rules() -> None:
    rules = re.findall(r"```rule\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert rules
    assert all(check_rule(rule, NAMES).expression for rule in rules)
