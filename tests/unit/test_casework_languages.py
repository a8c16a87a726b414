"""The fixed sentences: no language misses one or fills it differently, and the English ones are easy to read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from string import Formatter
from typing import Final

import pytest

from comity.casework.languages import ENGLISH, LANGUAGES, Language, language_of

EASY: Final = 60.0
"""Flesch reading ease: 60 to 70 is plain English, understood at the age of 13 to 15."""
EACH: Final = 30.0
"""No sentence alone may be harder, unless the law's own words in it make it so."""
LEGAL: Final = "certified out-of-court dispute body"


def sentences(language: Language) -> dict[str, str]:
    """Every sentence by its place: `kinds.warn`, `removed.0`."""
    return {
        place: text for field in fields(language) for place, text in placed(field.name, getattr(language, field.name))
    }


def placed(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from placed(f"{name}.{key}", each)
    elif isinstance(value, tuple):
        for number, each in enumerate(value):
            yield from placed(f"{name}.{number}", each)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_no_language_misses_a_sentence_or_a_placeholder(code: str) -> None:
    english, other = sentences(ENGLISH), sentences(LANGUAGES[code])
    assert other.keys() == english.keys()
    assert [place for place, text in other.items() if not text] == []
    differ = [place for place in english if placeholders(english[place]) != placeholders(other[place])]
    assert differ == []


@pytest.mark.parametrize("code", sorted(set(LANGUAGES) - {"en"}))
def test_no_sentence_is_left_in_english(code: str) -> None:
    english, other = sentences(ENGLISH), sentences(LANGUAGES[code])
    assert [place for place, text in english.items() if len(text.split()) > 4 and other[place] == text] == []


@pytest.mark.parametrize(("tag", "code"), [("de", "de"), ("de-AT", "de"), ("FR", "fr"), ("ja", "en"), ("", "en")])
def test_a_language_is_found_by_its_tag_and_english_stands_in(tag: str, code: str) -> None:
    assert language_of(tag).code == code


def syllables(word: str) -> int:
    """Groups of vowels, without a silent e at the end."""
    word = re.sub(r"(?<=[^aeiouyl])e$|(?<=[^aeiouytd])ed$|(?<=[^aeiouyscxz])es$", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]+", word)))


def reading_ease(text: str) -> float:
    """Flesch reading ease: 100 is very easy, below 50 is difficult."""
    words = re.findall(r"[A-Za-z']+", text)
    told = max(1, len(re.findall(r"[.;:!?](?:\s|$)", text)))
    return 206.835 - 1.015 * len(words) / told - 84.6 * sum(map(syllables, words)) / len(words)


def prose() -> list[str]:
    """The English sentences that are whole, with short words where something is filled in."""
    texts = (re.sub(r"\{\w+\}", "this", text) for text in sentences(ENGLISH).values())
    return [text for text in texts if text.endswith((".", ":")) and len(text.split()) > 4]


def test_syllables_are_counted_nearly_right() -> None:
    words = {"measure": 2, "decided": 3, "the": 1, "removed": 2, "agreement": 3, "reviewer": 3, "automatically": 6}
    assert {word: syllables(word) for word in words} == words


def test_the_fixed_sentences_are_plain_english() -> None:
    assert reading_ease(" ".join(prose())) >= EASY


def test_no_fixed_sentence_is_hard_to_read() -> None:
    hard = {text: round(reading_ease(text)) for text in prose() if reading_ease(text) < EACH and LEGAL not in text}
    assert hard == {}


def test_what_rules_measure_is_said_in_plain_english() -> None:
    said = {text: re.sub(r"\{\w+\}", "this", text) + ": 4." for text in ENGLISH.features.values()}
    assert {text: reading_ease(one) for text, one in said.items() if reading_ease(one) < EACH} == {}
    assert reading_ease(" ".join(said.values())) >= EASY


def test_officialese_is_caught() -> None:
    officialese = "Notwithstanding applicable administrative provisions, termination of participation is effectuated."
    assert reading_ease(officialese) < EACH
