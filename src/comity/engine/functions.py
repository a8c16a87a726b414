"""What the functions of the rule language come to, for compiled plans. None raises on what the checker lets pass.

`reference` holds the same functions a second time, written independently, as the oracle.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from string import ascii_lowercase, ascii_uppercase
from typing import Final

import re2

from comity.engine import links
from comity.engine.fold import fold
from comity.engine.words import Phrase, phrase, word_form

_LARGE: Final = ascii_uppercase.encode()
_SMALL: Final = ascii_lowercase.encode()
_ASCII: Final = bytes(range(128))
_MAYBE_LARGE: Final = _LARGE + bytes(range(128, 256))
_BEGINNING: Final = 32
"""Bytes of a text that mostly have small letters enough: to count all of them takes longer than to count capitals."""

_RUN: Final = re.compile(r"(.)\1+", re.DOTALL)
_NUMBER: Final = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_LONGEST_NUMBER: Final = 400


def says(value: str, wanted: Iterable[Phrase]) -> bool:
    """Whether the folded text has one of the phrases."""
    folded = fold(value)
    form = word_form(folded)
    return any(p.pattern in (form if p.has_words else folded) for p in wanted if p.pattern)


def phrases(written: Iterable[str]) -> tuple[Phrase, ...]:
    return tuple(map(phrase, written))


def capitals(value: str) -> float:
    """The share of capital (and title case) letters among all letters; 0.0 without letters."""
    raw = value.encode()
    large, small = len(raw) - len(raw.translate(None, _LARGE)), len(raw) - len(raw.translate(None, _SMALL))
    if len(raw) != len(value):
        foreign = raw.translate(None, _ASCII).decode()
        above = sum(c.isupper() or c.istitle() for c in foreign if c.isalpha())
        large, small = large + above, small + sum(map(str.isalpha, foreign)) - above
    return large / (large + small) if large + small else 0.0


def may_be_capitals(raw: bytes, share: float) -> bool:
    """False only where `capitals` of a text, `raw` in UTF-8, is not above `share`: a quicker test, by ASCII alone."""
    large = len(raw) - len(raw.translate(None, _MAYBE_LARGE))  # at most
    limit, beginning = large * (1 - share) + 1, raw[:_BEGINNING]
    if (len(beginning) - len(beginning.translate(None, _SMALL))) * share >= limit:
        return False
    return (len(raw) - len(raw.translate(None, _SMALL))) * share < limit


def repeats(value: str) -> int:
    """The length of the longest run of one character, as written."""
    if not value:
        return 0
    if not value.isascii():
        return max((len(run.group()) for run in _RUN.finditer(value)), default=1)
    raw = int.from_bytes(value.encode())
    return 1 + _longest_of_zeros((raw ^ raw >> 8).to_bytes(len(value))[1:])  # zero: as the character before


def _longest_of_zeros(raw: bytes) -> int:
    more = 1
    while bytes(more) in raw:
        more *= 2
    return bisect_left(range(more), True, more // 2, more - 1, key=lambda length: bytes(length + 1) not in raw)


def speaks(tag: str, wanted: str) -> bool:
    """Whether a BCP 47 tag is the wanted one or begins with its subtags, in any case, `_` read as `-`."""
    have, want = tag.lower().replace("_", "-"), wanted.lower().replace("_", "-")
    return have == want or have.startswith(want + "-")


def any_under(domains: Iterable[str], parents: frozenset[str]) -> bool:
    return any(links.is_under(links.domain(domain), parents) for domain in domains)


def parent_domains(written: Iterable[str]) -> frozenset[str]:
    return frozenset(map(links.domain, written)) - {""}


def number(written: str) -> float:
    """The finite decimal number that is written, else 0.0."""
    if len(written) > _LONGEST_NUMBER or not _NUMBER.fullmatch(written):
        return 0.0
    value = float(written)
    return value if math.isfinite(value) else 0.0


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def int_quotient(dividend: int, divisor: int) -> int:
    """Division cut towards zero, as in CEL."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def int_remainder(dividend: int, divisor: int) -> int:
    """The remainder with the dividend's sign, as in CEL."""
    return dividend - divisor * int_quotient(dividend, divisor)


def double_quotient(dividend: float, divisor: float) -> float:
    """IEEE 754 division: nothing is raised for a zero."""
    if divisor:
        return dividend / divisor
    if dividend == 0 or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def one_equals(value: object, items: Iterable[object]) -> bool:
    """`in` for what need not equal itself (NaN), where Python's `in` looks at identity first."""
    return any(value == item for item in items)


def all_equal(left: tuple[object, ...], right: tuple[object, ...]) -> bool:
    """`==` for lists of what need not equal itself."""
    return len(left) == len(right) and all(a == b for a, b in zip(left, right, strict=True))


def regex(pattern: str) -> Callable[[bytes], object]:
    """The search for an RE2 pattern in UTF-8; truthy where it matches."""
    search: Callable[[bytes], object] = compiled(pattern).search
    return search


def compiled(pattern: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)
