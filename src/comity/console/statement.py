"""The person's page and the page behind a refusal link: what stands on them, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from comity.casework.appeal import LARGEST_ATTACHMENT, LONGEST_TEXT, MOST_ATTACHMENTS, last_moment
from comity.casework.facts import Party
from comity.casework.languages import Language, language_of
from comity.casework.printing import paragraphs_as_html
from comity.casework.record import standing
from comity.casework.spoken import dated, listed, measure_in_words, whole
from comity.casework.wording import Section, refusal, sections
from comity.console.forms import Form
from comity.console.words import Words, words_of
from comity.flow.subject import Told, waits_for_reading
from comity.model.measure import State

LONGEST_NAME: Final = 200
_MB: Final = 1_000_000
EMPTY: Final = Form(fields={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A section of the page."""

    title: str
    body: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """What the account may do on some channels. `elsewhere`: the measure is another statement's."""

    state: State
    said: str
    elsewhere: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An appeal that was filed or offered."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`told` stands before the part on disagreeing, `since` after it. `typed`: what a refused form had."""

    here: str
    title: str
    id: str
    now: Part | None
    told: tuple[Part, ...]
    disagree: Part
    since: Part | None
    standing: tuple[Channels, ...]
    appeals: tuple[Written, ...]
    offers: tuple[Written, ...]
    waits_for_reading: bool
    may_appeal: bool
    closed: str
    done: str
    problems: tuple[str, ...]
    typed: str
    typed_by: str
    most_said: str
    most: int = LONGEST_TEXT
    most_files: int = MOST_ATTACHMENTS
    most_size: int = LARGEST_ATTACHMENT // _MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How a page is asked for: where it is, when, and what its reader has just done or tried."""

    here: str
    at: datetime
    zone: ZoneInfo
    done: str = ""
    problems: tuple[str, ...] = ()
    form: Form = EMPTY


def own_page(told: Told, seen: Seen) -> Page:
    """For the account: everything."""
    window = told.version.appeal_window if told.version else None
    written = sections(told.one, zone=seen.zone, appeal_window=window)
    return _page(told, seen, written, tuple(_standing(told, seen)))


def refused_page(told: Told, seen: Seen) -> Page:
    """For anybody who was refused, or found the link: no name, no message, no standing."""
    window = told.version.appeal_window if told.version else None
    return _page(told, seen, refusal(told.one, zone=seen.zone, appeal_window=window), ())


def problems_of(form: Form, words: Words) -> Iterator[str]:
    """What has to be mended before the form can be sent again."""
    text, name = form.text("text"), form.text("by")
    if not text.strip():
        yield words.no_text
    if len(text) > LONGEST_TEXT:
        say = language_of(words.code)
        yield words.long_text.format(count=whole(len(text), say), most=whole(LONGEST_TEXT, say))
    if len(name) > LONGEST_NAME:
        yield words.long_name.format(count=whole(len(name), language_of(words.code)), most=LONGEST_NAME)
    if len(form.files) > MOST_ATTACHMENTS:
        yield words.many_files.format(count=len(form.files), most=MOST_ATTACHMENTS)
    for file, content in form.files:
        if len(content) > LARGEST_ATTACHMENT:
            yield words.large_file.format(name=file, size=LARGEST_ATTACHMENT // _MB)


def _page(told: Told, seen: Seen, written: Sequence[Section], standings: tuple[Channels, ...]) -> Page:
    one, say, words = told.one, _say(told), words_of(told.one.decided.statement.language)
    parts = {section.title: _part(section) for section in written}
    apart = (say.title_now, say.title_disagree, say.title_since)
    closed = _closed(told, seen, say, words)
    return Page(
        here=seen.here,
        title=say.title.format(id="").strip(),
        id=one.id,
        now=parts.get(say.title_now),
        told=tuple(part for title, part in parts.items() if title not in apart),
        disagree=parts[say.title_disagree],
        since=parts.get(say.title_since),
        standing=standings,
        appeals=tuple(_appeals(told, seen, say, words)),
        offers=tuple(_offers(told, seen, say, words)),
        waits_for_reading=waits_for_reading(one, seen.at),
        may_appeal=not closed and not one.own_appeals,
        closed=closed,
        done=seen.done,
        problems=seen.problems,
        typed=seen.form.text("text"),
        typed_by=seen.form.text("by"),
        most_said=whole(LONGEST_TEXT, say),
    )


def _part(section: Section) -> Part:
    return Part(title=section.title, body=Markup(paragraphs_as_html(section.paragraphs)))  # noqa: S704 - it escapes


def _say(told: Told) -> Language:
    return language_of(told.one.decided.statement.language)


def _standing(told: Told, seen: Seen) -> Iterator[Channels]:
    """What is restricted first, each measure once; then all that is open."""
    say, words = _say(told), words_of(told.one.decided.statement.language)
    channels = told.version.channels if told.version else told.record.restricted
    found = [standing(told.record, channel, seen.at) for channel in channels]
    for by in dict.fromkeys(each.by for each in found if each.by is not None):
        state = next(each.state for each in found if each.by == by)
        is_this = by.decision == told.one.id
        yield Channels(
            state=state,
            said=measure_in_words(by, seen.zone, say),
            elsewhere="" if is_this else words.other_statement.format(id=by.decision),
        )
    free = [each.channel for each in found if each.by is None]
    if free:
        yield Channels(state=State.OPEN, said=words.open_on.format(channels=listed(free, say)))


def _appeals(told: Told, seen: Seen, say: Language, words: Words) -> Iterator[Written]:
    for each in told.one.own_appeals:
        at = dated(each.filed.at, seen.zone, say)
        yield Written(id=each.filed.appeal, title=words.your_appeal.format(at=at), text=each.filed.text)


def _offers(told: Told, seen: Seen, say: Language, words: Words) -> Iterator[Written]:
    for each in told.one.offers:
        at = dated(each.at, seen.zone, say)
        yield Written(id=each.offer, title=words.offered_why.format(at=at), text=each.text)


def _closed(told: Told, seen: Seen, say: Language, words: Words) -> str:
    """Empty while appeals are taken."""
    one = told.one
    if one.delivered is None or one.own_appeals:
        return ""
    window = told.version.appeal_window if told.version else None
    until = last_moment(told.record, one.delivered, window, Party.ACCOUNT)
    return words.appeal_closed.format(at=dated(until, seen.zone, say)) if until <= seen.at else ""
