"""A text with the passages of its evidence marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from comity.model.finding import Passage


class Piece(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A stretch of a text. `why`: what was found there; empty where nothing was."""

    text: str
    why: str = ""


def pieces(text: str, passages: Iterable[Passage]) -> tuple[Piece, ...]:
    """The whole text, in order. Passages that overlap are one, found for all of their reasons."""
    return tuple(piece for piece in _pieces(text, sorted(passages, key=lambda one: (one.start, one.end))) if piece.text)


def _pieces(text: str, passages: Iterable[Passage]) -> Iterator[Piece]:
    done = 0
    for start, end, why in _together(passages):
        yield Piece(text=text[done:start])
        yield Piece(text=text[start:end], why=why)
        done = end
    yield Piece(text=text[done:])


def _together(passages: Iterable[Passage]) -> Iterator[tuple[int, int, str]]:
    start, end, whys = 0, 0, list[str]()
    for one in passages:
        if one.start >= end:
            if whys:
                yield start, end, "; ".join(dict.fromkeys(whys))
            start, end, whys = one.start, one.end, []
        end = max(end, one.end)
        whys.append(" ".join(one.why.split()))
    if whys:
        yield start, end, "; ".join(dict.fromkeys(whys))
