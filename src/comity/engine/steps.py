"""A rule as a tree that can be evaluated node by node: what evidence and explanations walk.

Each node runs the same code that the plan's one function runs, so an explanation cannot say something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from comity.engine.compile import Compiler, chain
from comity.engine.passages import Search, search_of
from comity.engine.reading import Reading
from comity.model.clause import Rule
from comity.model.expression import Call, Comprehension, Expression, ListOf, Literal, Variable
from comity.model.ids import ClauseId

Bound = tuple[object, ...]
"""The values of the enclosing comprehensions' variables, outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One node: its words in the rule, what it comes to, and the nodes below. A chain of `&&` is one node."""

    expression: Expression
    words: str
    value: Callable[..., object]  # of a Reading and the bound values
    below: tuple[Step, ...]
    search: Search | None  # of a call that searches a field of the message

    def of(self, reading: Reading, bound: Bound = ()) -> object:
        return self.value(reading, *bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes trees for the rules of one plan, with the plan's own code and names."""

    compiler: Compiler
    namespace: dict[str, object]

    def steps(self, rule: Rule, own: ClauseId) -> Step:
        """The tree of the rule of the clause `own`."""
        return self._step(rule.expression, rule.source, own, ())

    def _step(self, expression: Expression, source: str, own: ClauseId, variables: tuple[str, ...]) -> Step:
        inner = (*variables, expression.variable) if isinstance(expression, Comprehension) else variables
        words = source[expression.at.start : expression.at.end]
        return Step(
            expression=expression,
            words=words,
            value=self._function(expression, own, variables),
            below=tuple(
                self._step(part, source, own, inner if is_inside else variables)
                for part, is_inside in _parts(expression)
            ),
            search=search_of(expression, words),
        )

    def _function(self, expression: Expression, own: ClauseId, variables: tuple[str, ...]) -> Callable[..., object]:
        parameters = ", ".join(["f", *(f"x_{variable}" for variable in variables)])
        code = self.compiler.code(expression, own).text
        made: Callable[..., object] = eval(f"lambda {parameters}: {code}", self.namespace)  # noqa: S307
        return made


def _parts(expression: Expression) -> Iterator[tuple[Expression, bool]]:
    """The nodes below, and whether they stand inside the comprehension."""
    match expression:
        case Call(function="_&&_" | "_||_" as function):
            yield from ((operand, False) for operand in chain(expression, function))
        case Call(args=args) | ListOf(items=args):
            yield from ((argument, False) for argument in args)
        case Comprehension(over=over, body=body, where=where):
            yield over, False
            if where is not None:
                yield where, True
            yield body, True
        case Literal() | Variable():
            return
