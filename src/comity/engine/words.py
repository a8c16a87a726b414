"""Words and phrases of folded text: what `says("...")` and lexicons of phrases match.

A word is a run of letters, marks and digits. What stands between words counts as one space; scripts that write
without spaces (Han, kana, Thai, ...) have no word boundaries, so phrases in them match as substrings. A final `*`
stands for the rest of the word. A phrase without any word (an emoji) matches where the folded text contains it.

The *word form* of a text makes all this a plain search: ` free money ` is in ` get free money now `.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from comity.engine.fold import LONGEST_FOREIGN_KNOWN, fold, on_its_own
from comity.engine.folded import with_one_piece
from comity.engine.joined import foreign_in

_UNSPACED: Final = (
    "CJK UNIFIED",
    "CJK COMPATIBILITY",
    "IDEOGRAPHIC",
    "HIRAGANA",
    "KATAKANA",
    "BOPOMOFO",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
    "TAI ",
    "NEW TAI LUE",
    "JAVANESE",
    "BALINESE",
    "YI ",
    "TANGUT",
    "NUSHU",
)
_EDGE: Final = "\x1f"  # between an unspaced run and its neighbours; folded text cannot bring one in: it is no word
_FEW_WORDS: Final = 9
_MOST_KNOWN: Final = 20_000
_ASCII_WORD: Final = re.compile(rb"[0-9A-Za-z]")
WORDS: Final = bytes(code if code > 127 or chr(code).isalnum() else 32 for code in bytes(range(256)).lower())
"""Bytes of UTF-8 to what words are made of: ASCII letters in lower case, and a space for what is no word's."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """What to search for: `pattern` in the word form, or, without any word, in the folded text itself."""

    pattern: str
    has_words: bool

    @property
    def is_whole_words(self) -> bool:
        """Whether it is a few words between spaces, all of them written out."""
        return self.has_words and self.pattern[0] == self.pattern[-1] == " " and self.pattern.count(" ") <= _FEW_WORDS


@lru_cache(maxsize=1024)
def phrase(written: str) -> Phrase:
    """The phrase of an agreement or a lexicon, made ready for searching."""
    folded = fold(written).strip()
    form = word_form(folded)
    words = form.strip()
    if not words:
        return Phrase(pattern=folded, has_words=False)
    before = "" if is_unspaced(words[0]) else " "
    has_star = folded.endswith("*") and _in_word_form(folded[-2]) != " "
    after = "" if is_unspaced(words[-1]) or has_star else " "
    return Phrase(pattern=before + words + after, has_words=True)


def words_in(raw: bytes, foreign: bytes) -> bytes | None:
    """The words of a text in UTF-8, with spaces instead of all else; None if some are of unspaced scripts.

    `foreign`: what `foreign_in` says of it.
    """
    words = raw.translate(WORDS)
    if not foreign:
        return words
    shown = _shown_as(foreign, _words_alone, _known_words_alone)
    if shown is not None:
        return _replaced(words, shown)
    with_word = with_one_piece(raw, words, foreign, _words_of_piece)
    return _words_in_folded(fold(raw.decode())) if with_word is None else with_word


class Among(Enum):
    """How characters that are not ASCII's stand among words of ASCII, wherever they are."""

    APART = "between words, as a comma does"
    FOREIGN = "as letters of their own, which no word of ASCII has"
    UNCLEAR = "one becomes a letter of ASCII or nothing, or neighbours matter"


def among_ascii(foreign: bytes) -> Among:
    """`foreign`: what `foreign_in` says."""
    return _known_among(foreign) if len(foreign) <= LONGEST_FOREIGN_KNOWN else _among(foreign)


def _among(foreign: bytes) -> Among:
    words = {_word_on_its_own(character) for character in set(foreign.decode())}
    known = [word for word in words if word]
    if len(known) < len(words) or any(_ASCII_WORD.search(word) for word in known):
        return Among.UNCLEAR
    return Among.APART if all(word.isspace() for word in known) else Among.FOREIGN


_known_among = lru_cache(maxsize=4096)(_among)


@lru_cache(maxsize=4096)
def _words_of_piece(foreign: bytes) -> bytes | None:
    return _words_in_folded(fold(foreign.decode()))


def _words_in_folded(folded: str) -> bytes | None:
    raw = folded.encode()
    shown = _shown_as(foreign_in(raw), _words_folded, _known_words_folded)
    return None if shown is None else _replaced(raw.translate(WORDS), shown)


_Shown = tuple[tuple[bytes, bytes], ...] | None
"""What is to be put for characters of UTF-8; None if some cannot be replaced one by one."""


def _shown_as(foreign: bytes, made: Callable[[bytes], _Shown], known: Callable[[bytes], _Shown]) -> _Shown:
    return known(foreign) if len(foreign) <= LONGEST_FOREIGN_KNOWN else made(foreign)


def _replaced(words: bytes, shown: tuple[tuple[bytes, bytes], ...]) -> bytes:
    for character, word in shown:
        words = words.replace(character, word)
    return words


def _words_alone(foreign: bytes) -> _Shown:
    """For a text as written, of which `foreign` is what is not ASCII's."""
    shown = {character: _word_on_its_own(character) for character in set(foreign.decode())}
    pairs = [(character.encode(), word) for character, word in shown.items() if word is not None]
    return tuple(pair for pair in pairs if pair[0] != pair[1]) if len(pairs) == len(shown) else None


def _words_folded(foreign: bytes) -> _Shown:
    """The same for a folded text."""
    shown = {character: _in_word_form(character) for character in set(foreign.decode())}
    if any(word not in (character, " ") for character, word in shown.items()):
        return None
    return tuple((character.encode(), b" ") for character, word in shown.items() if word == " ")


_known_words_alone = lru_cache(maxsize=4096)(_words_alone)
_known_words_folded = lru_cache(maxsize=4096)(_words_folded)


@lru_cache(maxsize=8192)
def _word_on_its_own(character: str) -> bytes | None:
    seen = on_its_own(character)
    if seen is None or any(map(is_unspaced, seen)):
        return None
    return "".join(map(_in_word_form, seen.lower())).encode()


def word_form(folded: str) -> str:
    """The words of a folded text, each between two spaces; "" words leave " "."""
    spaced = _words_in_folded(folded)
    if spaced is None:
        return _unspaced_form(folded)
    words = spaced.split()
    return f" {b' '.join(words).decode()} " if words else " "


def _unspaced_form(folded: str) -> str:
    """The word form of a text with words in scripts without spaces."""
    marked = folded.translate(_WORD_FORMS)
    words = [word for word in marked.replace(_EDGE + _EDGE, "").replace(_EDGE, " ").split(" ") if word]
    return f" {' '.join(words)} " if words else " "


class _WordForms(dict[int, str]):
    """What each character becomes, filled as characters come; a table, for `str.translate` takes nothing quicker."""

    def __missing__(self, code: int) -> str:
        made = _in_word_form(chr(code))
        if len(self) < _MOST_KNOWN:
            self[code] = made
        return made


_WORD_FORMS: Final = _WordForms()


@lru_cache(maxsize=8192)
def _in_word_form(character: str) -> str:
    if unicodedata.category(character)[0] not in "LMN":
        return " "
    return f"{_EDGE}{character}{_EDGE}" if is_unspaced(character) else character


def is_unspaced(character: str) -> bool:
    """Whether it is a letter or mark of a script that writes without spaces."""
    is_number = unicodedata.category(character)[0] == "N"
    return not is_number and unicodedata.name(character, "").startswith(_UNSPACED)


def occurrences(wanted: Phrase, folded: str) -> Iterator[tuple[int, int]]:
    """Where the phrase stands in a folded text, half-open, from left to right. Slow: for evidence."""
    if not wanted.pattern:
        return iter(())
    if wanted.has_words and folded.isascii():
        return ((found.start(), found.end(1)) for found in _among_ascii(wanted.pattern).finditer(folded))
    return _among_any(wanted, folded)


def _among_any(wanted: Phrase, folded: str) -> Iterator[tuple[int, int]]:
    form, places = _placed(folded) if wanted.has_words else (folded, range(len(folded)))
    core = wanted.pattern.strip(" ") if wanted.has_words else wanted.pattern
    lead = wanted.pattern.index(core)
    at = form.find(wanted.pattern)
    while at >= 0:
        yield places[at + lead], _word_end(folded, places[at + lead + len(core) - 1] + 1)
        at = form.find(wanted.pattern, at + 1)


@lru_cache(maxsize=1024)
def _among_ascii(pattern: str) -> re.Pattern[str]:
    """What finds the phrase in ASCII, where all words stand between other characters. Group 1: it without its begin.

    It begins with a literal, which is found quickly, and takes no more of the text, so that phrases may overlap.
    """
    first, *others = map(re.escape, pattern.split())
    after = "(?![A-Za-z0-9])" if pattern.endswith(" ") else "[A-Za-z0-9]*"
    rest = "".join([f"[^A-Za-z0-9]+{word}" for word in others])
    return re.compile(f"{first}(?<![A-Za-z0-9]{first})(?=({rest}{after}))")


def _word_end(folded: str, end: int) -> int:
    """`end`, or what a final `*` stands for more."""
    if _in_word_form(folded[end - 1]) == folded[end - 1]:
        while end < len(folded) and _in_word_form(folded[end]) == folded[end] != " ":
            end += 1
    return end


@lru_cache(maxsize=4)  # one message's fields are searched for many phrases
def _placed(folded: str) -> tuple[str, list[int]]:
    """The word form, and for each of its characters the index in `folded` (of the next word for a space)."""
    form, places = [" "], [0]
    for index, character in enumerate(folded):
        shown = _in_word_form(character)
        is_apart = shown == " " or (len(shown) > 1) != (form[-1] != " " and len(_in_word_form(form[-1])) > 1)
        if is_apart and form[-1] != " ":
            form.append(" ")
            places.append(index)
        if shown != " ":
            form.append(character)
            places.append(index)
    if form[-1] != " ":
        form.append(" ")
        places.append(len(folded))
    return "".join(form), places
