"""Texts measured many at once are measured as one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.engine import functions, joined, links
from comity.engine.fold import fold
from comity.engine.joined import Joined
from comity.flow import texts
from comity.flow.hashes import Hasher

SIGNS = ("https://a.example", "HTTP://B.example/x.", "www.", "WwW.c.example", "ftp:/", "://", ":", "w.", "ſ://", "K")
PIECES = (*SIGNS, "  ", " \t\n\x1c", "\0", "Ab", "ÄÖ", "ß", "Ꙁ", "\u200b", "ﬁ", "0", "İ", "Ǆ", "a\n")
SOUGHT = ("a\n", "\n", "K", "\0", "", "Ä", " ")
HASHER = Hasher(b"0123456789abcdef")
written = st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=["Cs"]), max_size=6).map("".join)


def differences(every: Sequence[str]) -> list[str]:
    measures = (texts.sizes, texts.capitals, texts.link_counts, texts.hashes(HASHER), *map(texts.contains, SOUGHT))
    measured = [
        row
        for piece in joined.pieces(every)
        for row in zip(*(measure(piece).tolist() for measure in measures), strict=True)
    ]
    assert len(measured) == len(every)
    pairs = zip(every, measured, map(one_by_one, every), strict=True)
    return [f"{text!r}: {a} but {b}" for text, a, b in pairs if a != b]


def one_by_one(text: str) -> tuple[object, ...]:
    hashed = HASHER.of_each([fold(text).encode()]).tolist()
    sought = [wanted in text for wanted in SOUGHT]
    return (len(text), functions.capitals(text), len(links.links(text)), *hashed, *sought)


@given(st.lists(written, max_size=12))
def test_they_are_measured_as_one_by_one(every: list[str]) -> None:
    assert differences(every) == []


@given(st.lists(written, max_size=12), st.integers(1, 8))
def test_they_are_however_they_are_cut(every: list[str], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joined, "TOGETHER", most)
        assert differences(every) == []


def test_a_link_at_the_edge_of_a_text_is_found_in_that_text() -> None:
    assert differences(["https:", "//a.example", "www", ".b.example", "", "x:", "//"]) == []


def over_the_edge(wanted: str) -> Callable[[Joined], np.ndarray]:
    """A search that takes what is between texts for theirs."""

    def found(every: Joined) -> np.ndarray:
        nexts = [*every.starts[1:].tolist(), len(every.raw)]
        return np.array([wanted.encode() in every.raw[a:b] for a, b in zip(every.starts, nexts, strict=True)])

    return found


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("_LETTERS", 25),
        ("_FOLDED", bytes(range(256)).lower()),
        ("_with_signs_of_links", lambda _: []),
        ("_to_be_spaced", lambda *_: []),
        ("contains", over_the_edge),
    ],
)
def test_a_fault_is_seen(name: str, fault: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, name, fault)
    assert differences(["aZ", "a\tb", "a  b", "see www.a.example"]) != []
