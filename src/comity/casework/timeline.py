"""An account's record as a reviewer reads it: what happened, newest first, a line each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from comity.casework.cases import Case
from comity.casework.facts import (
    Accepted,
    AcceptedBy,
    Change,
    Corrected,
    Joined,
    Lifted,
    OutcomeGiven,
    Recomputed,
    Undone,
)
from comity.casework.record import Record
from comity.casework.recorded import Appeal, Recorded
from comity.model.measure import Measure


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`statement`, `case` or `appeal`: what there is to read about it."""

    at: datetime
    said: str
    by: str = ""
    statement: str = ""
    case: str = ""
    appeal: str = ""
    is_measure: bool = False


def timeline(record: Record) -> tuple[Event, ...]:
    events = [
        *(event for one in record.decisions for event in _decided(one)),
        *(event for one in record.dismissals for event in map(_filed, one.appeals)),
        *(event for case in record.cases for event in _case(case)),
        *map(_accepted, record.acceptances),
    ]
    return tuple(sorted(events, key=lambda event: event.at, reverse=True))


def in_short(measure: Measure) -> str:
    """`suspend on posts for 2 days`: a measure as a reviewer says it."""
    where = f" on {', '.join(measure.channels)}" if measure.channels else ""
    kind = f"limit to {measure.rate}" if measure.rate else str(measure.kind)
    begins = f" ({measure.delay} after delivery)" if measure.delay else ""
    if measure.until:
        return f"{kind}{where} until {' and '.join(measure.until)}{begins}"
    return f"{kind}{where} for {measure.length}{begins}" if measure.length else f"{kind}{where}{begins}"


def _decided(one: Recorded) -> Iterator[Event]:
    measures = ", ".join(map(in_short, one.decided.measures)) or "no measure"
    titles = {clause.id: clause.title for clause in one.decided.statement.clauses}
    clauses = ", ".join(titles.get(clause, clause) for clause in one.clauses)
    by = one.decided.by or "a rule"
    yield Event(at=one.decided.at, said=f"{clauses}: {measures}", by=by, statement=one.id, is_measure=True)
    for change in one.changes:
        said, who = _changed(change)
        if said:
            yield Event(at=change.at, said=said, by=who, statement=one.id)
    yield from map(_filed, one.appeals)


def _changed(change: Change) -> tuple[str, str]:
    match change:
        case Joined():
            return f"one more message belongs to the same decision: {change.breach.clause}", change.by or "a rule"
        case Corrected():
            return "the statement was corrected", change.by
        case Lifted():
            return "the measures were lifted", change.by
        case Undone():
            return "the decision was undone", change.by
        case Recomputed():
            return "the measures became milder, because an earlier decision did", ""
        case OutcomeGiven():
            return f"the appeal was decided: {change.outcome}", change.by
        case _:
            return "", ""


def _filed(appeal: Appeal) -> Event:
    who = "the account" if appeal.filed.party == "account" else "the notifier"
    return Event(at=appeal.filed.at, said=f"{who} appealed", appeal=appeal.filed.appeal)


def _case(case: Case) -> Iterator[Event]:
    yield Event(at=case.opened.at, said=case.opened.why, case=case.id)
    if case.closed is not None and case.closed.decision is None:
        yield Event(at=case.closed.at, said="the case was closed", by=case.closed.by, case=case.id)
    elif case.closed is not None:
        yield Event(at=case.closed.at, said=f"the case was closed: {case.closed.why}", by=case.closed.by, case=case.id)


def _accepted(fact: Accepted) -> Event:
    which = f"the agreement {fact.agreement[:19]}, shown in {fact.language}"
    if fact.by is AcceptedBy.NOTICE:
        return Event(at=fact.at, said=f"was told of {which}; going on counts from {fact.binds_from:%Y-%m-%d} on")
    return Event(at=fact.at, said=f"accepted {which}")
