"""Lexicon files: one entry a line, `#` comments, of three kinds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from comity.agreement.front_matter import LexiconFile
from comity.agreement.problems import Misread, Problems, quoted
from comity.agreement.source import Source
from comity.model.agreement import Lexicon, LexiconKind

LARGEST: Final = 64 << 20
"""Bytes of all lexicons of an agreement together."""

MOST_PHRASES: Final = 200_000
"""Entries of all lexicons of phrases together: to search for so many takes seconds and 800 MB to get ready."""

LONGEST_ENTRY: Final = 1_000
"""Code points of a line."""

_EACH: Final = 10  # so many problems of one lexicon are reported
_DOMAIN: Final = re.compile(r"[\w-]+(?:\.[\w-]+)*")


def read_lexicon(declared: LexiconFile, source: Source, problems: Problems) -> Lexicon:
    """The entries of a decoded file; what cannot be an entry of its kind is reported."""
    entries = tuple(line for _, line in _lines(source))
    if not entries:
        help = "write one entry on each line of the file"
        problems.warning("C056", declared.at, f"the lexicon `{declared.name}` is empty", help=help)
    for start, entry, why in islice(_troubles(declared.kind, source), _EACH):
        problems.misread("C055", source.all().part(start, start + len(entry)), why)
    return Lexicon(name=declared.name, kind=declared.kind, entries=entries)


def check_phrases(declared: Iterable[LexiconFile], lexicons: Mapping[str, Lexicon], problems: Problems) -> None:
    """Reports the lexicon with which the phrases become too many."""
    phrases = 0
    for each in declared:
        lexicon = lexicons.get(each.name)
        if lexicon is None or lexicon.kind is not LexiconKind.PHRASES:
            continue
        phrases += len(lexicon.entries)
        if phrases > MOST_PHRASES:
            help = "keep the phrases that are used, or make it a lexicon of `domains` or `exact` entries"
            message = f"all lexicons of phrases together have at most {MOST_PHRASES:,} entries; these are {phrases:,}"
            problems.error("C054", each.at, message, help=help)
            return


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    """The offsets and the texts of lines that are entries."""
    offset = 0
    for line in source.clean.split("\n"):
        entry = line.strip()
        if entry and entry[0] != "#":
            yield offset, entry
        offset += len(line) + 1


def _troubles(kind: LexiconKind, source: Source) -> Iterator[tuple[int, str, Misread]]:
    if kind is LexiconKind.EXACT or (kind is LexiconKind.PHRASES and "*" not in source.clean):
        return
    for offset, entry in _lines(source):
        trouble = _phrase_trouble(entry) if kind is LexiconKind.PHRASES else _domain_trouble(entry)
        if trouble is not None:
            yield source.clean.index(entry, offset), entry, trouble


def _phrase_trouble(entry: str) -> Misread | None:
    if "*" in entry[:-1] or entry == "*":
        return Misread(message="a `*` stands at the end of a word", help="it means further letters of the last word")
    return None


def _domain_trouble(entry: str) -> Misread | None:
    if _DOMAIN.fullmatch(entry):
        return None
    bare = re.sub(r"^(?:[a-z]+://)?(?:\*\.|\.)?", "", entry.lower())
    bare = re.split(r"[/:?#\s]", bare, maxsplit=1)[0]
    is_clear = _DOMAIN.fullmatch(bare) and not re.search(r"\s", entry)
    help = f"write {quoted(bare)}, which its subdomains match too" if is_clear else "such as `a.example`"
    return Misread(message=f"{quoted(entry)} is not a domain", help=help)
