"""Texts measured many at once are measured as one by one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.engine import functions, links
from comity.engine.fold import fold
from comity.flow import texts

SIGNS = ("https://a.example", "HTTP://B.example/x.", "www.", "WwW.c.example", "ftp:/", "://", ":", "w.", "ſ://", "K")
PIECES = (*SIGNS, "  ", " \t\n\x1c", "\0", "Ab", "ÄÖ", "ß", "Ꙁ", "\u200b", "ﬁ", "0", "İ", "Ǆ")
written = st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=["Cs"]), max_size=6).map("".join)


def differences(every: Sequence[str]) -> list[str]:
    measured = [
        (size, share, count, folded.decode())
        for piece in texts.pieces(every)
        for size, share, count, folded in zip(
            texts.sizes(piece).tolist(),
            texts.capitals(piece).tolist(),
            texts.link_counts(piece).tolist(),
            texts.folded(piece),
            strict=True,
        )
    ]
    one_by_one = [(len(text), functions.capitals(text), len(links.links(text)), fold(text)) for text in every]
    assert len(measured) == len(every)
    return [f"{text!r}: {a} but {b}" for text, a, b in zip(every, measured, one_by_one, strict=True) if a != b]


@given(st.lists(written, max_size=12))
def test_they_are_measured_as_one_by_one(every: list[str]) -> None:
    assert differences(every) == []


@given(st.lists(written, max_size=12), st.integers(1, 8))
def test_they_are_however_they_are_cut(every: list[str], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "_CHARACTERS", most)
        assert differences(every) == []


def test_a_link_at_the_edge_of_a_text_is_found_in_that_text() -> None:
    assert differences(["https:", "//a.example", "www", ".b.example", "", "x:", "//"]) == []


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("_LETTERS", 25),
        ("_FOLDED", bytes(range(256)).lower()),
        ("_with_signs_of_links", lambda _: []),
    ],
)
def test_a_fault_is_seen(name: str, fault: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, name, fault)
    assert differences(["aZ", "a\tb", "see www.a.example"]) != []
