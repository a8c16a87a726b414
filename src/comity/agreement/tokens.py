"""Where the words of a rule begin and end.

CEL's parser gives one position a node, often that of its operator. These tokens turn positions into whole spans;
they decide nothing about the language and are only read beside a rule that CEL's parser has accepted or refused.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from comity.model.expression import Span

_STRING: Final = r"""(?s:'''.*?'''|\"\"\".*?\"\"\"|'[^'\n]*'|"[^"\n]*")"""
_ESCAPED: Final = r"""(?s:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")"""
_TOKEN: Final = re.compile(
    rf"""
      (?P<space>[ \t\n\r\f]+ | //[^\n]*)
    | (?P<text>(?:[bB]?[rR]|[rR][bB]){_STRING} | [bB]?{_ESCAPED})
    | (?P<number>0x[0-9a-fA-F]+[uU]? | [0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)? | [0-9]+[eE][+-]?[0-9]+ | [0-9]+[uU]?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<mark>&&|\|\||[<>=!]=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSES: Final = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    kind: str  # text, number, name or mark
    text: str
    at: Span


class Tokens:
    """The tokens of one rule, found by the position of any of their characters."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = tuple(
            Token(kind=str(found.lastgroup), text=found[0], at=Span(start=found.start(), end=found.end()))
            for found in _TOKEN.finditer(source)
            if found.lastgroup != "space"
        )
        self._starts = [token.at.start for token in self._tokens]
        self._partners, self.unclosed = _pair(self._tokens)

    @property
    def last(self) -> Span | None:
        """The last token, or None in a rule of nothing but space and comments."""
        return self._tokens[-1].at if self._tokens else None

    def span_at(self, position: int) -> Span:
        """The token that holds `position`; an empty span at the end of the rule when there is none."""
        index = self._index(position)
        if index >= 0 and position < self._tokens[index].at.end:
            return self._tokens[index].at
        position = min(position, len(self._source))
        return Span(start=position, end=min(position + 1, len(self._source)))

    def before(self, position: int) -> Token | None:
        """The token that ends before the one at `position` begins."""
        index = self._index(position) - 1
        return self._tokens[index] if index >= 0 else None

    def after(self, position: int) -> Token | None:
        """The token that follows the one at `position`."""
        index = self._index(position) + 1
        return self._tokens[index] if index < len(self._tokens) else None

    def opening(self, position: int, mark: str) -> int:
        """Where the first `mark` at or after `position` is; `position` itself if there is none."""
        for token in self._tokens[max(self._index(position), 0) :]:
            if token.text == mark:
                return token.at.start
        return position

    def closing(self, position: int) -> int:
        """The end of the bracket that closes the one at `position`."""
        index = self._index(position)
        return self._tokens[self._partners.get(index, index)].at.end

    def cover(self, start: int, end: int) -> Span:
        """The span from `start` to `end`, widened until each of its brackets has its partner."""
        first, last = self._index(start), self._index(end - 1)
        low, high = first, last
        while True:
            partners = [self._partners[index] for index in range(first, last + 1) if index in self._partners]
            low, high = min([low, *partners]), max([high, *partners])
            if (low, high) == (first, last):
                return Span(start=self._tokens[low].at.start, end=self._tokens[high].at.end)
            first, last = low, high

    def prefixed(self, start: int) -> int:
        """`start`, or where the `!` and `-` begin that stand directly before it.

        CEL's parser drops pairs of them; a comparison's span still shows them.
        """
        index = self._index(start)
        while index > 0 and self._is_prefix(index - 1):
            index -= 1
        return self._tokens[index].at.start

    def _is_prefix(self, index: int) -> bool:
        if self._tokens[index].text == "!":
            return True
        if self._tokens[index].text != "-":
            return False
        before = self._tokens[index - 1] if index else None
        return before is None or (before.kind == "mark" and before.text not in _CLOSES)

    def _index(self, position: int) -> int:
        return bisect_right(self._starts, position) - 1


def _pair(tokens: tuple[Token, ...]) -> tuple[dict[int, int], Span | None]:
    """Each bracket's partner by index, and the innermost bracket that is never closed."""
    partners: dict[int, int] = {}
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token.text in ("(", "[", "{"):
            opened.append(index)
        elif token.text in _CLOSES and opened and tokens[opened[-1]].text == _CLOSES[token.text]:
            partners[index] = opened[-1]
            partners[opened.pop()] = index
    return partners, tokens[opened[-1]].at if opened else None
