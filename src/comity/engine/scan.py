"""One pass over a text for every phrase that any clause looks for in it.

Phrases come in groups (a lexicon, or one phrase of a rule); the answer is which groups have a phrase in the text.
The search is hyperscan's, over literals of the word form (see `words`), so its cost hardly grows with the phrases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import hyperscan

from comity.engine.databases import NOTE_ID
from comity.engine.words import Phrase, phrase, word_form

_LONGEST: Final = 2000
"""Bytes of a pattern that hyperscan is given; the rare longer ones are searched one by one."""

MOST_LITERALS: Final = 20_000
"""More than these are looked up word by word: the time to make a database grows faster than its phrases."""

_NONE: Final[frozenset[int]] = frozenset()


class Scan:
    """Finds groups of phrases. Safe to share between threads."""

    __slots__ = ("_database", "_groups", "_long", "_scratches", "_symbols", "_vocabulary")

    def __init__(self, groups: Sequence[Sequence[Phrase]]) -> None:
        owners: dict[Phrase, set[int]] = {}
        for number, phrases in enumerate(groups):
            for wanted in phrases:
                if wanted.pattern:
                    owners.setdefault(wanted, set()).add(number)
        literals = {wanted: wanted.pattern.encode() for wanted in owners if wanted.has_words}
        self._vocabulary = Vocabulary({literals[w]: frozenset(owners[w]) for w in literals if w.is_whole_words})
        if len(self._vocabulary) <= MOST_LITERALS:
            self._vocabulary = Vocabulary({})
        left = {w: literal for w, literal in literals.items() if literal not in self._vocabulary}
        short = [wanted for wanted, literal in left.items() if len(literal) <= _LONGEST]
        self._symbols = [(wanted.pattern, frozenset(owners[wanted])) for wanted in owners if not wanted.has_words]
        self._long = [(literal, frozenset(owners[w])) for w, literal in left.items() if len(literal) > _LONGEST]
        self._groups = [frozenset(owners[wanted]) for wanted in short]
        self._database = _database([literals[wanted] for wanted in short]) if short else None
        self._scratches: list[hyperscan.Scratch] = []

    def groups_in(self, folded: str) -> frozenset[int]:
        """The numbers of the groups that have a phrase in this folded text."""
        found = [groups for pattern, groups in self._symbols if pattern in folded]
        return self.groups_among(word_form(folded).encode()).union(*found)

    def groups_among(self, form: bytes) -> frozenset[int]:
        """The numbers of the groups that have a phrase with words in this word form, in UTF-8."""
        found = [self._groups[number] for number in self._hits(form)]
        found += [groups for pattern, groups in self._long if pattern in form]
        found += self._vocabulary.found_in(form)
        return _NONE.union(*found)

    def _hits(self, form: bytes) -> list[int]:
        hits: list[int] = []
        if self._database is not None:
            scratch = self._take_scratch(self._database)
            self._database.scan(form, NOTE_ID, 0, hits, scratch)
            self._scratches.append(scratch)
        return hits

    def _take_scratch(self, database: hyperscan.Database) -> hyperscan.Scratch:
        """One scratch space for each scan under way: hyperscan lets the interpreter go on meanwhile."""
        try:
            return self._scratches.pop()
        except IndexError:
            return hyperscan.Scratch(database)


def _database(patterns: list[bytes]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=patterns,
        ids=list(range(len(patterns))),
        elements=len(patterns),
        flags=hyperscan.HS_FLAG_SINGLEMATCH,
        literal=True,
    )
    return database


class Vocabulary:
    """Very many phrases, of which hyperscan would take long to make a database: looked up, run of words by run."""

    __slots__ = ("_groups", "_lengths")

    def __init__(self, phrases: Mapping[bytes, frozenset[int]]) -> None:
        self._groups = {b" ".join(literal.split()): groups for literal, groups in phrases.items()}
        self._lengths = sorted({literal.count(b" ") + 1 for literal in self._groups})

    def __len__(self) -> int:
        return len(self._groups)

    def __contains__(self, literal: bytes) -> bool:
        return literal.startswith(b" ") and literal.endswith(b" ") and literal.strip() in self._groups

    def found_in(self, form: bytes) -> Iterator[frozenset[int]]:
        """The groups of each phrase among the words."""
        words = form.split() if self._groups else []
        for length in self._lengths:
            for start in range(len(words) - length + 1):
                groups = self._groups.get(b" ".join(words[start : start + length]))
                if groups is not None:
                    yield groups


class Entries:
    """A lexicon's entries as written, and which of them a text has: for evidence, made ready on first use."""

    __slots__ = ("_scan", "written")

    def __init__(self, written: Sequence[str]) -> None:
        self.written: Final = tuple(written)
        self._scan: Scan | None = None

    def found_in(self, folded: str) -> tuple[str, ...]:
        """The phrases that stand in a folded text, in file order."""
        if self._scan is None:
            self._scan = Scan([[phrase(entry)] for entry in self.written])
        return tuple(self.written[number] for number in sorted(self._scan.groups_in(folded)))
