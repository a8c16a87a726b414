"""What a text should hold so that it says some phrases and not others, is below a domain or one of some entries.

Hints, not proofs: how text folds is the engine's matter, which judges what is made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import z3

from comity.engine.proof.languages import Wanted
from comity.engine.proof.patterns import ANYTHING, Chars, Choice, Edge, Repeat, Sequence, Side, Tree, anywhere, literal
from comity.engine.proof.values import Family, Members, Subject

MOST_UNSAID: Final = 8
"""Members of a class that are kept out; there may be very many."""

_LETTERS: Final = Repeat(Chars(((97, 122),)), 0, None)
_LABEL: Final = Sequence((Chars(((97, 122),)), _LETTERS, literal(".")))
_ANY_LABEL: Final = Sequence((ANYTHING, literal(".")))


def hints(subject: Subject, is_true: Callable[[z3.ExprRef], bool]) -> Iterator[Wanted]:
    """One member of each class that the subject has, and none of some of the others."""
    for family, found in subject.families.items():
        for members, truth in found.items():
            holds = is_true(truth)
            for member in _easiest(members)[: 1 if holds else MOST_UNSAID]:
                yield Wanted(tree=_tree(family, member, holds=holds), holds=holds)


def _easiest(members: Members) -> list[str]:
    return sorted(members, key=lambda member: (not member.isascii(), len(member), member))


def _tree(family: Family, member: str, *, holds: bool) -> Tree:
    match family:
        case Family.PHRASES:
            return anywhere(_phrase(member))
        case Family.PARENTS:
            return Sequence((Repeat(_LABEL if holds else _ANY_LABEL, 0, 1), literal(member)))
        case Family.EXACT:
            return literal(member)


def _phrase(pattern: str) -> Tree:
    """The phrase between two bounds; without a last one, further letters are part of it."""
    before: Tree = _bound(Side.BEGIN) if pattern.startswith(" ") else Sequence(())
    after: Tree = Sequence(())
    if pattern.startswith(" ") and pattern.isascii():
        after = _bound(Side.END) if pattern.endswith(" ") else Sequence((_LETTERS, _bound(Side.END)))
    return Sequence((before, literal(pattern.strip()), after))


def _bound(side: Side) -> Choice:
    return Choice((Edge(side), literal(" ")))
