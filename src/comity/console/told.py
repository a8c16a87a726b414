"""A statement as a part of a console's page: the very sentences that its account reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from markupsafe import Markup

from comity.casework.languages import language_of
from comity.casework.printing import paragraphs_as_html
from comity.casework.wording import Section, sections
from comity.flow.preview import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    title: str
    body: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`id`: of one that is not sent yet it is none that the person will see."""

    id: str
    title: str
    language: str
    parts: tuple[Part, ...]


def told(statements: Iterable[Statement], zone: ZoneInfo) -> tuple[Told, ...]:
    return tuple(_told(each, zone) for each in statements)


def _told(one: Statement, zone: ZoneInfo) -> Told:
    statement = one.one.decided.statement
    say = language_of(statement.language)
    window = one.agreement.appeal_window if one.agreement else None
    parts = sections(one.one, zone=zone, appeal_window=window)
    return Told(
        id=one.one.id,
        title=say.title.format(id=statement.id),
        language=say.code,
        parts=tuple(map(_part, parts)),
    )


def _part(section: Section) -> Part:
    return Part(title=section.title, body=Markup(paragraphs_as_html(section.paragraphs)))  # noqa: S704 - it escapes
