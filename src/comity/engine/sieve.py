"""A first pass over a field of messages: which searches of all rules may find something in it.

One scan with hyperscan over the bytes as written (regular expressions, signs of links and mentions) and, for texts in
ASCII, one over their words (phrases). What a sieve lets through is searched again exactly, by RE2 and by `scan`; what
it holds back was shown to have nothing: its patterns match at least wherever the exact ones do.

Many fields go through at once, joined (see `joined`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from string import ascii_lowercase
from typing import Final

import numpy as np

from comity.engine.compile import SURE
from comity.engine.databases import Patterns
from comity.engine.fold import fold
from comity.engine.functions import may_be_capitals, parent_domains
from comity.engine.joined import Joined, foreign_in, pieces
from comity.engine.links import WWW
from comity.engine.scan import MOST_LITERALS, Scan
from comity.engine.sieve_patterns import (
    domain_as_written,
    escaped,
    has_literal,
    pieces_of,
    pieces_of_domains,
    superset_of,
    words_as_written,
)
from comity.engine.words import WORDS, Among, Phrase, among_ascii, words_in

_LONG_S, _KELVIN = "\u017f".encode(), "\u212a".encode()  # RE2 takes them for S and K where case is ignored
LINK_SIGNS: Final = ("://", WWW)
_OTHER_DOMAINS: Final = ("(?i)xn--", r"(?i)(?:://|www\.)[^/?#\\\t-\r <>]*[^\x00-\x7f]")
"""Hosts that are compared in another form than the one that is written."""

_ROW: Final = b"\n%b\n"
_ALL: Final = -1
_TEXTS = 200
"""So many are searched one by one before a database is made that does all at once: it takes a while to compile."""

_MOST_EXPRESSIONS: Final = 600
"""Pieces of phrases from which on expressions would take long to compile, and literals are searched for instead."""

_EIGHT: Final = 8
_MOST_HITS: Final = 16
"""Matches a row, on average, from which on rows are scanned one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is searched for in one field; each search has a bit of its own."""

    patterns: Mapping[str, int] = field(default_factory=dict)
    phrases: Sequence[tuple[Sequence[Phrase], int]] = ()
    domains: Sequence[tuple[Sequence[str], int]] = ()
    signs: Mapping[str, int] = field(default_factory=dict)  # literal text, in any case
    capitals: tuple[float, int] | None = None  # at least this share of them


class Sieve:
    """Sifts one field. Safe to share between threads."""

    __slots__ = (
        *("_always", "_domain_bits", "_ignoring_case", "_is_plain", "_joined", "_phrase_bits", "_phrases", "_raw"),
        *("_rare_words", "_capitals", "_sure", "_until_written", "_words", "_written"),
    )

    def __init__(self, wanted: Wanted) -> None:
        expressions, self._always = _expressions(wanted)
        literal = {one: bit for one, bit in expressions.items() if has_literal(one)}
        loose = {one: bit for one, bit in expressions.items() if one not in literal}
        self._raw = Patterns({**literal, **loose}, kind="row")  # in that order it scans nearly twice as fast
        whole = _whole_words(wanted)
        self._rare_words = whole if len(whole) > MOST_LITERALS else {}
        literals = _literals(wanted, is_whole_too=not self._rare_words)
        self._words = Patterns(literals, kind="literal")
        is_few = len(literals) <= _MOST_EXPRESSIONS and not self._rare_words
        words = _joined_words(wanted) if is_few else {}
        # of many texts together what may have no literal is searched apart: with the rest it takes three times as long
        self._joined = Patterns(literal, kind="joined", words=words), Patterns(loose, kind="joined")
        self._written = Patterns({**literal, **loose}, kind="row", words=words) if is_few else None
        self._until_written = _TEXTS
        self._capitals = wanted.capitals
        self._phrases = Scan([phrases for phrases, _ in wanted.phrases])
        self._phrase_bits = [bit | bit << SURE for _, bit in wanted.phrases]
        self._sure = sum(bit << SURE for _, bit in wanted.phrases)
        every = [phrase for phrases, _ in wanted.phrases for phrase in phrases if phrase.pattern]
        self._is_plain = all(phrase.has_words and phrase.pattern.isascii() for phrase in every)
        self._domain_bits = sum({bit for _, bit in wanted.domains})
        self._ignoring_case = sum({bit for pattern, bit in wanted.patterns.items() if "(?" in pattern})

    def one(self, text: str) -> int:
        """The bits of all searches that may find something in the text."""
        raw = text.encode()
        hits = self._always
        if self._capitals and may_be_capitals(raw, self._capitals[0]):
            hits |= self._capitals[1]
        foreign = foreign_in(raw) if len(raw) != len(text) else b""
        kept = self._kept(foreign) if foreign else _ALL
        if self._written is not None and b"\0" not in raw and kept:
            if self._until_written <= 0:
                return hits | self._written.bits_in(_ROW % raw) & kept
            self._until_written -= 1
        among = self._foreign(raw, foreign) if foreign else self._among(raw.translate(WORDS))
        return hits | self._raw.bits_in(_ROW % raw) | among

    def many(self, texts: Sequence[str]) -> list[int]:
        """`one` for each text, or more bits, in a fraction of the time."""
        return self.all_of(pieces(texts))

    def all_of(self, texts: Iterable[Joined]) -> list[int]:
        """The same for texts that are joined in turns."""
        return [bits for piece in texts for bits in self.sift(piece)]

    def sift(self, texts: Joined) -> list[int]:
        """The same for texts that are joined."""
        starts = [*texts.starts.tolist(), len(texts.raw)]
        if texts.has_zeros or self._rare_words:
            return [self.one(texts.text(place)) for place in range(len(texts))]
        hits = [self._always] * len(starts)  # one more than texts, for what matches at the edges alone
        most = _MOST_HITS * len(texts)
        if not all(patterns.add_bits(texts.raw, starts, hits, most=most) for patterns in self._joined):
            each = self._written or self._raw
            every = map(texts.bytes_of, range(len(texts)))
            hits = [*(self._always | each.bits_in(_ROW % raw) for raw in every), self._always]
        if self._written is None:
            self._words.add_bits(texts.raw.translate(WORDS), starts, hits)
        if self._capitals:
            share, bit = self._capitals
            for number in _more_capitals(texts, share):
                if may_be_capitals(texts.bytes_of(number), share):
                    hits[number] |= bit
        if texts.foreign:
            self._add_foreign(texts, hits)
        return hits[:-1]

    def groups_in(self, text: str) -> frozenset[int]:
        """The numbers of the phrases, in the order wanted, of which one stands in the text: exactly."""
        raw = text.encode()
        words = words_in(raw, foreign_in(raw)) if self._is_plain else None
        if words is None:
            return self._phrases.groups_in(fold(text))
        return self._phrases.groups_among(b" %b " % b" ".join(words.split()))

    def _among(self, words: bytes) -> int:
        """The bits of what stands among the words of a text."""
        hits = self._words.bits_in(b" %b " % words)
        for word in self._rare_words.keys() & words.split() if self._rare_words else ():
            hits |= self._rare_words[word]
        return hits

    def _kept(self, foreign: bytes) -> int:
        """Of what expressions for words of ASCII find in a text with these characters, the bits that are so.

        None where they may overlook something; none that is sure where what they take for a word may be part of one.
        """
        if not self._is_plain or self._written is None:
            return 0
        among = among_ascii(foreign)
        return _ALL if among is Among.APART else ~self._sure if among is Among.FOREIGN else 0

    def _foreign(self, raw: bytes, foreign: bytes) -> int:
        """What ASCII's short cuts leave out."""
        words = words_in(raw, foreign) if self._is_plain else None
        found = self._folded(raw) if words is None else self._among(words)
        return found | self._ignoring_case if _LONG_S in foreign or _KELVIN in foreign else found

    def _add_foreign(self, texts: Joined, hits: list[int]) -> None:
        """The same for all rows that are not in ASCII: those with plain words are searched together."""
        rows, searched = list[int](), list[bytes]()
        for number, foreign in zip(texts.foreign, texts.foreign_parts, strict=True):
            if kept := self._kept(foreign):
                hits[number] &= kept
                continue
            raw = texts.bytes_of(number)
            words = words_in(raw, foreign) if self._is_plain else None
            hits[number] &= ~self._sure
            if _LONG_S in foreign or _KELVIN in foreign:
                hits[number] |= self._ignoring_case
            if words is None:
                hits[number] |= self._folded(raw)
            else:
                rows.append(number)
                searched.append(b" %b " % words)
        ends = accumulate(map(len, searched), lambda end, size: end + size + 1, initial=0)
        found = [0] * (len(rows) + 1)
        self._words.add_bits(b"\0".join(searched), list(ends), found)
        for number, bits in zip(rows, found, strict=False):
            hits[number] |= bits

    def _folded(self, raw: bytes) -> int:
        """The bits of phrases by the folded text, and of domains."""
        hits = self._words.bits_in(b" %b " % raw.translate(WORDS)) & self._domain_bits
        for number in self._phrases.groups_in(fold(raw.decode())):
            hits |= self._phrase_bits[number]
        return hits


def _more_capitals(texts: Joined, share: float) -> list[int]:
    """The rows that may have more than this share of capital letters, by their small letters of ASCII alone."""
    small = (texts.codes - ord("a")) < len(ascii_lowercase)
    eights = np.bitwise_count(np.packbits(small))  # how many in each eight bytes
    counts = np.concatenate(([0], np.cumsum(eights, dtype=np.int64)))
    last = texts.ends // _EIGHT
    count = counts[last] - counts[np.minimum(-(-texts.starts // _EIGHT), last)]  # at least
    others = texts.ends - texts.starts - count
    rows: list[int] = np.flatnonzero(count * share < others * (1 - share) + 1).tolist()
    return rows


def _joined_words(wanted: Wanted) -> dict[str, int]:
    """Expressions for the same in texts in ASCII as they are written, in rows: sure of phrases."""
    found = [(words_as_written(phrase), bit | bit << SURE) for phrases, bit in wanted.phrases for phrase in phrases]
    for domains, bit in _searched(wanted):
        found += [(domain_as_written(domain), bit) for domain in parent_domains(domains)]
    bits: dict[str, int] = {}
    for expression, bit in found:
        if expression:
            bits[expression] = bits.get(expression, 0) | bit
    return bits


def _whole_words(wanted: Wanted) -> dict[bytes, int]:
    """The longest word of each phrase that is whole words, with its bits."""
    rare: dict[bytes, int] = {}
    for phrases, bit in wanted.phrases:
        for phrase in phrases:
            if phrase.is_whole_words and phrase.pattern.isascii():
                word = max(phrase.pattern.split(), key=len).encode()
                rare[word] = rare.get(word, 0) | bit
    return rare


def _literals(wanted: Wanted, *, is_whole_too: bool) -> dict[bytes, int]:
    """What is searched for among words, each with its bits."""
    searched = [([p for p in phrases if is_whole_too or not p.is_whole_words], bit) for phrases, bit in wanted.phrases]
    pieces = [(piece, bit, bit << SURE) for phrases, bit in searched for piece in pieces_of(phrases)]
    pieces += [(piece, bit, 0) for domains, bit in _searched(wanted) for piece in pieces_of_domains(domains)]
    literals: dict[bytes, int] = {}
    for piece, bit, sure in pieces:
        literals[piece.literal] = literals.get(piece.literal, 0) | bit | (sure if piece.is_sure else 0)
    return literals


def _expressions(wanted: Wanted) -> tuple[dict[str, int], int]:
    """What hyperscan searches for, each with its bits; and the bits of what it is not asked."""
    found = [(escaped(sign), bit) for sign, bit in [*wanted.signs.items(), *_symbols(wanted)]]
    found += [(expression, bit) for expression in _OTHER_DOMAINS for _, bit in wanted.domains]
    long = [bit for domains, bit in wanted.domains if len(domains) > MOST_LITERALS]
    found += [(escaped(sign), bit) for sign in LINK_SIGNS for bit in long]
    always = 0
    for pattern, bit in wanted.patterns.items():
        expression = superset_of(pattern)
        always |= bit if expression is None else 0
        found += [] if expression is None else [(expression, bit)]
    bits: dict[str, int] = {}
    for expression, bit in found:
        bits[expression] = bits.get(expression, 0) | bit
    return bits, always


def _searched(wanted: Wanted) -> Iterator[tuple[Sequence[str], int]]:
    """The lists of domains that are searched for; for longer ones, which take long to prepare, links are."""
    return ((domains, bit) for domains, bit in wanted.domains if len(domains) <= MOST_LITERALS)


def _symbols(wanted: Wanted) -> Iterator[tuple[str, int]]:
    """Phrases without words: the longest part of each, since white space is folded."""
    for phrases, bit in wanted.phrases:
        for phrase in phrases:
            if phrase.pattern and not phrase.has_words and phrase.pattern.isascii():
                yield max(phrase.pattern.split(), key=len), bit
