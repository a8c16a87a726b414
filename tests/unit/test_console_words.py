"""The person's page in every language that statements have: nothing is missing, and the English is plain."""

from __future__ import annotations

import re
from dataclasses import asdict

import pytest
from test_casework_languages import EACH, EASY, placeholders, reading_ease

from comity.casework.languages import LANGUAGES
from comity.console.words import ENGLISH, WORDS


def test_the_page_speaks_the_languages_of_statements() -> None:
    assert set(WORDS) == set(LANGUAGES)


@pytest.mark.parametrize("code", sorted(set(WORDS) - {"en"}))
def test_every_sentence_is_there_in_its_own_words_and_fills_in_the_same(code: str) -> None:
    english, other = asdict(ENGLISH), asdict(WORDS[code])
    assert [name for name, text in other.items() if not text.strip()] == []
    assert [name for name in english if placeholders(english[name]) != placeholders(other[name])] == []
    assert [name for name, text in english.items() if len(text.split()) > 2 and other[name] == text] == []


def test_the_english_sentences_are_plain() -> None:
    texts = [re.sub(r"\{\w+\}", "this", text) for text in asdict(ENGLISH).values() if len(text.split()) > 4]
    assert reading_ease(" ".join(texts)) >= EASY
    assert {text: round(reading_ease(text)) for text in texts if reading_ease(text) < EACH} == {}
