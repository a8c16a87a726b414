"""What Vectorscan 5.4.12 needs to find all that an expression matches. To be thrown away with it: 5.4.13 does not.

Where one of at most eight pairs of characters begins a match, it leaps to them, and may leap too far (its pull request
368 mends that): at the end of what it scans, and where it pauses for another match. So no pair is one of so few: one of
its characters stands for nine, with eight that hardly any text has. Three in a row are left alone, since it finds those
in another way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from typing import Final

from comity.engine.functions import compiled

_RARE: Final = r"\x01-\x08"
_FEW: Final = 8
_IN_A_ROW: Final = 3
_ASCII: Final = 128
_TIMES: Final = re.compile(r"\{(\d+)")


def without_pairs(tokens: Sequence[re.Match[str]], parts: Sequence[str]) -> Iterator[str]:
    """The parts of an expression, those of few characters with more where they would meet another.

    `tokens`: how RE2's pattern has them.
    """
    in_row = _in_row(tokens)
    is_few = [number in in_row or _is_few(token) for number, token in enumerate(tokens)]
    is_wide = [_is_one(token) and not few for token, few in zip(tokens, is_few, strict=True)]
    for number, part in enumerate(parts):
        meets_none = not any(is_few[max(number - 1, 0) : number]) and any(is_wide[number + 1 : number + 2])
        if number in in_row or not is_few[number] or not _is_one(tokens[number]) or meets_none:
            yield part
        else:
            yield f"[{part.removeprefix('[').removesuffix(']') if len(part) > 2 else part}{_RARE}]"


def _in_row(tokens: Sequence[re.Match[str]]) -> Set[int]:
    """The places of characters that stand for themselves, three or more one after the other."""
    found, row, length = set[int](), list[int](), 0
    for number, token in enumerate(tokens):
        times = _TIMES.match(token[0])
        if is_literal(token):
            row.append(number)
            length += 1
        elif row and times and int(times[1]):
            length += int(times[1]) - 1
        else:
            if row and token[0][0] in "?*{":
                row.pop()
                length -= 1
            found.update(row if length >= _IN_A_ROW else ())
            row, length = [], 0
    return found.union(row if length >= _IN_A_ROW else ())


def _is_few(token: re.Match[str]) -> bool:
    """Whether it is one of at most eight characters, or an edge."""
    if token.lastgroup == "class":
        among = compiled(token[0])
        return token[0][1] != "^" and sum(among.search(bytes([code])) is not None for code in range(_ASCII)) <= _FEW
    return is_literal(token) or token[0] in (r"\s", "^", "$")


def _is_one(token: re.Match[str]) -> bool:
    """Whether it is one character, of few or many."""
    if token.lastgroup == "escape":
        return token[0][1] not in "bB"
    return token.lastgroup == "class" or (token.lastgroup == "plain" and token[0][0] not in "|^$)?*+")


def is_literal(token: re.Match[str]) -> bool:
    if token.lastgroup == "escape":
        return token[0][1] not in "dDwWsSbB"
    return token.lastgroup == "plain" and token[0][0] not in "|.^$)?*+"
