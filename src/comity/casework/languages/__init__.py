"""The languages that statements are written in: one file each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from comity.casework.languages.de import GERMAN
from comity.casework.languages.en import ENGLISH
from comity.casework.languages.fr import FRENCH
from comity.casework.languages.language import Language

__all__ = ["ENGLISH", "LANGUAGES", "Language", "language_of"]

LANGUAGES: Final[Mapping[str, Language]] = MappingProxyType({each.code: each for each in (ENGLISH, GERMAN, FRENCH)})


def language_of(tag: str) -> Language:
    """The sentences for a BCP 47 tag; English where there are none."""
    return LANGUAGES.get(tag.lower().split("-")[0], ENGLISH)
