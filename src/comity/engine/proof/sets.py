"""Sets of phrases, domains or exact entries that rules look for in one text: which of them imply which.

Members that the same sets have are one class. A class implies a set if each of its members brings a member of the set
with it: who says "free money" says "money". What takes too long to find out is left out, which proves less but
nothing wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from comity.engine.links import is_under
from comity.engine.proof.values import Family, Members

MOST_COMPARED: Final = 2_000_000
"""Characters of members that are looked at for one set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """Members of just the sets numbered `within`, which bring those numbered `implies` with them."""

    members: Members
    within: tuple[int, ...]
    implies: tuple[int, ...]


def classes(family: Family, sets: Sequence[Members]) -> tuple[Class, ...]:
    """The classes of all members, in the order of the sets."""
    found: dict[tuple[int, ...], set[str]] = {}
    for member in sorted(frozenset[str]().union(*sets)):
        found.setdefault(tuple(n for n, each in enumerate(sets) if member in each), set()).add(member)
    return tuple(
        Class(members=frozenset(members), within=within, implies=_implied(family, members, within, sets))
        for within, members in found.items()
    )


def _implied(
    family: Family, members: Iterable[str], within: tuple[int, ...], sets: Sequence[Members]
) -> tuple[int, ...]:
    if family is Family.EXACT:
        return ()
    members = tuple(members)
    if sum(len(member) ** 2 for member in members) * len(sets) > MOST_COMPARED * 50:
        return ()
    others = [number for number in range(len(sets)) if number not in within]
    brings = _brings_domain if family is Family.PARENTS else _brings_phrase
    return tuple(number for number in others if all(brings(member, sets[number]) for member in members))


def _brings_domain(domain: str, wanted: Members) -> bool:
    return is_under(domain, wanted)


def _brings_phrase(pattern: str, wanted: Members) -> bool:
    """Whether the pattern of a phrase holds that of another: both are searched for in the same word form."""
    size = len(pattern)
    return any(pattern[start:end] in wanted for start in range(size) for end in range(start + 1, size + 1))
