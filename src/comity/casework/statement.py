"""The statement of reasons: derived from the facts of a decision, never typed into a form."""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.casework.facts import Points
from comity.casework.ladder import rows_at
from comity.casework.languages import Language, language_of
from comity.casework.record import Record
from comity.casework.spoken import duration, row_in_words
from comity.model.agreement import Agreement, TranslatedClause
from comity.model.clause import Clause, Kind
from comity.model.duration import Duration, Unit
from comity.model.ids import ClauseId, DecisionId
from comity.model.measure import Measure
from comity.model.message import Message
from comity.model.statement import EXCERPT_LENGTH, Breach, NextStep, QuotedClause, QuotedMessage, Statement


class Grounds(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything that a statement is derived from. `record` is the account's before this decision."""

    record: Record
    messages: tuple[Message, ...]
    agreement: Agreement
    clauses: tuple[Clause, ...]
    breaches: tuple[Breach, ...]
    measures: tuple[Measure, ...]
    points: tuple[Points, ...]
    live: tuple[tuple[ClauseId, int], ...]
    decision: DecisionId
    at: datetime
    is_replay: bool
    reasoning: str = ""
    by_person: bool = False


def statement_of(grounds: Grounds) -> Statement:
    """The statement as issued; what happens later is appended to it, never written into it."""
    agreement = grounds.agreement
    language = _reader_language(grounds)
    translation = agreement.translations.get(language)
    return Statement(
        id=grounds.decision,
        account=grounds.record.account,
        at=grounds.at,
        agreement=agreement.digest,
        agreement_title=translation.title if translation else agreement.title,
        language=language,
        is_bound_by_acceptance=any(
            each.agreement == agreement.digest and each.at <= max(message.sent for message in grounds.messages)
            for each in grounds.record.acceptances
        ),
        clauses=tuple(_quoted(clause, agreement, language) for clause in grounds.clauses),
        breaches=grounds.breaches,
        messages=tuple(_quoted_message(message, grounds) for message in grounds.messages),
        measures=grounds.measures,
        added=tuple((each.ladder, each.count) for each in grounds.points),
        live=grounds.live,
        points_expire=str(max(grounds.clauses, key=lambda clause: clause.points).expires),
        next_step=_next_step(grounds, language_of(language)),
        conditions=_conditions(grounds, language),
        appeal_window=str(agreement.appeal_window) if agreement.appeal_window else "6 months or 184 days",
        contact=agreement.contact,
        decided_by_person=grounds.by_person,
        reasoning=grounds.reasoning,
        is_replay=grounds.is_replay,
        is_translated=translation is not None,
    )


def appeal_until(delivered: datetime, window: Duration | None) -> datetime:
    """The last moment of the appeal window; without one of its own, 6 months or 184 days, the later of both."""
    if window is not None:
        return window.after(delivered)
    return max(Duration(count=6, unit=Unit.MONTH).after(delivered), Duration(count=184, unit=Unit.DAY).after(delivered))


def _reader_language(grounds: Grounds) -> str:
    accepted = [each.language for each in grounds.record.acceptances]
    wanted = accepted[-1] if accepted else grounds.agreement.language
    for language in (wanted, wanted.split("-")[0]):
        if language in grounds.agreement.translations:
            return language
    return grounds.agreement.language


def _quoted(clause: Clause, agreement: Agreement, language: str) -> QuotedClause:
    translation = agreement.translations.get(language)
    said = translation.clauses[clause.id] if translation else TranslatedClause(title=clause.title, prose=clause.prose)
    return QuotedClause(id=clause.id, title=said.title, prose=said.prose, category=clause.category)


def _quoted_message(message: Message, grounds: Grounds) -> QuotedMessage:
    kinds = {measure.kind for measure in grounds.measures}
    return QuotedMessage(
        source=message.source,
        id=message.id,
        channel=message.channel,
        sent=message.sent,
        subject=message.subject[:EXCERPT_LENGTH],
        text=message.text[:EXCERPT_LENGTH],
        is_cut=max(len(message.text), len(message.subject)) > EXCERPT_LENGTH,
        removed=Kind.REMOVE in kinds,
        marked=Kind.MARK in kinds,
    )


def _next_step(grounds: Grounds, say: Language) -> NextStep | None:
    """What one more breach of the gravest clause would bring, on the ladder with the most live points."""
    gravest = max(grounds.clauses, key=lambda clause: clause.points)
    live = {ladder: count for ladder, count in grounds.live if ladder in gravest.ladders}
    is_closed = any(measure.kind is Kind.TERMINATE for measure in grounds.measures)
    if not live or gravest.points == 0 or is_closed:
        return None
    ladder = max(live, key=lambda each: live[each])
    points = live[ladder] + gravest.points
    rows = rows_at(grounds.agreement.ladders[ladder], points)
    return NextStep(points=points, measures="; ".join(row_in_words(row, say) for row in rows) or say.next_nothing)


def _conditions(grounds: Grounds, language: str) -> tuple[tuple[str, str], ...]:
    names = dict.fromkeys(name for measure in grounds.measures for name in measure.until)
    if not names:
        return ()
    translation = grounds.agreement.translations.get(language)
    declared = {**grounds.agreement.conditions, **(translation.conditions if translation else {})}
    say = language_of(language)
    within = duration(grounds.agreement.review_within, say)
    texts = {name: text.format(within=within) for name, text in say.conditions.items()} | declared
    return tuple((name, texts[name]) for name in names)
