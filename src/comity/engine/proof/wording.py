"""A text for a subject: one that has the traits which the solver chose, or the proof that there is none.

The proof is over trees alone and exact. For phrases, sizes, capitals and runs a text is composed by hope; whether it
does what it should is for the engine to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import z3

from comity.engine.proof.hints import hints
from comity.engine.proof.languages import Search, TooLargeError, Wanted
from comity.engine.proof.patterns import ANY, Chars, Repeat, anywhere
from comity.engine.proof.values import Subject

LONGEST_SEARCHED: Final = 400
"""Characters up to which a text of a wanted size is searched for; longer ones are padded."""

_MOST_MINIMISED: Final = 12
_CAPITALS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FILLING: Final = "so it goes on and on with a word or two "
_LONGEST: Final = 200_000
_MOST_LETTERS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Worded:
    """A text, or lemmas that rule out what the solver chose. `work` is what the search took."""

    text: str = ""
    lemmas: tuple[z3.BoolRef, ...] = ()
    work: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    wanted: Wanted
    term: z3.BoolRef  # true in the solver's choice


def worded(subject: Subject, model: z3.ModelRef) -> Worded:
    """A text for the subject as the model has it."""
    try:
        return _Wording(subject, model).worded()
    except TooLargeError:
        return Worded()


@dataclass(slots=True)
class _Wording:
    subject: Subject
    model: z3.ModelRef
    work: int = 0
    wishes: list[_Wish] = field(init=False)

    def __post_init__(self) -> None:
        self.wishes = []
        for trait, term in self.subject.traits.values():
            if trait.tree is not None:
                holds = self._is_true(term)
                wanted = Wanted(tree=trait.tree, holds=holds)
                self.wishes.append(_Wish(wanted=wanted, term=term if holds else z3.Not(term)))

    def worded(self) -> Worded:
        shortest, complete = self._search(self.wishes)
        if shortest is None:
            lemmas = (_never(self._core()),) if complete else ()
            return Worded(lemmas=lemmas, work=self.work)
        size = self._size()
        lemma = None if size is None else self._lemma_of_size(len(shortest), size)
        if lemma is not None:
            return Worded(lemmas=(lemma,), work=self.work)
        made = min(self._variants(shortest, size), key=self._distance)
        return Worded(text=made, work=self.work)

    def _is_true(self, term: z3.ExprRef) -> bool:
        return z3.is_true(self.model.eval(term, model_completion=True))

    def _search(
        self, wishes: Sequence[_Wish], *, hints: Sequence[Wanted] = (), nice: str = "", least: int = 0
    ) -> tuple[str | None, bool]:
        search = Search([*(wish.wanted for wish in wishes), *hints], nice=nice)
        found = search.of_length(least)
        self.work += search.work
        return found.text, found.complete

    def _core(self) -> list[_Wish]:
        """Wishes that no text meets, none of them to spare."""
        core = list(self.wishes)
        for wish in self.wishes if len(core) <= _MOST_MINIMISED else ():
            fewer = [each for each in core if each is not wish]
            if self._search(fewer) == (None, True):
                core = fewer
        return core

    def _size(self) -> int | None:
        return self._value("size").as_long() if "size" in self.subject.measures else None

    def _value(self, measure: str) -> z3.ExprRef:
        return self.model.eval(self.subject.measures[measure][1], model_completion=True)

    def _lemma_of_size(self, shortest: int, size: int) -> z3.BoolRef | None:
        """What the wishes say of the size, if the solver's is not possible."""
        term, met = self.subject.measures["size"][1], [wish.term for wish in self.wishes]
        if size < shortest:
            return z3.Or(term >= shortest, *map(z3.Not, met))
        if size > LONGEST_SEARCHED or not met:
            return None
        longer, complete = self._search(self.wishes, least=size)
        if longer is None:
            return z3.Or(term < size, *map(z3.Not, met)) if complete else None
        if len(longer) != size and self._search(self.wishes, hints=[_of_size(size)]) == (None, True):
            return z3.Or(term != size, *map(z3.Not, met))
        return None

    def _variants(self, shortest: str, size: int | None) -> Iterator[str]:
        yield shortest
        if "number" in self.subject.measures:
            yield _decimal(self._value("number"))
        sized = [_of_size(size)] if size is not None and size <= LONGEST_SEARCHED else []
        hinted = [*hints(self.subject, self._is_true), *self._runs()]
        for nice in ("", _CAPITALS):
            for wanted in ((*hinted, *sized), hinted, sized):
                text, _ = self._search(self.wishes, hints=wanted, nice=nice)
                if text is not None:
                    yield from self._finished(text, size)

    def _finished(self, text: str, size: int | None) -> Iterator[str]:
        yield text
        yield text.upper()
        if size is not None and len(text) < size <= _LONGEST:
            missing = size - len(text)
            for filling in (_FILLING, _FILLING.upper()):
                padding = (filling * (missing // len(filling) + 1))[:missing]
                yield from (text + padding, padding + text, text + padding[::-1], padding[::-1] + text)
        if "capitals" in self.subject.measures:
            yield from self._capitalised(text if size is not None else f"{text} {_FILLING}")

    def _capitalised(self, text: str) -> Iterator[str]:
        share = _fraction(self._value("capitals"))
        plain = share.limit_denominator(_MOST_LETTERS)
        yield "A" * plain.numerator + "a" * (plain.denominator - plain.numerator)
        letters = [place for place, character in enumerate(text) if character.isalpha()]
        for more in (0, 1):
            large = set(letters[: int(share * len(letters)) + more])
            yield "".join(c.upper() if place in large else c.lower() for place, c in enumerate(text))

    def _runs(self) -> Iterator[Wanted]:
        if "repeats" not in self.subject.measures:
            return
        run = self._value("repeats").as_long()
        if 1 <= run <= LONGEST_SEARCHED:
            yield Wanted(tree=anywhere(Repeat(Chars(((97, 97),)), run, run)), holds=True)

    def _distance(self, text: str) -> tuple[int, Fraction]:
        """How many traits are not as chosen, and by how much numbers differ."""
        wrong = sum(trait.of(text) != self._is_true(term) for trait, term in self.subject.traits.values())
        measures = self.subject.measures.values()
        return wrong, sum(
            (abs(Fraction(measure.of(text)) - _fraction(self._value(measure.name))) for measure, _ in measures),
            Fraction(0),
        )


def _never(wishes: Sequence[_Wish]) -> z3.BoolRef:
    return z3.Or(*(z3.Not(wish.term) for wish in wishes))


def _of_size(size: int) -> Wanted:
    return Wanted(tree=Repeat(ANY, size, size), holds=True)


def _fraction(value: z3.ExprRef) -> Fraction:
    if z3.is_int_value(value):
        return Fraction(value.as_long())
    return (
        Fraction(value.numerator_as_long(), value.denominator_as_long()) if z3.is_rational_value(value) else Fraction(0)
    )


def _decimal(value: z3.ExprRef) -> str:
    exact = _fraction(value)
    try:
        return repr(float(exact)) if exact else ""
    except OverflowError:
        return ""
