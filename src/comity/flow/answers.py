"""What a source is told about a message: the worst that happened to it; and when it comes again, what became of it."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime

from msgspec.structs import replace

from comity.casework.case_facts import Found
from comity.casework.facts import Decided, Fact, Joined, Treatment
from comity.casework.record import Record
from comity.casework.removals import Key, clauses_of, kept_back, seen, waits_until, wanted
from comity.casework.removed import waits_to_remove
from comity.flow.agreement import Versions
from comity.model.clause import Decide, Kind
from comity.model.ids import DecisionId, Digest, MessageId
from comity.model.measure import Measure
from comity.model.message import Message
from comity.ports import Answer, Outcome


class ToldAnswer(Answer, frozen=True, kw_only=True, gc=False):
    """An answer as it is told, with what is not kept since it changes.

    `measures`: what the statement's decision does. `acceptance_due`: the version that the author has yet to accept.
    `until`: of a message that waits, when it is passed on at the latest. `hint`: what its source may have got wrong.
    """

    measures: tuple[Kind, ...] = ()
    acceptance_due: Digest | None = None
    until: datetime | None = None
    hint: str | None = None


def told(answer: Answer, record: Record, message: Message, versions: Versions, at: datetime) -> ToldAnswer:
    """`record`: the author's, at `at`."""
    key = message.source, message.id
    one = record.decision(answer.statement) if answer.statement else None
    return ToldAnswer(
        message=answer.message,
        outcome=answer.outcome,
        clauses=answer.clauses,
        statement=answer.statement,
        measures=tuple(dict.fromkeys(measure.kind for measure in one.measures)) if one else (),
        acceptance_due=versions.due(record, at),
        until=waits_until(record, key, at) if answer.outcome is Outcome.HELD else None,
        hint=versions.hint(message.channel),
    )


def unanswered(messages: Iterable[Message], answers: Container[tuple[str, MessageId]]) -> list[Message]:
    """The messages that no answer is known to; of several with the same id the first."""
    fresh: dict[tuple[str, MessageId], Message] = {}
    for message in messages:
        key = (message.source, message.id)
        if key not in answers:
            fresh.setdefault(key, message)
    return list(fresh.values())


def first(message: Message, facts: Iterable[Fact], record: Record) -> Answer:
    """The answer to a message that was judged, with the statement that says why. `record`: its author's before."""
    outcome, clauses, statement = Outcome.ALLOWED, [], None
    for fact in facts:
        match fact:
            case Decided():
                statement = fact.decision
                clauses += [breach.clause for breach in fact.breaches]
                if any([_removes_at_once(measure) for measure in fact.measures]):
                    outcome = Outcome.REMOVED
            case Joined():
                statement = statement or fact.decision
                clauses.append(fact.breach.clause)
                one = record.decision(fact.decision)
                if fact.removed and not (one and waits_to_remove(one, fact.at)):
                    outcome = Outcome.REMOVED
            case Found(decide=Decide.HOLD | Decide.REVIEW):
                clauses.append(fact.breach.clause)
                if outcome is Outcome.ALLOWED and fact.decide is Decide.HOLD:
                    outcome = Outcome.HELD
            case _:
                continue
    return Answer(message=message.id, outcome=outcome, clauses=tuple(dict.fromkeys(clauses)), statement=statement)


def _removes_at_once(measure: Measure) -> bool:
    """Everywhere, and not some time after the statement is delivered."""
    return measure.kind is Kind.REMOVE and not measure.territory and not measure.delay


def held(answer: Answer, because: DecisionId) -> Answer:
    """The message waits, since its author is on hold by that decision."""
    return replace(answer, outcome=Outcome.HELD, statement=answer.statement or because)


def again(answer: Answer, record: Record, key: Key, at: datetime) -> Answer:
    """The answer that a message got, or if it waited then and does no more, what was decided since.

    Who sends once more what was refused would wait for a decision that nobody makes, and then be passed on.
    """
    if answer.outcome is not Outcome.HELD or key in kept_back(record, at):
        return answer
    about = wanted(record, at).get(key)
    if about is not None and about.treatment is Treatment.WITHHELD and not about.territory:
        clauses = clauses_of(record, about, key)
        return replace(answer, outcome=Outcome.REMOVED, clauses=clauses, statement=about.statement)
    return _released(answer, record, key) if key in seen(record, at) else answer


def _released(answer: Answer, record: Record, key: Key) -> Answer:
    """Passed on; if a decision on it stands nevertheless, such as a warning, with its statement and clauses."""
    for one in reversed(record.decisions):
        clauses = [each.clause for each in one.breaches if (each.source, each.message) == key]
        if clauses and one.is_live:
            found = tuple(dict.fromkeys(clauses))
            return replace(answer, outcome=Outcome.ALLOWED, clauses=found, statement=one.id)
    return replace(answer, outcome=Outcome.ALLOWED, statement=None)
