"""What a sieve searches for instead of a regular expression or a phrase: never less than that would find.

RE2 and hyperscan agree on a plain core of the syntax; a pattern that leaves it is not sieved. Within it, RE2's `\\s`
lacks the vertical tab, so it is written out, and hyperscan's `$` also matches before a final new line, which is more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from comity.engine.functions import compiled, parent_domains
from comity.engine.pairs import is_literal, without_pairs
from comity.engine.words import WORDS, Phrase

_LONGEST_EXPRESSION: Final = 1000
_LARGEST_PROGRAM: Final = 1000
"""RE2's instructions: a larger pattern takes hyperscan long to compile."""

_NO_WORD: Final = "[^0-9a-z]"
_APART: Final = r"[^0-9a-z\x00]+"
_LONGEST_PIECE: Final = 100
_PLAIN_ESCAPES: Final = frozenset("dDwWtnrf")
_SPACES: Final = r"\t\n\f\r "
_TOKEN: Final = re.compile(
    r"(?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|(?P<escape>\\.)"
    r"|(?P<group>\((?:\?(?:P<\w+>|[is]*(?:-[is]+)?[:)]))?)"
    r"|(?P<repeat>\{\d+(?:,\d*)?\})"
    r"|(?P<plain>[^\\\[({}?*+]|[?*+]\??)",
    re.DOTALL,
)
_CLASS_PART: Final = re.compile(r"\\(.)|(\[:)|.", re.DOTALL)


def superset_of(pattern: str) -> str | None:
    """An expression for hyperscan that matches wherever RE2's pattern does; None if none is known to.

    In a text without U+017F and U+212A, which fold to ASCII letters.
    """
    if not pattern.isascii() or "\0" in pattern or len(pattern) > _LONGEST_EXPRESSION:
        return None
    if compiled(pattern).programsize > _LARGEST_PROGRAM or compiled(pattern).search(b"") is not None:
        return None
    tokens: list[re.Match[str]] = []
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            return None
        tokens.append(token)
        at = token.end()
    parts = [_translated(token) for token in tokens]
    whole = [part for part in parts if part is not None]
    return "".join(without_pairs(tokens, whole)) if len(whole) == len(parts) else None


def _translated(token: re.Match[str]) -> str | None:
    match token.lastgroup:
        case "escape":
            return _escape(token[0][1])
        case "class":
            return _class(token[0])
        case "group":
            return None if token[0] == "(" and token.string[token.end() : token.end() + 1] == "?" else token[0]
        case _:
            return token[0]


def _escape(letter: str) -> str | None:
    if letter == "s":
        return f"[{_SPACES}]"
    if letter == "S":
        return f"[^{_SPACES}]"
    return f"\\{letter}" if letter in _PLAIN_ESCAPES or letter in "bB" or not letter.isalnum() else None


def _class(written: str) -> str | None:
    """A class in square brackets; none with names or `\\S` in it."""
    parts: list[str] = []
    for part in _CLASS_PART.finditer(written, 1, len(written) - 1):
        letter = part[1]
        if part[2] or (letter is not None and letter != "s" and letter.isalnum() and letter not in _PLAIN_ESCAPES):
            return None
        parts.append(_SPACES if letter == "s" else "\\[" if part[0] == "[" else part[0])
    if parts[-1] == "-":
        parts[-1] = r"\-"
    return f"[{''.join(parts)}]"


def has_literal(expression: str) -> bool:
    """Whether every match has characters that stand for themselves. For the order of expressions alone."""
    tokens = list(_TOKEN.finditer(expression))
    following = [*(token[0] for token in tokens[1:]), ""]
    groups = [_Group()]
    for token, after in zip(tokens, following, strict=True):
        if token.lastgroup == "group" and not token[0].endswith(")"):
            groups.append(_Group())
        elif token[0] == "|":
            groups[-1].begin_branch()
        elif (groups.pop().has_literal if token[0] == ")" and len(groups) > 1 else is_literal(token)) and (
            not after.startswith(("?", "*", "{0"))
        ):
            groups[-1].is_met = True
    return groups[0].has_literal


@dataclass(slots=True)
class _Group:
    """A group of branches. `is_met`: of the one that is read, whether it has a literal; `every`: of those before."""

    is_met: bool = False
    every: bool = True

    def begin_branch(self) -> None:
        self.every, self.is_met = self.has_literal, False

    @property
    def has_literal(self) -> bool:
        return self.every and self.is_met


def escaped(literal: str) -> str:
    """An expression for a literal text, in any case of ASCII letters."""
    return "(?i)" + "".join(c if c.isalnum() else f"\\x{{{ord(c):x}}}" for c in literal)


class Piece(NamedTuple):
    """A literal among the words of a text in ASCII: a space for every other character, and one at either end."""

    literal: bytes
    is_sure: bool  # the phrase is there; otherwise it may be


def pieces_of(phrases: Iterable[Phrase]) -> Iterator[Piece]:
    """Literals of which one is among the words of any text in ASCII that has one of the phrases."""
    for phrase in phrases:
        if phrase.has_words and phrase.pattern.isascii():
            yield from _pieces(phrase.pattern)


def pieces_of_domains(written: Iterable[str]) -> Iterator[Piece]:
    """The same for the domains of links, where a text in ASCII has no `xn--` in it."""
    for domain in parent_domains(written):
        if domain.isascii():
            words = domain.encode().translate(WORDS).decode().split()
            yield from _pieces(f" {' '.join(words)} ") if words else (Piece(b" ", is_sure=False),)


def _pieces(pattern: str) -> tuple[Piece, ...]:
    """Two words stand either side by side, or with more than one space between: both are rare of rare words."""
    words = pattern.split()
    if len(words) == 1:
        return (_piece(pattern, is_sure=True),)
    first = max(range(len(words) - 1), key=lambda number: _rarity(words[number : number + 2]))
    left, right = words[first : first + 2]
    end = " " if first < len(words) - 2 or pattern.endswith(" ") else ""
    beside, apart = f" {left} {right}{end}", f" {left}  " if len(left) >= len(right) else f"  {right}{end}"
    return (_piece(beside, is_sure=beside == pattern), _piece(apart, is_sure=False))


def _rarity(two: list[str]) -> tuple[int, int]:
    return max(map(len, two)), sum(map(len, two))


def _piece(literal: str, *, is_sure: bool) -> Piece:
    return Piece(literal[:_LONGEST_PIECE].encode(), is_sure=is_sure and len(literal) <= _LONGEST_PIECE)


def words_as_written(phrase: Phrase) -> str:
    """An expression that matches where a text in ASCII has the phrase, among other bytes; "" if none can have it.

    Rows have a zero byte between; no word of another row completes a phrase.
    """
    if not phrase.has_words or not phrase.pattern.isascii():
        return ""
    end = _NO_WORD if phrase.pattern.endswith(" ") else ""
    return "(?i)" + _NO_WORD + _APART.join(phrase.pattern.split()) + end


def domain_as_written(domain: str) -> str:
    """The same for a domain in its compared form; matches at least where a link has it."""
    if not domain.isascii():
        return ""
    return "(?i)" + "".join(c if c.isalnum() else f"\\x{ord(c):02x}" for c in domain)
