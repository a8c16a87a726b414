"""The solver, asked within bounds that do not depend on the machine, and made to choose what is easy to read.

Effort is counted in Z3's own resource units and in steps of our searches, never in time, so the same two agreements
give the same answer everywhere (with the same version of Z3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import z3

from comity.engine.examples import SENT
from comity.engine.proof.numbers import DAY, EPOCH, MICRO
from comity.engine.proof.symbols import Symbols
from comity.engine.reading import UNKNOWN_AGE

EFFORT_OF_ONE_QUESTION: Final = 1_000_000
"""Z3's resource units (`rlimit`): about a second at most."""

MOST_SETTLED: Final = 80
"""Unknowns that are given easy values; the others keep what the solver chose."""

_LEAST_SPENT: Final = 500  # for asking at all
_HALVINGS: Final = 64


@dataclass(slots=True, kw_only=True)
class Effort:
    """What may still be spent, over all proofs of one comparison."""

    left: int

    def spend(self, units: int) -> None:
        self.left -= units

    @property
    def is_spent(self) -> bool:
        return self.left <= 0


class Solver:
    """Z3 with the facts of one proof."""

    def __init__(self, symbols: Symbols, effort: Effort) -> None:
        self._symbols = symbols
        self._effort = effort
        self._solver = z3.SolverFor("QF_LIRA", ctx=symbols.context)
        self._solver.set("rlimit", EFFORT_OF_ONE_QUESTION)
        self._spent = 0
        self._solver.add(*symbols.facts)

    def add(self, *truths: z3.BoolRef) -> None:
        self._solver.add(*truths)

    def ask(self, *assumed: z3.BoolRef) -> bool | None:
        """Whether all can hold; None if that takes too much."""
        if self._effort.is_spent:
            return None
        answer = self._solver.check(*assumed)
        total = next((int(units) for name, units in self._solver.statistics() if name == "rlimit count"), 0)
        self._effort.spend(max(total - self._spent, _LEAST_SPENT))
        self._spent = total
        return None if answer == z3.unknown else bool(answer == z3.sat)

    def settled(self) -> z3.ModelRef | None:
        """A choice that makes all true, with easy values where they can be had; None if there is none to be had."""
        if not self.ask():
            return None
        model = self._solver.model()
        self._solver.push()
        for term, wishes in tuple(self._preferences())[:MOST_SETTLED]:
            model = self._prefer(term, wishes, model)
        self._solver.pop()
        return model

    def _prefer(self, term: z3.ExprRef, wishes: Sequence[z3.ExprRef], model: z3.ModelRef) -> z3.ModelRef:
        for wish in wishes:
            if z3.is_true(model.eval(term == wish, model_completion=True)):
                self._solver.add(term == wish)
                return model
            if self.ask(term == wish):
                model = self._solver.model()
                self._solver.add(term == wish)
                return model
        if isinstance(term, z3.ArithRef) and z3.is_int(term):
            model = self._least(term, model)
            self._solver.add(term == model.eval(term, model_completion=True))
        return model

    def _least(self, term: z3.ArithRef, model: z3.ModelRef) -> z3.ModelRef:
        """A choice with the least value of the term that is not below zero."""
        low, high = 0, model.eval(term, model_completion=True).as_long()
        for _ in range(_HALVINGS):
            if low >= high:
                break
            middle = (low + high) // 2
            if self.ask(term >= 0, term <= middle):
                model = self._solver.model()
                high = model.eval(term, model_completion=True).as_long()
            else:
                low = middle + 1
        return model

    def _preferences(self) -> Iterator[tuple[z3.ExprRef, list[z3.ExprRef]]]:
        symbols = self._symbols
        for name, truth in symbols.truths.items():
            yield truth, [symbols.true(name.startswith("channel: "))]
        for name, number in symbols.numbers.items():
            roomy = name.endswith(": size") and name.removesuffix("size") + "capitals" in symbols.numbers
            easy = (0, 40, 200) if roomy else _easy(name)
            yield number, [self._constant(number, value) for value in easy]
        for count in symbols.windows.values():
            yield count, [self._constant(count, value) for value in (1, 0)]

    def _constant(self, term: z3.ArithRef, value: int | Fraction) -> z3.ArithRef:
        if z3.is_int(term):
            return self._symbols.whole(int(value))
        exact = Fraction(value)
        return z3.RatVal(exact.numerator, exact.denominator, self._symbols.context)


def _easy(name: str) -> tuple[int | Fraction, ...]:
    match name:
        case "sent":
            return ((SENT - EPOCH) // MICRO,)
        case "author.age":
            return UNKNOWN_AGE // MICRO, 365 * DAY, 30 * DAY, DAY, DAY // 24, 0
        case _ if name.endswith("capitals"):
            return 0, 1, Fraction(1, 2), Fraction(3, 4), Fraction(1, 4)
        case _:
            return 0, 1
