"""Rules that differ in their numbers alone: the loosest of them holds wherever one of them does, so it is asked first.

Of sixty rules `links.size() > N && author.age < days(M)` most messages are asked one, with the least N and the most M.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from operator import itemgetter
from typing import Final

from comity.engine.leaves import plain
from comity.engine.windows import windows
from comity.model.clause import Clause, Rule
from comity.model.expression import Call, Comprehension, Expression, Literal, Variable, parts
from comity.model.ids import ClauseId

_LOOSEST: Final = {"_>_": min, "_>=_": min, "_<_": max, "_<=_": max}
"""Of several limits the one that most values keep."""


def alike(numbers: Iterable[int], rules: Sequence[tuple[Clause, Rule]]) -> Iterator[list[int]]:
    """The numbers of rules, in their order, together with those of rules that differ in their numbers alone."""
    groups: dict[Hashable, list[int]] = {}
    for number in numbers:
        clause, rule = rules[number]
        groups.setdefault(_shape(rule.expression, clause.id), []).append(number)
    yield from groups.values()


def loosest(expressions: Iterable[Expression]) -> Expression:
    """Of the rules of one group of `alike`: what holds wherever one of them does."""
    return reduce(_looser, expressions)


def _shape(expression: Expression, own: ClauseId) -> Hashable:
    """Windows are part of it: some are about the clause that asks."""
    return _without_limits(expression), tuple(windows(expression, own))


def _without_limits(expression: Expression) -> Hashable:
    match expression:
        case Call(function="_&&_" | "_||_" as function, args=args):
            return function, *map(_without_limits, args)
        case Call(function=function, overload=overload, args=(left, right)) if (
            function in _LOOSEST and _limit(right) is not None
        ):
            return function, overload, _without_place(left)
        case _:
            return _without_place(expression)


def _without_place(expression: Expression) -> Hashable:
    below = tuple(map(_without_place, parts(expression)))
    match expression:
        case Literal(type=kind, value=value):
            return kind, repr(value)
        case Variable(name=name, bound=is_bound):
            return name, is_bound
        case Call(function=function, overload=overload):
            return function, overload, below
        case Comprehension(macro=macro, variable=variable):
            return macro, variable, below
        case _:
            return below


def _looser(one: Expression, other: Expression) -> Expression:
    match one, other:
        case Call(function="_&&_" | "_||_"), Call():
            return replace(one, args=tuple(map(_looser, one.args, other.args)))
        case Call(function=function, args=(_, limit)), Call(args=(_, others)) if function in _LOOSEST:
            pairs = (_limit(limit) or 0, one), (_limit(others) or 0, other)
            return _LOOSEST[function](pairs, key=itemgetter(0))[1]
        case _:
            return one


def _limit(expression: Expression) -> int | float | None:
    """The constant that a value is compared with."""
    match expression:
        case Literal(value=int() | float() | timedelta() | datetime() as value):
            return plain(value)
        case _:
            return None
