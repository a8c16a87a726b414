"""Laws of folded text, over text chosen to break them."""

from __future__ import annotations

import unicodedata
from importlib import import_module

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.engine.fold import fold, fold_with_spans
from comity.engine.folded import folded_bytes, folded_piece, folded_rows
from comity.engine.joined import foreign_in, pieces
from comity.engine.lookalikes import ASCII, FOREIGN
from comity.engine.words import occurrences, phrase, word_form, words_in

folding = import_module("comity.engine.fold")
NASTY = (
    *("a", "B", "i", "o", "1", "-", " ", "\t\n", "\x1c", "\u3000", "\u2028", "\u200b", "\u200d", "\u00ad", "\ufe0f"),
    *("\u0301", "\u0307", "\u0345", "\u0338", "\u3099", "\u1161", "\u11a8", "\u1100", "\uff9e", "\u09be", "\u0dcf"),
    *("İ", "I", "ı", "ß", "ẞ", "Σ", "ς", "σ", "ſ", "\u212a", "\u212b", "ﬁ", "ﬃ", "㎏", "½", "²", "Ⅷ", "ａ", "Ａ", "１"),
    *(
        "а",
        "А",
        "В",
        "в",
        "о",
        "р",
        "Ѕ",
        "ж",
        "α",
        "Ν",
        "ν",
        "Ι",
        "ͺ",
        "΅",
        "ـ",
        "ه",
        "١",
        "۱",
        "߀",
        "০",
        "〇",
        "\u3164",
    ),
    *("我", "ア", "ー", "ｱ", "한", "ก", "ำ", "\U0001d400", "\U0001d7ce", "💩", "\u0130", "\u1e9e", "\u2126", "\ufdfa"),
)
PHRASES = ("free money", "x*", "我", "爱a", "💩", "á", "i̇", "1", "ไทย", "ж", "σοσ")
nasty = st.lists(st.sampled_from(NASTY), max_size=8).map("".join)
texts = st.one_of(nasty, st.text(max_size=12), st.tuples(nasty, st.text(max_size=3), nasty).map("".join))
more = settings(max_examples=8 * settings().max_examples)


def _only_foreign(text: str) -> str:
    return "".join(character for character in text if not character.isascii())


@more
@given(texts)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@more
@given(texts)
def test_the_quick_way_leads_to_the_same_fold(text: str) -> None:
    assert folding._fold(text) == folding._fold_whole(text)


def test_the_quick_way_leads_to_the_same_fold_for_every_character_among_others() -> None:
    for code in (*range(0x3400), *range(0x3400, 0xD800, 17), *range(0xF900, 0x20000, 3), *range(0xE0000, 0xE0200)):
        text = f"“A{chr(code)} B{chr(code)}é {chr(code)}"
        assert folding._fold(text) == folding._fold_whole(text), hex(code)


@more
@given(
    st.lists(
        st.one_of(
            texts, st.sampled_from(("", "a\0b", "\0", "a\n\0b", "\n", "a\n\nb", " \u200b a", "a  b", "é\u00a0 b"))
        ),
        max_size=6,
    )
)
def test_rows_fold_as_each_of_them_does(some: list[str]) -> None:
    forget()
    rows = [row for piece in pieces(some) for row in folded_rows(piece)]
    assert rows == [fold(text).encode() for text in some] == list(map(folded_bytes, some))


@more
@given(st.tuples(st.sampled_from(("", "A", "b  C", "c\t")), nasty.map(_only_foreign), st.sampled_from(("", "d", " E"))))
def test_one_piece_among_words_folds_as_it_does_alone(parts: tuple[str, str, str]) -> None:
    _demand_quick_ways_agree(" ".join(parts))


def test_one_piece_among_words_folds_as_it_does_alone_for_every_character() -> None:
    for code in (*range(0x80, 0x3400), *range(0x3400, 0xD800, 17), *range(0xF900, 0x20000, 3)):
        _demand_quick_ways_agree(f"A {chr(code)}ж b")


def _demand_quick_ways_agree(text: str) -> None:
    whole, raw = fold(text), text.encode()
    rows = [row for piece in pieces([text]) for row in folded_rows(piece)]
    assert [folded_bytes(text)] == rows == [whole.encode()], ascii(text)
    words = words_in(raw, foreign_in(raw))
    assert words is None or words.split() == word_form(whole).encode().split(), ascii(text)


@more
@given(texts)
def test_the_fold_that_knows_its_places_is_the_fold(text: str) -> None:
    assert fold_with_spans(text).text == fold(text)


@more
@given(texts)
def test_every_folded_character_came_from_somewhere_in_order(text: str) -> None:
    folded = fold_with_spans(text)
    assert all(0 <= start < end <= len(text) for start, end in zip(folded.starts, folded.ends, strict=True))
    assert list(folded.starts) == sorted(folded.starts)
    assert list(folded.ends) == sorted(folded.ends)


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=20))
def test_of_ascii_only_case_and_white_space_change(text: str) -> None:
    words = fold(text).split()
    assert words == text.lower().split()


@given(texts)
def test_folded_text_shows_no_format_characters_and_no_wide_spaces(text: str) -> None:
    folded = fold(text)
    assert not any(unicodedata.category(character) == "Cf" for character in folded)
    assert "  " not in folded
    assert not any(character.isspace() and character != " " for character in folded)


@pytest.mark.parametrize(("foreign", "plain"), list(zip(FOREIGN, ASCII, strict=True)))
def test_every_look_alike_is_seen_through_in_a_mixed_word_and_left_alone_in_its_own(foreign: str, plain: str) -> None:
    if unicodedata.name(foreign).startswith("LATIN"):
        assert fold(f"x{foreign}x") != f"x{plain}x"
    elif unicodedata.category(foreign)[0] in "LN":
        assert fold(f"x{foreign}x") == f"x{plain}x"
    assert not fold(foreign).isascii()


def test_the_look_alikes_are_the_data_s() -> None:
    assert len(FOREIGN) == len(ASCII) == len(set(FOREIGN)) == 401
    assert ASCII.isascii()
    assert ASCII.isalnum()
    assert ASCII.lower() == ASCII


@given(texts, st.sampled_from(PHRASES))
def test_a_phrase_is_found_where_its_word_form_is_contained(text: str, written: str) -> None:
    folded, wanted = fold(text), phrase(written)
    contained = wanted.pattern in (word_form(folded) if wanted.has_words else folded)
    spans = list(occurrences(wanted, folded))
    assert bool(spans) == contained
    assert all(0 <= start < end <= len(folded) for start, end in spans)


@more
@given(nasty, st.sampled_from(PHRASES), nasty)
def test_a_span_s_original_text_folds_to_the_phrase(before: str, written: str, after: str) -> None:
    """Look-alikes aside: whether one is mapped depends on its whole word, and the span may be a part of it."""
    text = f"{before} {disguised(written)}{after} {written} {after}"
    folded = fold_with_spans(text)
    for start, end in occurrences(phrase(written), folded.text):
        span = folded.original(start, end)
        assert any(occurrences(phrase(seen(written)), seen(text[span.start : span.end])))


def disguised(written: str) -> str:
    """In capitals and wide letters, with what shows nothing inside."""
    return "\u200b".join(chr(ord(c) + 0xFEE0) if "a" <= c <= "z" else c.upper() for c in written)


def seen(text: str) -> str:
    return fold(fold(text).translate(dict(zip(map(ord, FOREIGN), ASCII, strict=True))))


FAULTS = {
    "case folding for lower case": ("_lower", str.casefold),
    "a lower case that looks at its neighbours": ("_lower", str.lower),
    "look-alikes everywhere": ("_mixes_scripts", lambda word: True),
    "no look-alikes": ("_without_lookalikes", lambda text: text),
}
KNOWN = {
    "Straße": "straße",
    "Straße, мир": "straße, мир",
    "ΟΔΟΣ ΣΟΣ": "οδοσ σοσ",
    "ΣΑΣ!": "σασ!",
    "p\u043ern": "porn",
    "Вad": "bad",
    "привет, мир": "привет, мир",
    "\u0430\u0301b": "áb",
    "fr\u200bee\u00ad": "free",
    "ＦＲＥＥ\u3000\n ｍｏｎｅｙ": "free money",
    "İstanbul ısı": "i̇stanbul ısı",
    "pom": "pom",
    "سال۱۴۰۰": "سال۱۴۰۰",
    "二〇二六年": "二〇二六年",
    " a\t\n b ": " a b ",
    "": "",
}


@pytest.mark.parametrize("text", KNOWN)
def test_known_texts_fold_as_known(text: str) -> None:
    assert fold(text) == KNOWN[text]


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forget()
    monkeypatch.setattr(folding, *FAULTS[name])
    assert any(fold(text) != folded for text, folded in KNOWN.items())
    forget()


def forget() -> None:
    """What was folded without the fault, or with it."""
    caches = (folding._known_chunk, folding._known_fold, folding._known_piece, folding._known_seen, folding.on_its_own)
    for cache in (*caches, folded_piece):
        cache.cache_clear()


def test_much_of_anything_folds_in_time() -> None:
    for piece in ("a\u0301", "\u0430a", "\u200b ", "İ", "\ufdfa", "\u1100\u1161", "\u0345", "жo", "\n"):
        text = piece * (100_000 // len(piece))
        assert fold(fold(text)) == fold(text)


PLAIN = st.text(st.sampled_from(("a", "b", "1", " ", "-", ".", "\x1f")), max_size=12)


@given(PLAIN, st.builds("{}{}".format, PLAIN, st.sampled_from(("", "*"))))
@settings(max_examples=300)
def test_a_phrase_stands_in_ascii_where_it_stands_beside_another_script(text: str, written: str) -> None:
    folded = fold(text)
    assert list(occurrences(phrase(written), folded)) == list(occurrences(phrase(written), f"{folded} ж"))
