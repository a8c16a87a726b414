"""What the parts of a rule become for the solver: truths and numbers of Z3, and texts and lists of our own.

A text is a constant, a *subject* (a text of the message that nothing is known of but its traits) or a choice between
texts. A trait is what one text alone decides: that it matches a pattern, or says a phrase; a measure is its size.
Lists are known by what exists in them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import z3

from comity.engine.proof.patterns import Tree
from comity.model.expression import Expression
from comity.model.ids import ClauseId


class Family(StrEnum):
    """Traits of having one member of a set: what implies what is found out for all sets of a subject."""

    PHRASES = "phrases"
    PARENTS = "parents"  # domains, of which it is one or below one
    EXACT = "exact"


Members = frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """`name` tells traits apart; `tree` are the texts that have it; `of` decides it for one text."""

    name: str
    of: Callable[[str], bool]
    tree: Tree | None = None
    family: Family | None = None
    members: Members = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number that one text alone decides."""

    name: str
    of: Callable[[str], int | float]
    is_whole: bool


@dataclass(slots=True, eq=False, kw_only=True)
class Subject:
    """A text of the message. `traits` and `measures` are those that the rules ask for, with the solver's terms."""

    key: str
    traits: dict[str, tuple[Trait, z3.BoolRef]] = field(default_factory=dict)
    measures: dict[str, tuple[Measure, z3.ArithRef]] = field(default_factory=dict)
    families: dict[Family, dict[Members, z3.BoolRef]] = field(default_factory=dict)
    """Classes of members that the same sets have, each with the truth of having one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A text that the rule itself spells out."""

    text: str

    @property
    def key(self) -> str:
        return repr(self.text)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Either:
    """One text or another."""

    when: z3.BoolRef
    then: Text
    other: Text

    @property
    def key(self) -> str:
        return f"({self.when.get_id()} ? {self.then.key} : {self.other.key})"


Text = Constant | Subject | Either


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Double:
    """An IEEE number as a real one. `undefined`: it is no number (NaN); `is_finite`: it is never infinite or NaN.

    Infinite numbers are real numbers larger than all others: nothing here but comparing and negating is done to them.
    """

    value: z3.ArithRef
    undefined: z3.BoolRef
    is_finite: bool


Value = z3.BoolRef | z3.ArithRef | Double | Text
"""A truth, a whole number (durations and times in microseconds), a double or a text."""

Bound = dict[str, Value]
"""What the variables of the enclosing comprehensions stand for."""

Test = Callable[[Value], z3.BoolRef]


class Entries(Protocol):
    """A list. `exists` has a name for the test: equal names, equal tests."""

    @property
    def size(self) -> z3.ArithRef: ...

    def exists(self, name: str, test: Test) -> z3.BoolRef: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Where a rule stands: its clause, and the entries of the lexicons that it may name."""

    own: ClauseId
    lexicons: dict[str, tuple[str, ...]]


class Reads(Protocol):
    """Expressions to values, for the parts of the encoding that call each other."""

    def truth(self, expression: Expression, bound: Bound) -> z3.BoolRef: ...
    def number(self, expression: Expression, bound: Bound) -> z3.ArithRef: ...
    def double(self, expression: Expression, bound: Bound) -> Double: ...
    def text(self, expression: Expression, bound: Bound) -> Text: ...
    def entries(self, expression: Expression, bound: Bound) -> Entries | None: ...
    def value(self, expression: Expression, bound: Bound) -> Value | None: ...
    def name(self, expression: Expression, bound: Bound) -> str: ...
