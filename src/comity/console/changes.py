"""What differs between two versions of the agreement, as a page shows it: words that went, words that came."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

from comity.agreement.changes import Change, Effect
from comity.agreement.diff import ClauseDiff, LexiconDiff, Status, diff
from comity.casework.wording import counted, flowing
from comity.model.agreement import Agreement

_PIECES: Final = tuple(re.compile(pattern, re.DOTALL) for pattern in (r"\s+|\S+", r"[^\n]*\n|[^\n]+", r".+"))
"""Words, lines, everything."""
_MOST_PIECES: Final = 2_000
"""What is compared takes time that grows with their square."""
_MOST_ENTRIES: Final = 50
_EFFECTS: Final = {Effect.STRICTER: "stricter", Effect.LOOSER: "milder", Effect.NEITHER: ""}


@dataclass(frozen=True, slots=True)
class Words:
    """A stretch of text that both have, that went, or that came."""

    kind: Literal["same", "del", "ins"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that changed, from `old` to `new`; empty: it was not there. `effect`: for those who are bound."""

    what: str
    old: str
    new: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """All that differs in one clause, one ladder, one list."""

    title: str
    note: str = ""
    lines: tuple[Line, ...] = ()
    prose: tuple[Words, ...] = ()
    rule: tuple[Words, ...] = ()


def changes(old: Agreement, new: Agreement) -> tuple[Part, ...]:
    found = diff(old, new)
    parts = [Part(title="The agreement as a whole", lines=_lines(found.front_matter))]
    parts += map(_clause, found.clauses)
    names = {clause.id: clause.title for each in (old, new) for clause in each.clauses}
    for ladder in found.ladders:
        whose = names.get(ladder.owner, "")
        parts.append(Part(title=f"Measures: {whose}" if whose else "Measures", lines=_lines(ladder.changes)))
    parts += map(_lexicon, found.lexicons)
    return tuple(part for part in parts if part.lines or part.prose or part.rule or part.note)


def _clause(clause: ClauseDiff) -> Part:
    prose, rules = tuple(map(flowing, clause.prose)), tuple(each or "" for each in clause.sources)
    return Part(
        title=clause.title,
        note="" if clause.status is Status.KEPT else f"This clause was {clause.status}.",
        lines=_lines(clause.changes),
        prose=tuple(between(*prose)) if prose[0] != prose[1] else (),
        rule=tuple(between(*rules)) if rules[0] != rules[1] else (),
    )


def _lexicon(lexicon: LexiconDiff) -> Part:
    shown = [f"+ {entry}" for entry in lexicon.added] + [f"− {entry}" for entry in lexicon.removed]
    more = len(shown) - _MOST_ENTRIES
    listed = "; ".join(shown[:_MOST_ENTRIES]) + (
        f"; and {counted(more, 'more entry', 'more entries')}" if more > 0 else ""
    )
    return Part(title=f"The list “{lexicon.name}”", note=listed, lines=_lines(lexicon.kind))


def _lines(found: Iterable[Change]) -> tuple[Line, ...]:
    return tuple(
        Line(
            what="moved to another place" if each.what == "place" else each.what.replace("_", " "),
            old="" if each.what == "place" else each.old,
            new="" if each.what == "place" else each.new,
            effect=_EFFECTS[each.effect],
        )
        for each in found
    )


def between(old: str, new: str) -> Iterator[Words]:
    """Word by word; line by line where there are many words, and of very long texts all of it."""
    before, after = next(
        parts for parts in (_parts(pattern, old, new) for pattern in _PIECES) if max(map(len, parts)) <= _MOST_PIECES
    )
    for tag, start, end, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Words("same", "".join(before[start:end]))
            continue
        if start < end:
            yield Words("del", "".join(before[start:end]))
        if first < last:
            yield Words("ins", "".join(after[first:last]))


def _parts(pattern: re.Pattern[str], old: str, new: str) -> tuple[list[str], list[str]]:
    return pattern.findall(old), pattern.findall(new)
