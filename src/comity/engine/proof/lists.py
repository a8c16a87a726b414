"""Lists by what exists in them. A list of the message is unknown but for this: where a test holds of something in it,
an entry of its own stands for that; where it does not, it holds of none of the entries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import z3

from comity.engine.proof.symbols import Symbols
from comity.engine.proof.values import Entries, Subject, Test, Value

MOST_TESTS: Final = 48
"""Tests over all lists that get an entry of their own; what is asked beyond is left open."""

IS: Final = "is "
"""What the names of tests for one very text begin with."""


@dataclass(slots=True, eq=False, kw_only=True)
class Listed:
    """A list of the message. `tests` pairs each truth with its test; `slots` are the entries that may be in it.

    Both go by the names of the tests.
    """

    symbols: Symbols
    key: str
    tests: dict[str, tuple[z3.BoolRef, Test]] = field(default_factory=dict)
    slots: dict[str, tuple[z3.BoolRef, Subject]] = field(default_factory=dict)

    @property
    def size(self) -> z3.ArithRef:
        return self.symbols.number(f"size of {self.key}", 0)

    def exists(self, name: str, test: Test) -> z3.BoolRef:
        if name not in self.tests:
            self.tests[name] = self.symbols.truth(f"in {self.key}: {name}"), test
        return self.tests[name][0]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Spelled:
    """A list that the rule spells out."""

    symbols: Symbols
    items: Sequence[Value]

    @property
    def size(self) -> z3.ArithRef:
        return self.symbols.whole(len(self.items))

    def exists(self, name: str, test: Test) -> z3.BoolRef:
        del name
        return self.symbols.any(test(item) for item in self.items)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Joined:
    """Two lists, one after the other."""

    symbols: Symbols
    first: Entries
    last: Entries

    @property
    def size(self) -> z3.ArithRef:
        return self.first.size + self.last.size

    def exists(self, name: str, test: Test) -> z3.BoolRef:
        return self.symbols.any((self.first.exists(name, test), self.last.exists(name, test)))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Filtered:
    """The entries of a list that pass a test. `key` names the list and the test."""

    symbols: Symbols
    over: Entries
    key: str
    passes: Test

    @property
    def size(self) -> z3.ArithRef:
        made = self.symbols.number(f"size of {self.key}", 0)
        self.symbols.facts += [made <= self.over.size, (made > 0) == self.over.exists(self.key, self.passes)]
        return made

    def exists(self, name: str, test: Test) -> z3.BoolRef:
        return self.over.exists(f"{self.key} and {name}", lambda entry: z3.And(self.passes(entry), test(entry)))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Mapped:
    """What becomes of each entry. `made` is None for what is not followed."""

    over: Entries
    key: str
    made: Callable[[Value], Value]

    @property
    def size(self) -> z3.ArithRef:
        return self.over.size

    def exists(self, name: str, test: Test) -> z3.BoolRef:
        return self.over.exists(f"{self.key} so that {name}", lambda entry: test(self.made(entry)))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EitherList:
    """One list or another."""

    when: z3.BoolRef
    then: Entries
    other: Entries

    @property
    def size(self) -> z3.ArithRef:
        return z3.If(self.when, self.then.size, self.other.size)

    def exists(self, name: str, test: Test) -> z3.BoolRef:
        return z3.If(self.when, self.then.exists(name, test), self.other.exists(name, test))


def close(symbols: Symbols, lists: dict[str, Listed]) -> None:
    """Gives each test its entry and says what holds of all entries. Tests that this brings up get theirs too."""
    done = 0
    asked: dict[tuple[str, str], None] = {}
    while pending := [(each, name) for each in lists.values() for name in each.tests if (each.key, name) not in asked]:
        for each, name in pending:
            asked[each.key, name] = None
            done += 1
            if done <= MOST_TESTS:
                _give_entry(symbols, each, name)
    for each in lists.values():
        symbols.facts += [_has_room(symbols, each)]


def _give_entry(symbols: Symbols, listed: Listed, name: str) -> None:
    number = len(listed.slots)
    entry = symbols.subject(f"{listed.key}[{number}]")
    present = symbols.truth(f"{listed.key}[{number}] is there")
    earlier = tuple(listed.slots.values())
    listed.slots[name] = present, entry
    truth, test = listed.tests[name]
    symbols.facts.append(z3.Implies(truth, z3.And(present, test(entry))))
    symbols.facts.append(z3.Implies(present, listed.size >= 1))
    for slot, other in earlier:
        symbols.facts.append(z3.Implies(z3.And(slot, test(other)), truth))
    for known, tested in tuple(listed.tests.values()):
        symbols.facts.append(z3.Implies(z3.And(present, tested(entry)), known))


def _has_room(symbols: Symbols, listed: Listed) -> z3.BoolRef:
    """Different texts that are in the list are different entries."""
    texts = [truth for name, (truth, _) in listed.tests.items() if name.startswith(IS)]
    if len(texts) < 2:
        return symbols.true(True)
    return z3.Sum(*(z3.If(truth, symbols.whole(1), symbols.whole(0)) for truth in texts)) <= listed.size
