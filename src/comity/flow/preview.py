"""What an act would bring about, before anybody does it: the statements as their account would read them.

Made by the very functions that act, so that what was read is what is sent; nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Final

from comity.agreement.ladders import written
from comity.casework.facts import ConditionMet, Corrected, Decided, Fact, Joined, OutcomeGiven, Recomputed, Undone
from comity.casework.record import Record, after
from comity.casework.recorded import Recorded
from comity.casework.refused import RefusedError
from comity.casework.review import Deciding
from comity.casework.timeline import in_short
from comity.casework.wording import unsent
from comity.flow import appeal, review
from comity.flow.message import Proceedings
from comity.model.agreement import Agreement
from comity.model.clause import Act, Kind, Row, Term
from comity.model.ids import ClauseId, DecisionId
from comity.model.measure import Measure

_TOLD: Final = (Decided, Joined, Corrected, Recomputed, Undone, ConditionMet, OutcomeGiven)
_UNSAID: Final = "…"
"""What stands for a reason that is still to be written."""
_MOST_MILDER: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement as it would be, and the version that it quotes. A new one has no id yet."""

    one: Recorded
    agreement: Agreement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Something that a person may choose. `instead` None: what the ladder foresees. `said`: in short."""

    instead: str | None
    said: str


def confirmed(
    proceedings: Proceedings, deciding: Deciding, at: datetime, clauses: Sequence[ClauseId], instead: str | None
) -> tuple[Statement, ...]:
    """Raises `RefusedError` or `ChoiceError`."""
    record = proceedings.record(review.account_of(proceedings, deciding.case))
    facts = review.confirmed(proceedings, record, deciding, at, clauses=clauses, instead=instead)
    return _statements(proceedings, record, facts)


def dismissed(proceedings: Proceedings, deciding: Deciding, at: datetime) -> tuple[Statement, ...]:
    """None, unless a rule's decision is reversed by it. Raises `RefusedError`."""
    record = proceedings.record(review.account_of(proceedings, deciding.case))
    return _statements(proceedings, record, review.dismissed(proceedings, record, deciding, at))


def decided(proceedings: Proceedings, given: appeal.Given, at: datetime) -> tuple[Statement, ...]:
    """After an appeal's outcome. Raises `RefusedError` or `ChoiceError`."""
    record = proceedings.record(review.account_of(proceedings, given.appeal))
    return _statements(proceedings, record, appeal.followed(proceedings, record, given, at))


def choices(
    proceedings: Proceedings, deciding: Deciding, at: datetime, clauses: Sequence[ClauseId]
) -> tuple[Choice, ...]:
    """What the ladder foresees, and milder rows of it. None if nothing can be confirmed as the case is."""
    record = proceedings.record(review.account_of(proceedings, deciding.case))
    unsaid = Deciding(case=deciding.case, version=deciding.version, by=deciding.by, why=_UNSAID)
    try:
        facts = review.confirmed(proceedings, record, unsaid, at, clauses=clauses)
    except RefusedError:
        return ()
    made = [fact for fact in facts if isinstance(fact, Decided)]
    first = Choice(instead=None, said=_in_words(facts))
    milder = _milder(proceedings, record, unsaid, at, clauses, made) if made else ()
    return (first, *milder)


def _milder(
    proceedings: Proceedings,
    record: Record,
    unsaid: Deciding,
    at: datetime,
    clauses: Sequence[ClauseId],
    made: Sequence[Decided],
) -> Iterator[Choice]:
    """Rows that the act itself takes as milder, the gravest first, each effect once."""
    known, count = {_effect(made[-1].measures)}, 0
    for row in _rows(proceedings.versions.agreement(made[-1].statement.agreement), made[-1].ladders):
        instead = written(row)
        try:
            facts = review.confirmed(proceedings, record, unsaid, at, clauses=clauses, instead=instead)
        except RefusedError:
            continue
        effect = _effect([measure for fact in facts if isinstance(fact, Decided) for measure in fact.measures])
        if effect not in known and count < _MOST_MILDER:
            known.add(effect)
            count += 1
            yield Choice(instead=instead, said=_in_words(facts))


def _rows(agreement: Agreement | None, ladders: Iterable[ClauseId]) -> Iterator[Row]:
    for ladder in ladders:
        if agreement is not None and ladder in agreement.ladders:
            yield from reversed(agreement.ladders[ladder].rows)
    yield Row(points=0, acts=(Act(kind=Kind.WARN),), channels=None, term=Term(), line=1)


def _effect(measures: Iterable[Measure]) -> frozenset[str]:
    return frozenset(map(in_short, measures))


def _in_words(facts: Iterable[Fact]) -> str:
    kept = tuple(facts)
    measures = [measure for fact in kept if isinstance(fact, Decided) for measure in fact.measures]
    if measures:
        return ", ".join(map(in_short, measures))
    if any(isinstance(fact, Joined) for fact in kept):
        return "no new measure: it belongs to an earlier decision"
    if any(isinstance(fact, ConditionMet) for fact in kept):
        return "the measure ends now; the breach stands"
    if not any(isinstance(fact, Decided) for fact in kept):
        return "nothing changes: what was decided stays as it is"
    return "no measure, the points alone"


def _statements(proceedings: Proceedings, record: Record, facts: Iterable[Fact]) -> tuple[Statement, ...]:
    kept = tuple(facts)
    then = reduce(after, kept, record)
    ids = dict.fromkeys(fact.decision for fact in kept if isinstance(fact, _TOLD))
    found = (then.decision(DecisionId(each)) for each in ids)
    return tuple(
        Statement(
            one=one if record.decision(one.id) else unsent(one),
            agreement=proceedings.versions.agreement(one.decided.statement.agreement),
        )
        for one in found
        if one is not None
    )
