"""Why a message breaches a clause, or does not: the rule's tree with the value of every node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from comity.engine.evidence import show
from comity.engine.plan import Plan
from comity.engine.reading import Reading
from comity.engine.steps import Bound, Step
from comity.engine.windows import Window
from comity.model.expression import Comprehension, Literal
from comity.model.finding import Value
from comity.model.ids import ClauseId
from comity.model.message import Message

_MOST_ELEMENTS: Final = 5
_CUT: Final = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A part of the rule, in its own words, and what it came to. `below` are its parts that are no constants."""

    words: str
    value: str
    below: tuple[Explained, ...]

    def drawn(self) -> str:
        """The tree as lines of text, two spaces a level."""
        return "\n".join(self._lines(0))

    def values(self) -> Iterator[Value]:
        """Every part below, inner ones after the one that they are in."""
        for part in self.below:
            yield Value(expression=part.words, value=part.value)
            yield from part.values()

    def _lines(self, level: int) -> Iterator[str]:
        yield f"{'  ' * level}{' '.join(self.words.split())} = {self.value}"
        for part in self.below:
            yield from part._lines(level + 1)


def explain(plan: Plan, clause: ClauseId, message: Message, counts: Mapping[Window, int | float]) -> Explained | None:
    """The rule's tree for this message; None if the clause has no rule. `KeyError` without such a clause."""
    step = plan.step(clause)
    return _explained(step, plan.read(message, counts), ()) if step else None


def _explained(step: Step, reading: Reading, bound: Bound) -> Explained:
    return Explained(words=step.words, value=show(step.of(reading, bound)), below=tuple(_below(step, reading, bound)))


def _below(step: Step, reading: Reading, bound: Bound) -> Iterator[Explained]:
    if not isinstance(step.expression, Comprehension):
        parts = (part for part in step.below if not isinstance(part.expression, Literal))
        yield from (_explained(part, reading, bound) for part in parts)
        return
    over, *inner = step.below
    yield _explained(over, reading, bound)
    elements = over.of(reading, bound)
    assert isinstance(elements, tuple | Mapping)
    for element in islice(elements, _MOST_ELEMENTS):
        yield Explained(
            words=step.expression.variable,
            value=show(element),
            below=tuple(_explained(part, reading, (*bound, element)) for part in inner),
        )
    if len(elements) > _MOST_ELEMENTS:
        yield Explained(words=step.expression.variable, value=f"{_CUT} {len(elements) - _MOST_ELEMENTS} more", below=())
