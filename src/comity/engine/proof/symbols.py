"""The unknowns of a proof: what a message brings and what its windows count, with the facts that bind them.

INVARIANT: every fact holds for every message and its counts; a proof rests on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final

import z3

from comity.engine.proof.sets import classes
from comity.engine.proof.traits import EQUALS, equality
from comity.engine.proof.values import Constant as Fixed
from comity.engine.proof.values import Double, Either, Family, Measure, Subject, Text, Trait, Value
from comity.engine.windows import Counted, Window

_OWN: Final = frozenset({Counted.MESSAGES, Counted.COPIES, Counted.TEXT_COPIES, Counted.TEXT_COPIERS})
"""Counts that include this message whatever it is."""

_EVENTS: Final = frozenset({Counted.BREACHES, Counted.NOTICES})
_OF_VALUE: Final = frozenset({Counted.SAME, Counted.AUTHORS_SAME})
_WITHIN: Final = (
    (Counted.COPIES, Counted.MESSAGES),
    (Counted.COPIES, Counted.TEXT_COPIES),
    (Counted.TEXT_COPIERS, Counted.TEXT_COPIES),
    (Counted.SAME, Counted.MESSAGES),
)
"""Of what else a count is a part."""


class Symbols:
    """All unknowns of one proof, in a context of its own: what was proved before changes nothing."""

    def __init__(self) -> None:
        self.context = z3.Context()
        self.facts: list[z3.BoolRef] = []
        self.subjects: dict[str, Subject] = {}
        self.windows: dict[Window, z3.ArithRef] = {}
        self.numbers: dict[str, z3.ArithRef] = {}
        self.truths: dict[str, z3.BoolRef] = {}
        self.shares: dict[int, tuple[z3.ArithRef, z3.ArithRef, z3.ArithRef]] = {}
        self._lexicons: dict[tuple[str, ...], int] = {}

    def true(self, value: bool) -> z3.BoolRef:  # noqa: FBT001 (reads as a word)
        return z3.BoolVal(value, self.context)

    def whole(self, value: int) -> z3.ArithRef:
        return z3.IntVal(value, self.context)

    def all(self, parts: Iterable[z3.BoolRef]) -> z3.BoolRef:
        return z3.And(self.true(True), *parts)

    def any(self, parts: Iterable[z3.BoolRef]) -> z3.BoolRef:
        return z3.Or(self.true(False), *parts)

    def truth(self, name: str) -> z3.BoolRef:
        """The unknown truth of that name."""
        if name not in self.truths:
            self.truths[name] = z3.Bool(name, self.context)
        return self.truths[name]

    def number(self, name: str, low: int | None = None, high: int | None = None) -> z3.ArithRef:
        """The unknown whole number of that name, within bounds that it is known to have."""
        if name not in self.numbers:
            made = self.numbers[name] = z3.Int(name, self.context)
            self.facts += [made >= low] if low is not None else []
            self.facts += [made <= high] if high is not None else []
        return self.numbers[name]

    def double(self, name: str, *, is_finite: bool = False, may_be_undefined: bool = True) -> Double:
        """The unknown double of that name."""
        if name not in self.numbers:
            self.numbers[name] = z3.Real(name, self.context)
        undefined = self.truth(f"undefined {name}") if may_be_undefined else self.true(False)
        return Double(value=self.numbers[name], undefined=undefined, is_finite=is_finite)

    def constant(self, value: float) -> Double:
        exact = Fraction(value)
        made = z3.RatVal(exact.numerator, exact.denominator, self.context)
        return Double(value=made, undefined=self.true(False), is_finite=True)

    def subject(self, key: str) -> Subject:
        """The message's text of that key: a variable, `meta.KEY`, a list's entry, or a name of its own."""
        return self.subjects.setdefault(key, Subject(key=key))

    def lexicon(self, entries: tuple[str, ...]) -> str:
        """A name for the entries, the same for the same entries."""
        return f"lexicon {self._lexicons.setdefault(entries, len(self._lexicons))}"

    def window(self, window: Window) -> z3.ArithRef:
        """What the window counts."""
        if window not in self.windows:
            name = f"window {window!r}"
            made = z3.Real(name, self.context) if window.counted is Counted.TOTAL else z3.Int(name, self.context)
            self.windows[window] = made
            self.facts += list(self._facts_of(window, made))
        return self.windows[window]

    def _facts_of(self, window: Window, count: z3.ArithRef) -> Iterator[z3.BoolRef]:
        if window.counted is not Counted.TOTAL:
            yield count >= (1 if window.counted in _OWN else 0)
        if window.counted in _OF_VALUE:
            given = self.trait(self.subject(f"meta.{window.key}"), equality(""))
            yield (count >= 1) == z3.Not(given)
        for other, its in self.windows.items():
            if other is not window:
                yield from _between(window, count, other, its)
                yield from _between(other, its, window, count)

    def trait(self, text: Text, trait: Trait) -> z3.BoolRef:
        """Whether a text has a trait."""
        match text:
            case Fixed():
                return self.true(trait.of(text.text))
            case Either():
                return z3.If(text.when, self.trait(text.then, trait), self.trait(text.other, trait))
            case Subject():
                if trait.name not in text.traits:
                    text.traits[trait.name] = trait, self.truth(f"{text.key}: {trait.name}")
                return text.traits[trait.name][1]

    def measure(self, text: Text, measure: Measure) -> z3.ArithRef:
        """A measure of a text."""
        match text:
            case Fixed():
                return self._measured(measure, text.text)
            case Either():
                return z3.If(text.when, self.measure(text.then, measure), self.measure(text.other, measure))
            case Subject():
                if measure.name not in text.measures:
                    name = f"{text.key}: {measure.name}"
                    made = self.number(name, 0) if measure.is_whole else self.double(name, may_be_undefined=False).value
                    text.measures[measure.name] = measure, made
                return text.measures[measure.name][1]

    def _measured(self, measure: Measure, text: str) -> z3.ArithRef:
        value = measure.of(text)
        return self.whole(int(value)) if measure.is_whole else self.constant(value).value

    def close(self) -> None:
        """Adds what is known between the traits of each subject. Called once, after all rules are read."""
        for subject in tuple(self.subjects.values()):
            self.facts += list(self._of_subject(subject))

    def _of_subject(self, subject: Subject) -> Iterator[z3.BoolRef]:
        equal = {name: term for name, (_, term) in subject.traits.items() if name.startswith(EQUALS)}
        if len(equal) > 1:
            yield z3.AtMost(*equal.values(), 1)
        for name, term in equal.items():
            text = name.removeprefix(EQUALS)
            for trait, has in subject.traits.values():
                if trait.name != name:
                    yield z3.Implies(term, has == self.true(trait.of(text)))
            for measure, value in subject.measures.values():
                yield z3.Implies(term, value == self._measured(measure, text))
        yield from self._of_measures(subject)
        for family in Family:
            yield from self._of_family(subject, family)

    def _of_measures(self, subject: Subject) -> Iterator[z3.BoolRef]:
        """What binds the size, the longest run and the share of capitals."""
        known = {name: term for name, (_, term) in subject.measures.items()}
        if "repeats" in known and "size" in known:
            yield z3.And(known["repeats"] <= known["size"], (known["repeats"] == 0) == (known["size"] == 0))
        if "capitals" in known:
            yield z3.And(known["capitals"] >= 0, known["capitals"] <= 1)
        if "capitals" in known and "size" in known:
            yield z3.Implies(known["size"] == 0, known["capitals"] == 0)

    def _of_family(self, subject: Subject, family: Family) -> Iterator[z3.BoolRef]:
        sets = [(trait.members, term) for trait, term in subject.traits.values() if trait.family is family]
        if not sets:
            return
        found = classes(family, [members for members, _ in sets])
        has = {each.members: self.truth(f"{subject.key}: {family} {n}") for n, each in enumerate(found)}
        subject.families[family] = has
        for number, (_, term) in enumerate(sets):
            yield term == self.any(has[each.members] for each in found if number in each.within)
        for each in found:
            yield from (z3.Implies(has[each.members], sets[number][1]) for number in each.implies)
        if "size" in subject.measures and family is Family.PHRASES:
            yield z3.Implies(self.any(has.values()), subject.measures["size"][1] >= 1)
        if family is Family.EXACT and len(has) > 1:
            yield z3.AtMost(*has.values(), 1)


def _between(less: Window, fewer: z3.ArithRef, more: Window, others: z3.ArithRef) -> Iterator[z3.BoolRef]:
    """What is known of a count that is a part of another."""
    if less.counted is Counted.TOTAL or less.within > more.within:
        return
    same_key = (less.key, less.besides) == (more.key, more.besides)
    part_of_all = less.counted in _EVENTS and less.key != "" == more.key and more.besides != less.key
    is_part = (less.counted, more.counted) in _WITHIN
    if (less.counted is more.counted and (same_key or part_of_all)) or is_part:
        yield fewer <= others


def key_of(value: Value) -> str:
    """A name for a value: equal names, equal values."""
    match value:
        case Fixed() | Subject() | Either():
            return value.key
        case Double():
            return f"#{value.value.get_id()} {value.undefined.get_id()}"
        case term:
            return f"#{term.get_id()}"
