"""The languages of the person's page: those that statements are written in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from comity.console.words.de import GERMAN
from comity.console.words.en import ENGLISH
from comity.console.words.fr import FRENCH
from comity.console.words.words import Words

__all__ = ["ENGLISH", "WORDS", "Words", "words_of"]

WORDS: Final[Mapping[str, Words]] = MappingProxyType({each.code: each for each in (ENGLISH, GERMAN, FRENCH)})


def words_of(tag: str) -> Words:
    """The sentences for a BCP 47 tag; English where there are none."""
    return WORDS.get(tag.lower().split("-")[0], ENGLISH)
