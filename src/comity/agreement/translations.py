"""Translations: the same clauses in other words, without rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from comity.agreement.document import read_document
from comity.agreement.front_matter import (
    FrontMatter,
    TranslationFile,
    front_matter_end,
    read_translated_front_matter,
)
from comity.agreement.outline import Outline, Section, read_outline
from comity.agreement.problems import Problems, nearest, quoted
from comity.agreement.source import Source
from comity.model.agreement import TranslatedClause, Translation
from comity.model.clause import MEASURES_ID
from comity.model.ids import ClauseId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTranslation:
    """A translation, and its outline for checks against the main file."""

    translation: Translation
    outline: Outline


def read_translation(
    declared: TranslationFile, source: Source, main: FrontMatter, sections: Iterable[Section], problems: Problems
) -> ReadTranslation:
    """A translation of the agreement with those sections; where it differs from them is reported."""
    front = read_translated_front_matter(source, problems)
    document = read_document(source, front_matter_end(source) or 0, problems)
    outline = read_outline(document, problems)
    _check_language(declared, front, problems)
    _check_conditions(declared, front, main, problems)
    _check_fences(outline, problems)
    _check_clauses(declared, outline, {section.id: section for section in sections}, problems)
    translation = Translation(
        language=declared.language,
        title=front.title,
        clauses={
            section.id: TranslatedClause(title=section.title, prose=section.prose)
            for section in outline.sections
            if section.id != MEASURES_ID
        },
        conditions=front.conditions,
    )
    return ReadTranslation(translation=translation, outline=outline)


def _check_language(declared: TranslationFile, front: FrontMatter, problems: Problems) -> None:
    if front.language_at is not None and front.language.lower() != declared.language.lower():
        problems.error(
            "C097",
            front.language_at,
            f"the translation calls its language {quoted(front.language)}",
            label=f"the agreement calls it `{declared.language}`",
            help="write the same tag in both files",
        )


def _check_conditions(declared: TranslationFile, front: FrontMatter, main: FrontMatter, problems: Problems) -> None:
    for name in front.condition_names:
        if name.value not in main.conditions:
            message = f"the agreement declares no condition {quoted(name.value)}"
            problems.error("C097", name.at, message, help=nearest(name.value, main.conditions))
    for condition in main.conditions:
        if condition not in front.conditions:
            message = f"the condition `{condition}` has no text in `{declared.language}`"
            problems.warning("C097", declared.at, message, help="add it to the translation's front matter")


def _check_fences(outline: Outline, problems: Problems) -> None:
    fences = [fence for section in outline.sections for fence in section.fences]
    for fence in (*outline.loose_fences, *fences):
        if fence.word in ("rule", "examples"):
            help = "delete it: the rules and examples of the main file hold in every language"
            problems.error("C096", fence.at, f"a translation holds no `{fence.word}` fence", help=help)


def _check_clauses(
    declared: TranslationFile, outline: Outline, sections: dict[ClauseId, Section], problems: Problems
) -> None:
    translated = {section.id: section for section in outline.sections}
    for clause in sections:
        if clause not in translated and clause != MEASURES_ID:
            help = f"add a heading with `{{#{clause}}}` to the translation"
            problems.error("C095", declared.at, f"the translation lacks the clause `{clause}`", help=help)
    for clause, section in translated.items():
        if clause not in sections:
            message = f"the agreement has no clause `{clause}`"
            problems.error("C095", section.at, message, help=nearest(clause, sections))
        elif not section.has_words and sections[clause].has_words and clause != MEASURES_ID:
            message = f"the clause `{clause}` has no prose in this language"
            problems.error("C062", section.at, message, help="translate its prose")
