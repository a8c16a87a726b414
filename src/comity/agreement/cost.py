"""The bound on what a rule may cost: at most quadratic in the size of a message, and memory linear in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from comity.agreement.rule_problem import RuleProblem
from comity.model.expression import Call, Comprehension, Expression, ListOf, Literal, Macro, Type, Variable, parts

_DEEPEST: Final = 2
_SHORT_LIST: Final = 100  # a literal list up to here costs a constant
_SIZED: Final = frozenset({Type.STRING, Type.BYTES, Type.LIST, Type.MAP})


def check_cost(expression: Expression, depth: int = 0) -> Iterator[RuleProblem]:
    """A problem for each loop that is nested too deeply or builds too much."""
    if not isinstance(expression, Comprehension):
        for part in parts(expression):
            yield from check_cost(part, depth)
        return
    inner = depth + _growth(expression.over)
    if inner > _DEEPEST:
        yield _problem(expression, "a loop in a loop in a loop", "takes too long on a long message")
        return
    if expression.macro is Macro.MAP and _growth(expression.over) + _growth(expression.body) > 1:
        yield _problem(expression, "a list that repeats a part of the message in each entry", "takes too much memory")
        return
    for part in parts(expression):
        yield from check_cost(part, depth if part is expression.over else inner)


def _growth(expression: Expression) -> int:
    """The power of the message's size with which a string or list grows; entries of a list count as small."""
    if expression.type not in _SIZED or isinstance(expression, Literal):
        return 0
    match expression:
        case Variable():
            return 0 if expression.bound else 1
        case ListOf():
            longest = 1 if len(expression.items) > _SHORT_LIST else 0
            return max([longest, *(_growth(item) for item in expression.items)])
        case Comprehension(macro=Macro.MAP):
            return _growth(expression.over) + _growth(expression.body)
        case Comprehension():
            return _growth(expression.over)
        case Call():
            return max((_growth(arg) for arg in expression.args), default=0)


def _problem(expression: Comprehension, message: str, label: str) -> RuleProblem:
    return RuleProblem(
        code="C037",
        span=expression.at,
        message=message,
        label=label,
        help="ask one list at a time, or use a lexicon: `domains.under(...)`, `hashes.anyIn(...)`",
    )
