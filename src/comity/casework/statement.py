"""The statement of reasons: derived from the facts of a decision, never typed into a form."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Final

import msgspec
from msgspec.structs import replace

from comity.casework.facts import Accepted, AcceptedBy, Points
from comity.casework.ladder import rows_at
from comity.casework.languages import language_of
from comity.casework.record import Record
from comity.casework.spoken import duration, row_in_words
from comity.model.agreement import UNDETERMINED, Agreement, Translation
from comity.model.clause import Clause, Kind
from comity.model.duration import EARLIEST, Duration, Unit
from comity.model.ids import AccountId, ClauseId, DecisionId
from comity.model.measure import Measure
from comity.model.message import Message
from comity.model.statement import EXCERPT_LENGTH, Breach, NextStep, QuotedClause, QuotedMessage, Statement

_MOST_FORESEEN: Final = 1024
"""Drafts and next steps that are kept at hand, of all versions: most statements say what others have said."""


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
    language = _reader_language(grounds)
    accepted = _accepted(grounds)
    return replace(
        _draft(grounds.agreement, grounds.clauses, language),
        id=grounds.decision,
        account=grounds.record.account,
        at=grounds.at,
        is_bound_by_acceptance=accepted is not None,
        is_bound_by_notice=accepted is not None and accepted.by is AcceptedBy.NOTICE,
        breaches=grounds.breaches,
        messages=_quoted_messages(grounds),
        measures=grounds.measures,
        added=tuple([(each.ladder, each.count) for each in grounds.points]),
        live=grounds.live,
        next_step=_next_step(grounds, language),
        conditions=_conditions(grounds, language),
        decided_by_person=grounds.by_person,
        reasoning=grounds.reasoning,
        is_replay=grounds.is_replay,
    )


@lru_cache(maxsize=_MOST_FORESEEN)
def _draft(agreement: Agreement, clauses: tuple[Clause, ...], language: str) -> Statement:
    """What all statements about these clauses say, for nobody yet."""
    translation = agreement.translations.get(language)
    return Statement(
        id=DecisionId(""),
        account=AccountId(""),
        at=EARLIEST,
        agreement=agreement.digest,
        agreement_title=translation.title if translation else agreement.title,
        language=language,
        is_bound_by_acceptance=False,
        clauses=tuple([_quoted(clause, translation) for clause in clauses]),
        breaches=(),
        messages=(),
        measures=(),
        added=(),
        live=(),
        points_expire=str(_gravest(clauses).expires),
        next_step=None,
        conditions=(),
        appeal_window=str(agreement.appeal_window) if agreement.appeal_window else "6 months or 184 days",
        contact=agreement.contact,
        is_translated=translation is not None,
    )


def appeal_until(delivered: datetime, window: Duration | None) -> datetime:
    """The last moment of the appeal window; without one of its own, 6 months or 184 days, the later of both."""
    if window is not None:
        return window.after(delivered)
    return max(Duration(count=6, unit=Unit.MONTH).after(delivered), Duration(count=184, unit=Unit.DAY).after(delivered))


def _accepted(grounds: Grounds) -> Accepted | None:
    """How the account accepted the version before the last of the messages; that it said so itself goes first."""
    if not grounds.record.acceptances:
        return None
    sent = max([message.sent for message in grounds.messages])
    accepted = [each for each in grounds.record.acceptances if each.agreement == grounds.agreement.digest]
    binding = [each for each in accepted if each.binds_from <= sent]
    return min(binding, key=lambda each: each.by is AcceptedBy.NOTICE, default=None)


def _reader_language(grounds: Grounds) -> str:
    """A version that names no language is believed to be in the one that it was shown in."""
    accepted, translations = grounds.record.acceptances, grounds.agreement.translations
    wanted = accepted[-1].language if accepted else grounds.agreement.language
    for language in (wanted, wanted.split("-")[0]) if translations else ():
        if language in translations:
            return language
    return wanted if grounds.agreement.language == UNDETERMINED else grounds.agreement.language


def _quoted(clause: Clause, translation: Translation | None) -> QuotedClause:
    said = translation.clauses[clause.id] if translation else clause
    return QuotedClause(id=clause.id, title=said.title, prose=said.prose, category=clause.category)


def _quoted_messages(grounds: Grounds) -> tuple[QuotedMessage, ...]:
    kinds = [measure.kind for measure in grounds.measures if not measure.territory and not measure.delay]
    removed, marked = Kind.REMOVE in kinds, Kind.MARK in kinds
    return tuple([_quoted_message(message, removed=removed, marked=marked) for message in grounds.messages])


def _quoted_message(message: Message, *, removed: bool, marked: bool) -> QuotedMessage:
    return QuotedMessage(
        source=message.source,
        id=message.id,
        channel=message.channel,
        sent=message.sent,
        subject=message.subject[:EXCERPT_LENGTH],
        text=message.text[:EXCERPT_LENGTH],
        is_cut=len(message.text) > EXCERPT_LENGTH or len(message.subject) > EXCERPT_LENGTH,
        removed=removed,
        marked=marked,
    )


def _gravest(clauses: tuple[Clause, ...]) -> Clause:
    return clauses[0] if len(clauses) == 1 else max(clauses, key=lambda clause: clause.points)


def _next_step(grounds: Grounds, language: str) -> NextStep | None:
    """What one more breach of the gravest clause would bring, on the ladder with the most live points."""
    gravest = _gravest(grounds.clauses)
    live = [(count, ladder) for ladder, count in grounds.live if ladder in gravest.ladders]
    if not live or gravest.points == 0 or Kind.TERMINATE in [measure.kind for measure in grounds.measures]:
        return None
    count, ladder = live[0] if len(live) == 1 else max(live, key=itemgetter(0))
    return _foreseen(grounds.agreement, ladder, count + gravest.points, language)


@lru_cache(maxsize=_MOST_FORESEEN)
def _foreseen(agreement: Agreement, ladder: ClauseId, points: int, language: str) -> NextStep:
    say = language_of(language)
    rows = rows_at(agreement.ladders[ladder], points)
    return NextStep(points=points, measures="; ".join(row_in_words(row, say) for row in rows) or say.next_nothing)


def _conditions(grounds: Grounds, language: str) -> tuple[tuple[str, str], ...]:
    until = [name for measure in grounds.measures for name in measure.until]
    if not until:
        return ()
    translation = grounds.agreement.translations.get(language)
    declared = {**grounds.agreement.conditions, **(translation.conditions if translation else {})}
    say = language_of(language)
    within = duration(grounds.agreement.review_within, say)
    texts = {name: text.format(within=within) for name, text in say.conditions.items()} | declared
    return tuple((name, texts[name]) for name in dict.fromkeys(until))
