"""Checking a rule: its text and the agreement's names in, a proven expression or problems out.

A rule that passes is total: it cannot raise, loop or read anything but its inputs, whatever the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from comity.agreement import cel
from comity.agreement.arguments import check_arguments
from comity.agreement.circles import circles
from comity.agreement.complaints import LONGEST_RULE, surrogate, syntax_problem, too_long, type_problem
from comity.agreement.cost import check_cost
from comity.agreement.language import FUNCTIONS, VARIABLES, History
from comity.agreement.ranges import check_ranges
from comity.agreement.reading import Reader
from comity.agreement.refusals import wrong_result
from comity.agreement.rule_problem import Names, RuleProblem
from comity.model.expression import Call, Expression, Literal, Span, Type, Variable, walk
from comity.model.ids import ClauseId

__all__ = ["CheckedRule", "Names", "RuleProblem", "check_rule", "circles"]

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_UNKNOWN: Final = frozenset({"C012", "C013", "C014"})
_UNTYPED: Final = _UNKNOWN | {"C018", "C019", "C020", "C022", "C023", "C024", "C036", "C038"}
"""Problems that leave a part without a type, so that CEL's complaints about what holds it are echoes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRule:
    """What a rule came to. `expression` is None if and only if there are problems."""

    expression: Expression | None
    problems: tuple[RuleProblem, ...] = ()
    reads_history: bool = False
    is_conduct: bool = False
    counts_breaches_of: frozenset[ClauseId] = frozenset()
    counts_all_breaches: bool = False


def check_rule(source: str, names: Names) -> CheckedRule:
    """The checked rule of any `source`, of any length and content; problems come in the order of their places."""
    if len(source) > LONGEST_RULE:
        return _refused(too_long(source))
    lone = _SURROGATE.search(source)
    if lone is not None:
        return _refused(surrogate(lone.start()))
    parsed = cel.parse(source)
    if not isinstance(parsed, cel.Parsed):
        return _refused(syntax_problem(source, parsed[0]))
    typing = cel.check(source)
    reader = Reader(source, parsed, typing)
    expression = reader.read(parsed.tree)
    problems = [*reader.problems, *check_arguments(source, expression, names), *check_cost(expression)]
    problems += _type_problems(source, typing.errors, reader, problems)
    if not problems:
        problems = [*check_ranges(source, expression), *_check_result(expression)]
    return _refused(*problems) if problems else _facts(expression)


def _type_problems(
    source: str, errors: tuple[cel.CelError, ...], reader: Reader, found: list[RuleProblem]
) -> Iterator[RuleProblem]:
    """CEL's type errors, without those that only echo a problem that was found already."""
    has_unknown = any(problem.code in _UNKNOWN for problem in found)
    for error in errors:
        is_echo = has_unknown and error.message.startswith("undeclared reference")
        position = error.position or 0
        at = reader.places.get(position, Span(start=position, end=position))
        touched = any(one.span.start <= position <= one.span.end for one in found)
        holds = any(one.code in _UNTYPED and at.start <= one.span.start and one.span.end <= at.end for one in found)
        if not (is_echo or touched or holds):
            yield type_problem(source, error, reader.places)


def _check_result(expression: Expression) -> tuple[RuleProblem, ...]:
    return () if expression.type is Type.BOOL else (wrong_result(expression.at, expression.type),)


def _refused(*problems: RuleProblem) -> CheckedRule:
    ordered = sorted(dict.fromkeys(problems), key=lambda one: (one.span.start, one.span.end, one.code))
    return CheckedRule(expression=None, problems=tuple(ordered))


def _facts(expression: Expression) -> CheckedRule:
    calls = [part for part in walk(expression) if isinstance(part, Call)]
    histories = {FUNCTIONS[call.function].history for call in calls if call.function in FUNCTIONS} - {History.NONE}
    reads_message = any(
        VARIABLES[part.name].is_message for part in walk(expression) if isinstance(part, Variable) and not part.bound
    )
    breaches = [call for call in calls if call.function == "author.breaches"]
    return CheckedRule(
        expression=expression,
        reads_history=bool(histories),
        is_conduct=histories == {History.OF_CONDUCT} and not reads_message,
        counts_breaches_of=frozenset(_clause(call) for call in breaches if len(call.args) == 2),
        counts_all_breaches=any(len(call.args) == 1 for call in breaches),
    )


def _clause(call: Call) -> ClauseId:
    name = call.args[0]
    assert isinstance(name, Literal)
    return ClauseId(str(name.value))
