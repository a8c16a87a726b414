"""The bound on what a rule may cost, whatever the message: an estimate of its turns, and of what it builds.

A turn is about as long as comparing two short strings. Loops multiply turns: a list of the message counts as a
thousand entries, one that is written out as its own. What reads the whole text takes as long as many turns.

INVARIANT: what does not depend on a loop is asked once (`engine.compile` sees to it), so it is counted once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from comity.agreement.rule_problem import RuleProblem
from comity.model.expression import Call, Comprehension, Expression, ListOf, Literal, Macro, Type, Variable, parts

MOST_TURNS: Final = 10_000_000
MOST_WRITTEN: Final = 10_000
"""Turns of loops over lists that are written out: they are taken for every message, not for a hostile one alone."""
MOST_COPIES: Final = 10
"""How many times as large as the message what a rule builds may be."""

_ENTRIES: Final = 1_000
_READ: Final = 10_000  # to look through the whole text, or to copy it
_SEARCHED: Final = 1_000_000  # to fold it, or to match a pattern
_LARGEST: Final = 1 << 20  # characters of a message
_OF_A_VALUE: Final = 1 / 128  # of it has a value of `meta`
_SEARCHES: Final = frozenset({"matches", "says", "saysAny", "capitals", "repeats"})
_SMALL: Final = frozenset({"channel", "language", "edit_of"})
_SIZED: Final = frozenset({Type.STRING, Type.BYTES, Type.LIST, Type.MAP})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loops:
    """The loops around an expression. `shares`: how much of the message each of their variables may be."""

    turns: int = 1
    written: int = 1
    shares: dict[str, float] = field(default_factory=dict)

    def inside(self, loop: Comprehension) -> _Loops:
        entries = _entries(loop.over)
        return _Loops(
            turns=self.turns * entries,
            written=self.written * max(_written(loop.over), 1),
            shares={**self.shares, loop.variable: _copies(loop.over, self.shares) / max(entries, 1)},
        )


def check_cost(expression: Expression) -> Iterator[RuleProblem]:
    """A problem for each innermost part of a rule that takes or builds too much."""
    yield from _check(expression, _Loops())


def _check(expression: Expression, loops: _Loops) -> Iterator[RuleProblem]:
    if loops.turns > 1 and not _variables(expression):
        loops = _Loops()
    inside = loops
    if isinstance(expression, Comprehension):
        inside = loops.inside(expression)
        if inside.turns > MOST_TURNS or inside.written > MOST_WRITTEN:
            yield _long(expression, inside)
            return
    over = expression.over if isinstance(expression, Comprehension) else None
    found = [one for part in parts(expression) for one in _check(part, loops if part is over else inside)]
    yield from found or _own(expression, loops)


def _own(expression: Expression, loops: _Loops) -> Iterator[RuleProblem]:
    """What is too much of an expression whose parts are not."""
    turns = loops.turns * _weight(expression)
    if loops.turns > 1 and turns > MOST_TURNS:
        yield _problem(
            expression,
            "a loop that goes through the whole message in each turn",
            f"up to as long as {turns:,} turns, more than {MOST_TURNS:,}",
            "ask the entry itself, as in `links.exists(link, link.contains(...))`, or ask outside of the loop",
        )
    elif (copies := _copies(expression, loops.shares)) > MOST_COPIES:
        yield _problem(
            expression,
            "builds much more than the message is",
            f"up to {copies:,.0f} times as large, more than {MOST_COPIES}",
            "ask one list at a time, and each part on its own: `text.contains(...) || subject.contains(...)`",
        )


def _variables(expression: Expression) -> frozenset[str]:
    """The variables of loops around it that it reads."""
    if isinstance(expression, Variable):
        return frozenset({expression.name}) if expression.bound else frozenset()
    read = frozenset[str]().union(*map(_variables, parts(expression)))
    return read - {expression.variable} if isinstance(expression, Comprehension) else read


def _entries(over: Expression) -> int:
    """How many entries a list may have."""
    match over:
        case ListOf():
            return len(over.items)
        case Comprehension():
            return _entries(over.over)
        case Call(function="_+_"):
            return sum(map(_entries, over.args))
        case Call():
            return max(map(_entries, over.args), default=0)
        case _:
            return _ENTRIES if over.type in (Type.LIST, Type.MAP) else 0


def _written(over: Expression) -> int:
    """How many of them are written out."""
    match over:
        case ListOf():
            return len(over.items)
        case Comprehension():
            return _written(over.over)
        case Call(function="_+_"):
            return sum(map(_written, over.args))
        case Call():
            return max(map(_written, over.args), default=0)
        case _:
            return 0


def _weight(expression: Expression) -> int:
    """How many turns as long it takes, its parts left out."""
    match expression:
        case Call(function=function, args=(receiver, *_)) if function in _SEARCHES:
            return _SEARCHED if _is_large(receiver) else 1
        case Call(function="contains", args=(receiver, _)) | Call(function="@in", args=(_, receiver)):
            return _READ if _is_large(receiver) and receiver.type is not Type.MAP else 1
        case Call(function="_+_") if expression.type in _SIZED:
            return _READ if any(map(_is_large, expression.args)) else 1
        case _:
            return 1


def _is_large(expression: Expression) -> bool:
    """Whether a string or list grows with the message."""
    if expression.type not in _SIZED:
        return False
    match expression:
        case Variable():
            return not expression.bound and expression.name not in _SMALL
        case Call(function="get"):
            return False
        case ListOf():
            return len(expression.items) >= _ENTRIES or any(map(_is_large, expression.items))
        case _:
            return any(map(_is_large, parts(expression)))


def _copies(expression: Expression, shares: dict[str, float]) -> float:
    """How many times as large as the message a value may be."""
    if expression.type not in _SIZED:
        return 0.0
    match expression:
        case Literal(value=value):
            return len(value) / _LARGEST if isinstance(value, str | bytes) else 0.0
        case Variable(name=name, bound=True):
            return shares.get(name, 0.0)
        case Variable():
            return 0.0 if expression.name in _SMALL else 1.0
        case Call(function="get"):
            return _OF_A_VALUE
        case Call(function="_?_:_", args=(_, *either)):
            return max(_copies(each, shares) for each in either)
        case Comprehension(macro=Macro.MAP):
            inside = _Loops(shares=shares).inside(expression)
            return inside.turns * _copies(expression.body, inside.shares)
        case Comprehension():
            return _copies(expression.over, shares)
        case _:
            return sum(_copies(part, shares) for part in parts(expression))


def _long(loop: Comprehension, inside: _Loops) -> RuleProblem:
    label = f"up to {inside.turns:,} turns, more than {MOST_TURNS:,}"
    if inside.written > MOST_WRITTEN:
        label = f"{inside.written:,} turns for every message, more than {MOST_WRITTEN:,}"
    help_ = "ask one list at a time, or use a lexicon: `domains.under(...)`, `hashes.anyIn(...)`"
    return _problem(loop, "loops that take too many turns together", label, help_)


def _problem(at: Expression, message: str, label: str, help_: str) -> RuleProblem:
    return RuleProblem(code="C037", span=at.at, message=message, label=label, help=help_)
