"""What rules ask of one text, as traits and measures: the answer for a text known is the engine's own."""

from __future__ import annotations

from typing import Final

from comity.engine import functions, links
from comity.engine.proof.patterns import (
    ANYTHING,
    LAST,
    Chars,
    Choice,
    Repeat,
    Sequence,
    Tree,
    anywhere,
    literal,
    pattern,
)
from comity.engine.proof.values import Family, Measure, Trait
from comity.engine.words import phrase

SIZE: Final = Measure(name="size", of=len, is_whole=True)
REPEATS: Final = Measure(name="repeats", of=functions.repeats, is_whole=True)
CAPITALS: Final = Measure(name="capitals", of=functions.capitals, is_whole=False)
NUMBER: Final = Measure(name="number", of=functions.number, is_whole=False)

MOST_SPELLED: Final = 64
"""Entries up to which a set of texts is a tree of its own."""

EQUALS: Final = "== "
"""What the names of equalities begin with."""

_KELVIN: Final = 0x212A
"""The one character that is no ASCII letter and whose lower case is one."""


def equality(text: str) -> Trait:
    """Being that very text."""
    return Trait(name=f"{EQUALS}{text}", of=lambda value: value == text, tree=literal(text))


def contains(part: str) -> Trait:
    return Trait(name=f"contains {part}", of=lambda value: part in value, tree=anywhere(literal(part)))


def begins(part: str) -> Trait:
    tree = Sequence((literal(part), ANYTHING))
    return Trait(name=f"begins {part}", of=lambda value: value.startswith(part), tree=tree)


def ends(part: str) -> Trait:
    tree = Sequence((ANYTHING, literal(part)))
    return Trait(name=f"ends {part}", of=lambda value: value.endswith(part), tree=tree)


def matches(source: str) -> Trait:
    """Having an RE2 match."""
    search, tree = functions.regex(source), pattern(source)
    return Trait(
        name=f"matches {source}",
        of=lambda value: search(value.encode()) is not None,
        tree=None if tree is None else anywhere(tree),
    )


def before(text: str) -> Trait:
    """Coming before the text, in the order of code points."""
    options: list[Tree] = [literal(text[:length]) for length in range(len(text))]
    for place, character in enumerate(text):
        lower = _below(ord(character))
        if lower:
            options.append(Sequence((literal(text[:place]), Chars(lower), ANYTHING)))
    return Trait(name=f"before {text}", of=lambda value: value < text, tree=Choice(tuple(options)))


def _below(code: int) -> tuple[tuple[int, int], ...]:
    parts = ((0, min(code - 1, 0xD7FF)), (0xE000, min(code - 1, LAST)))
    return tuple((low, high) for low, high in parts if low <= high)


def speaks(tag: str) -> Trait:
    """Being the language tag or one of its subtags."""
    wanted = tag.lower().replace("_", "-")
    letters = Sequence(tuple(Chars(_cases(letter)) for letter in wanted))
    dash = Chars(_cases("-"))
    tree = Sequence((letters, Repeat(Sequence((dash, ANYTHING)), 0, 1)))
    is_ascii = wanted.isascii()
    return Trait(
        name=f"speaks {wanted}", of=lambda value: functions.speaks(value, tag), tree=tree if is_ascii else None
    )


def _cases(letter: str) -> tuple[tuple[int, int], ...]:
    """The characters that are the letter in lower case; `_` counts as `-`."""
    if letter == "-":
        return (45, 45), (95, 95)
    codes = {ord(letter), ord(letter.upper())} | ({_KELVIN} if letter == "k" else set())
    return tuple((code, code) for code in sorted(codes))


def says(name: str, written: tuple[str, ...]) -> Trait:
    """Saying one of the phrases. `name` is the same for the same phrases."""
    wanted = functions.phrases(written)
    patterns = frozenset(phrase(each).pattern for each in written) - {""}
    return Trait(name=name, of=lambda value: functions.says(value, wanted), family=Family.PHRASES, members=patterns)


def under(name: str, written: tuple[str, ...]) -> Trait:
    """Being one of the domains or below one."""
    parents = functions.parent_domains(written)
    return Trait(
        name=name,
        of=lambda value: links.is_under(links.domain(value), parents),
        family=Family.PARENTS,
        members=parents,
    )


def one_of(name: str, entries: tuple[str, ...]) -> Trait:
    """Being one of the entries, as is."""
    wanted = frozenset(entries)
    tree = Choice(tuple(map(literal, sorted(wanted)))) if len(wanted) <= MOST_SPELLED else None
    return Trait(name=name, of=lambda value: value in wanted, tree=tree, family=Family.EXACT, members=wanted)
