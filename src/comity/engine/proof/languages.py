"""Whether a text exists that matches some trees and not others, and the shortest such text.

Exact for everything that `patterns` reads: each tree is a nondeterministic automaton, simulated for all at once over
one character of each kind that they tell apart. Edges look at the characters on both sides, as RE2 does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from comity.engine.proof.patterns import ALL, Chars, Choice, Edge, Ranges, Repeat, Side, Tree
from comity.engine.proof.patterns import Sequence as Sequence_

MOST_PARTS: Final = 4000
"""States of one tree's automaton; a larger tree is not followed."""

MOST_STATES: Final = 6000
"""States of the product that one search looks at."""

MOST_WORK: Final = 1_500_000
"""Steps that one search takes; what is not settled by then stays open."""

_NICE: Final = "abcdefghijklmnopqrstuvwxyz 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ.,-/:"
_WORD: Final[Ranges] = ((48, 57), (65, 90), (95, 95), (97, 122))
_NEWLINE: Final[Ranges] = ((10, 10),)

_TEXT_EDGE, _NEWLINE_KIND, _WORD_KIND, _OTHER_KIND = 0, 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A tree that the whole text must match, or must not."""

    tree: Tree
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The answer of a search. `text` None and `complete`: there is none, proved."""

    text: str | None
    complete: bool = True


@dataclass(slots=True)
class _Automaton:
    """Thompson's: `free` steps take no character, some only at an edge; state 0 begins."""

    free: list[list[tuple[int, Side | None]]] = field(default_factory=lambda: [[]])
    steps: list[list[tuple[Ranges, int]]] = field(default_factory=lambda: [[]])
    last: int = 0
    has_edges: bool = False

    def state(self) -> int:
        self.free.append([])
        self.steps.append([])
        if len(self.free) > MOST_PARTS:
            raise TooLargeError
        return len(self.free) - 1


class TooLargeError(Exception):
    """A tree has more parts than are followed."""


@lru_cache(maxsize=256)
def _automaton(tree: Tree) -> _Automaton:
    made = _Automaton()
    made.last = _add(made, tree, 0)
    return made


def _add(made: _Automaton, tree: Tree, start: int) -> int:
    """Adds the tree from a state on; the state in which it ends."""
    match tree:
        case Chars(ranges=ranges):
            end = made.state()
            made.steps[start].append((ranges, end))
            return end
        case Edge(side=side):
            end = made.state()
            made.free[start].append((end, side))
            made.has_edges = True
            return end
        case Sequence_(parts=parts):
            for part in parts:
                start = _add(made, part, start)
            return start
        case Choice(options=options):
            end = made.state()
            for option in options:
                first = made.state()
                made.free[start].append((first, None))
                made.free[_add(made, option, first)].append((end, None))
            return end
        case Repeat():
            return _add_repeat(made, tree, start)


def _add_repeat(made: _Automaton, tree: Repeat, start: int) -> int:
    for _ in range(tree.least):
        start = _add(made, tree.part, start)
    if tree.most is None:
        loop = made.state()
        made.free[start].append((loop, None))
        made.free[_add(made, tree.part, loop)].append((loop, None))
        return loop
    end = made.state()
    for _ in range(tree.most - tree.least):
        made.free[start].append((end, None))
        start = _add(made, tree.part, start)
    made.free[start].append((end, None))
    return end


@dataclass(frozen=True, slots=True, kw_only=True)
class _Character:
    """One of a kind that no tree tells apart: `kind` is what edges see in it."""

    text: str
    code: int
    kind: int


_State = tuple[frozenset[int], int]


class _Machine:
    """One tree, made deterministic on the way."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.work = 0
        self._automaton = _automaton(wanted.tree)
        self._known: dict[tuple[_State, int], _State] = {}
        self.first: _State = frozenset({0}), _TEXT_EDGE

    def after(self, state: _State, character: _Character) -> _State:
        known = self._known.get((state, character.code))
        if known is None:
            known = self._known[state, character.code] = self._step(state, character)
        return known

    def accepts(self, state: _State) -> bool:
        return (self._automaton.last in self._closed(state, _TEXT_EDGE)) == self.wanted.holds

    def is_lost(self, state: _State) -> bool:
        """Whether nothing that follows can make it accept."""
        return self.wanted.holds and not state[0]

    def _step(self, state: _State, character: _Character) -> _State:
        reached = {
            end
            for one in self._closed(state, character.kind)
            for ranges, end in self._automaton.steps[one]
            if contains(ranges, character.code)
        }
        return frozenset(reached), character.kind if self._automaton.has_edges else _TEXT_EDGE

    def _closed(self, state: _State, following: int) -> set[int]:
        parts, before = state
        closed, waiting = set(parts), list(parts)
        while waiting:
            for end, side in self._automaton.free[waiting.pop()]:
                if end not in closed and (side is None or _is_at(side, before, following)):
                    closed.add(end)
                    waiting.append(end)
        self.work += len(closed)
        return closed


def _is_at(side: Side, before: int, after: int) -> bool:
    match side:
        case Side.BEGIN:
            return before == _TEXT_EDGE
        case Side.END:
            return after == _TEXT_EDGE
        case Side.LINE_BEGIN:
            return before in (_TEXT_EDGE, _NEWLINE_KIND)
        case Side.LINE_END:
            return after in (_TEXT_EDGE, _NEWLINE_KIND)
        case Side.BOUND:
            return (before == _WORD_KIND) != (after == _WORD_KIND)


def contains(ranges: Ranges, code: int) -> bool:
    """Whether the code point is in one of the ranges."""
    place = bisect_right(ranges, (code, 0x110000)) - 1
    return place >= 0 and code <= ranges[place][1]


class Search:
    """The texts that meet all wishes. Deterministic: the same wishes, the same answers. Raises `TooLargeError`."""

    def __init__(self, wishes: Sequence[Wanted], *, nice: str = "", most: int = MOST_STATES) -> None:
        """`nice`: the characters that texts should rather be made of."""
        self._machines = [_Machine(wanted) for wanted in wishes]
        self._alphabet = _alphabet([wanted.tree for wanted in wishes], nice + _NICE)
        self._most = most
        self._steps = 0

    @property
    def work(self) -> int:
        """How many steps were taken so far."""
        return self._steps + sum(machine.work for machine in self._machines)

    def shortest(self) -> Found:
        """The shortest text, the first in the order of nice characters."""
        return self._search(0)

    def of_length(self, length: int) -> Found:
        """A text of at least that length, if one is found; the shortest of them."""
        return self._search(length)

    def _search(self, least: int) -> Found:
        first = (tuple(machine.first for machine in self._machines), 0)
        came: dict[tuple[tuple[_State, ...], int], tuple[tuple[tuple[_State, ...], int], str] | None] = {first: None}
        waiting = [first]
        for place in waiting:
            self._steps += len(self._alphabet) * len(self._machines)
            states, length = place
            if length >= least and self._accepts(states):
                return Found(text=_word(came, place))
            if len(waiting) > self._most or self.work > MOST_WORK:
                return Found(text=None, complete=False)
            for text, following in self._following(states):
                new = (following, min(length + 1, least))
                if new not in came:
                    came[new] = place, text
                    waiting.append(new)
        return Found(text=None)

    def _accepts(self, states: tuple[_State, ...]) -> bool:
        return all(machine.accepts(state) for machine, state in zip(self._machines, states, strict=True))

    def _following(self, states: tuple[_State, ...]) -> Iterator[tuple[str, tuple[_State, ...]]]:
        for character in self._alphabet:
            following = tuple(m.after(state, character) for m, state in zip(self._machines, states, strict=True))
            if not any(m.is_lost(state) for m, state in zip(self._machines, following, strict=True)):
                yield character.text, following


_Came = dict[tuple[tuple[_State, ...], int], tuple[tuple[tuple[_State, ...], int], str] | None]


def _word(came: _Came, place: tuple[tuple[_State, ...], int]) -> str:
    letters = []
    while (before := came[place]) is not None:
        place, letter = before
        letters.append(letter)
    return "".join(reversed(letters))


def _alphabet(trees: Sequence[Tree], nice: str) -> list[_Character]:
    """One character of each kind, the nicest of its kind, in the order of niceness."""
    told = list(dict.fromkeys([*(ranges for tree in trees for ranges in _ranges(tree)), *_edged(trees)]))
    bounds = sorted({0, *(code for ranges in (*told, ALL) for low, high in ranges for code in (low, high + 1))})
    kinds: dict[tuple[bool, ...], int] = {}
    for code in [*map(ord, nice), *(code for code in bounds if contains(ALL, code))]:
        kinds.setdefault(tuple(contains(ranges, code) for ranges in told), code)
    return [_Character(text=chr(code), code=code, kind=_kind(code)) for code in kinds.values()]


def _edged(trees: Sequence[Tree]) -> tuple[Ranges, ...]:
    return (_WORD, _NEWLINE) if any(_automaton(tree).has_edges for tree in trees) else ()


def _kind(code: int) -> int:
    if code == 10:
        return _NEWLINE_KIND
    return _WORD_KIND if contains(_WORD, code) else _OTHER_KIND


def _ranges(tree: Tree) -> Iterator[Ranges]:
    automaton = _automaton(tree)
    yield from (ranges for steps in automaton.steps for ranges, _ in steps)


def matches(tree: Tree, text: str) -> bool:
    """Whether the whole text matches."""
    machine = _Machine(Wanted(tree=tree, holds=True))
    state = machine.first
    for character in text:
        state = machine.after(state, _Character(text=character, code=ord(character), kind=_kind(ord(character))))
    return machine.accepts(state)
