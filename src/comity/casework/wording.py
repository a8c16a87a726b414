"""A statement in the words that its reader gets: sections of plain sentences, printed as text or as HTML.

What happened since it was issued is told after the original text, under a heading of its own; the original sections
never change. The sentences are in `languages`; what the agreement says is quoted as the statement holds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from comity.casework.facts import Joined, Party
from comity.casework.languages import Language, language_of
from comity.casework.recorded import Recorded, later, more_time
from comity.casework.since import since
from comity.casework.spoken import called, dated, day, measure_in_words, one_or_many, period, several
from comity.casework.statement import appeal_until
from comity.casework.visible import printable
from comity.casework.why import reasons
from comity.model.clause import Kind
from comity.model.duration import Duration
from comity.model.ids import Channel, DecisionId
from comity.model.statement import Breach, Origin, Statement

__all__ = ["Section", "counted", "dated", "flowing", "measure_in_words", "printable", "refusal", "sections", "unsent"]


_MAIL: Final = Channel("mail")


class Section(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A heading and its paragraphs. A paragraph that begins with `> ` is a quotation."""

    title: str
    paragraphs: tuple[str, ...]


def sections(one: Recorded, *, zone: ZoneInfo, appeal_window: Duration | None) -> tuple[Section, ...]:
    """The whole statement for a reader in `zone`."""
    statement = one.decided.statement
    say = language_of(statement.language)
    return _sections(
        (say.title_now, _now(one, say)),
        (say.title_decided, _decided(one, zone, say)),
        (one_or_many(say.title_messages, len(statement.messages)), _message(statement, zone, say)),
        (one_or_many(say.title_clauses, len(statement.clauses)), _clauses(statement, say)),
        (say.title_why, _why(statement, zone, say)),
        (say.title_points, _points(statement, say)),
        (say.title_disagree, _appeal(one, zone, appeal_window, say)),
        (say.title_since, since(one, zone, say)),
    )


def unsent(one: Recorded) -> Recorded:
    """A statement as it would be sent, to be read before: what is sent gets another id, so this shows none."""
    statement = one.decided.statement
    shown = replace(statement, id=DecisionId(language_of(statement.language).preview))
    return replace(one, decided=replace(one.decided, statement=shown))


def refusal(one: Recorded, *, zone: ZoneInfo, appeal_window: Duration | None) -> tuple[Section, ...]:
    """What anybody may read who was refused, or who found the link in a log: no name, no message, no evidence."""
    statement = one.decided.statement
    say = language_of(statement.language)
    measures = (measure for measure in one.measures if measure.channels)
    return _sections(
        (say.title_now, _now(one, say)),
        (say.title_decided, (measure_in_words(measure, zone, say) for measure in measures)),
        (one_or_many(say.title_clauses, len(statement.clauses)), _clauses(statement, say)),
        (say.title_disagree, _appeal(one, zone, appeal_window, say)),
    )


def _sections(*told: tuple[str, Iterable[str]]) -> tuple[Section, ...]:
    """Those in which anything is said."""
    every = (Section(title=title, paragraphs=tuple(paragraphs)) for title, paragraphs in told)
    return tuple(section for section in every if section.paragraphs)


def _now(one: Recorded, say: Language) -> Iterator[str]:
    """Whoever reads only the beginning must not believe what no longer holds."""
    if one.reversed_at is not None:
        yield say.now_reversed
    elif one.replaced_by is not None:
        yield say.now_replaced
    elif any(change in one.told for change in one.corrections if not isinstance(change, Joined)):
        yield say.now_changed


def _decided(one: Recorded, zone: ZoneInfo, say: Language) -> Iterator[str]:
    statement = one.decided.statement
    yield say.about.format(account=printable(statement.account), at=dated(statement.at, zone, say))
    if not statement.measures:
        yield say.no_measure.format(also=say.on_record if statement.added else "").strip()
    is_free = not any(measure.channels for measure in statement.measures)
    for measure in statement.measures:
        said = measure_in_words(measure, zone, say, messages=len(statement.messages))
        if measure.kind is Kind.REMOVE and any(each.channel == _MAIL for each in statement.messages):
            said += f" {say.mail_stays}"
        yield f"{said} {say.go_on}" if is_free and measure.kind is Kind.WARN else said
    yield from _where(statement, say)
    for name, text in statement.conditions:
        yield say.condition.format(name=called(name, say), text=text)
    yield " ".join(_found(one, say))
    if statement.is_replay:
        yield say.replay


def _where(statement: Statement, say: Language) -> Iterator[str]:
    """The territory of what was not limited to some countries with a sentence of its own."""
    somewhere = any(measure.territory for measure in statement.measures)
    if any(measure.kind is not Kind.WARN and not measure.territory for measure in statement.measures):
        yield say.everywhere_else if somewhere else say.everywhere


def _found(one: Recorded, say: Language) -> Iterator[str]:
    statement = one.decided.statement
    yield say.found_by_rule if statement.found_automatically else say.found_by_person
    yield say.decided_by_rule if statement.decided_automatically else say.decided_by_person
    if one.decided.is_milder:
        yield say.milder
    yield _brought_up(statement, say)


def _brought_up(statement: Statement, say: Language) -> str:
    """On whose initiative it was; who sent a notice is told to nobody."""
    origins = {breach.origin for breach in statement.breaches}
    if Origin.AUTHORITY in origins:
        return say.from_authority
    if Origin.TRUSTED_FLAGGER in origins:
        return say.from_flagger
    return say.from_user if Origin.USER in origins else say.on_own


def _message(statement: Statement, zone: ZoneInfo, say: Language) -> Iterator[str]:
    for message in statement.messages:
        sent = dated(message.sent, zone, say)
        yield say.sent.format(sent=sent, channel=message.channel, id=printable(message.id))
        yield say.source.format(source=printable(message.source))
        if message.subject:
            yield f"> {say.subject.format(subject=message.subject)}"
        if message.text:
            yield f"> {message.text}"
        if message.is_cut:
            yield say.cut


def _clauses(statement: Statement, say: Language) -> Iterator[str]:
    version = say.accepted if statement.is_bound_by_acceptance else say.in_force
    if statement.is_bound_by_notice:
        version = say.accepted_by_going_on
    yield version.format(title=statement.agreement_title, digest=statement.agreement)
    for clause in statement.clauses:
        yield f"> {clause.title}\n\n{flowing(clause.prose)}"
    if statement.is_translated:
        yield say.translated


_HEADING: Final = re.compile(r"^#{1,6} ", re.MULTILINE)
_ITEM: Final = re.compile(r"\s*([-*+>]|\d+[.)]) ")


def flowing(prose: str) -> str:
    """Markdown as it reads: lines that an author broke run on; lists, quotations and paragraphs stay apart."""
    lines = _HEADING.sub("", prose).split("\n")
    flowing = lines[:1]
    for line in lines[1:]:
        if line.strip() and flowing[-1].strip() and not _ITEM.match(line):
            flowing[-1] += f" {line.strip()}"
        else:
            flowing.append(line)
    return "\n".join(flowing)


def _why(statement: Statement, zone: ZoneInfo, say: Language) -> Iterator[str]:
    titles = {clause.id: clause.title for clause in statement.clauses}
    for breach in statement.breaches:
        named = say.your_message_named.format(id=printable(breach.message))
        sentence = say.breaches_because if breach.evidence else say.breaches
        which = say.your_message if len(statement.messages) == 1 else named
        yield sentence.format(message=which, clause=titles[breach.clause])
        for line in _evidence(breach, statement, zone, say):
            yield f"- {line}"
        if breach.late:
            yield f"- {say.late}"
    if statement.reasoning:
        yield say.reviewer_adds
        yield f"> {statement.reasoning}"


def _evidence(breach: Breach, statement: Statement, zone: ZoneInfo, say: Language) -> Iterator[str]:
    about = (each for each in statement.messages if (each.source, each.id) == (breach.source, breach.message))
    texts = next(({"text": each.text, "subject": each.subject} for each in about), {})
    return reasons(breach.evidence, texts, zone, say)


def _points(statement: Statement, say: Language) -> Iterator[str]:
    for ladder, count in statement.added:
        now = dict(statement.live).get(ladder, count)
        sentence = say.added_on if len(statement.added) > 1 else say.added
        yield sentence.format(points=several(count, say.points, say), now=now, ladder=ladder)
    if statement.added:
        yield _expiry(statement, say)
    if statement.next_step is not None:
        step = statement.next_step
        yield say.next_step.format(points=several(step.points, say.points, say), measures=step.measures)


def _expiry(statement: Statement, say: Language) -> str:
    after = statement.points_expire
    if after == "never":
        return say.never_forgotten
    but = say.not_before_end if any(measure.channels for measure in statement.measures) else ""
    sentence = say.forgotten_clean if after.endswith(" clean") else say.forgotten
    return sentence.format(after=period(after.removesuffix(" clean"), say), but=but)


def _appeal(one: Recorded, zone: ZoneInfo, window: Duration | None, say: Language) -> Iterator[str]:
    statement = one.decided.statement
    if one.delivered is None:
        yield say.appeal_for.format(window=_window(statement.appeal_window, say))
    else:
        last = later(appeal_until(one.delivered, window), more_time(one.put_off, one.delivered, Party.ACCOUNT))
        yield say.appeal_until.format(day=day(last, zone, say))
    if any(measure.delay for measure in statement.measures):
        yield say.appeal_holds
    if statement.contact:
        yield say.write_to.format(contact=printable(statement.contact), id=statement.id)
    yield say.elsewhere


def _window(foreseen: str, say: Language) -> str:
    """`6 months or 184 days, whichever is later,` or `200 days`."""
    spoken = period(foreseen, say)
    return say.whichever_is_later.format(window=spoken) if " or " in foreseen else spoken


def counted(count: int, noun: str, many: str = "") -> str:
    """`1 point`, `1,200 points`; `many` where an `s` does not do."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"
