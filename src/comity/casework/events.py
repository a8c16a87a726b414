"""What happened, for programs outside: each fact that anybody may know of, without personal data; and for the source
of a message what became of it.

A source is told of its own messages alone. It knows their authors already, so it is told the account too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from comity.casework.case_facts import CaseClosed
from comity.casework.facts import (
    Appealed,
    AppealOutcome,
    Corrected,
    Decided,
    Delivered,
    Fact,
    Joined,
    Lifted,
    OutcomeGiven,
    Party,
    Recomputed,
    Treatment,
    Undone,
)
from comity.casework.record import Record
from comity.casework.removals import Key, Wanted, clauses_of, kept_back, wanted
from comity.model.clause import Kind
from comity.model.ids import AccountId, AppealId, CaseId, Channel, ClauseId, DecisionId, Digest, MessageId
from comity.model.measure import Measure

TOLD: tuple[type[Fact], ...] = (
    Decided,
    Joined,
    Delivered,
    Corrected,
    Lifted,
    Undone,
    Recomputed,
    Appealed,
    OutcomeGiven,
    CaseClosed,
)
"""The facts from which events come."""


class Happened(StrEnum):
    """AGREEMENT_...: of a version of it. STATEMENT_...: of a statement. APPEAL_...: of an appeal.

    MESSAGE_...: what its source is to do with a message.
    """

    PUBLISHED = "agreement.published"
    ISSUED = "statement.issued"
    JOINED = "statement.joined"  # it covers a further message
    DELIVERED = "statement.delivered"
    CORRECTED = "statement.corrected"  # by a person
    LIFTED = "statement.lifted"
    REVERSED = "statement.reversed"  # with all that a bad rule caused
    RECOMPUTED = "statement.recomputed"  # milder, since an earlier one was reversed
    APPEALED = "appeal.filed"
    DECIDED = "appeal.decided"
    RELEASED = "message.released"  # it waited: pass it on
    REFUSED = "message.refused"  # it waited: do not deliver it
    WITHHOLD = "message.withhold"  # take it down, and acknowledge
    RESTORE = "message.restore"  # put it back, and acknowledge


class Effect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A measure, as far as anybody may know it."""

    kind: Kind
    channels: tuple[Channel, ...] = ()
    start: datetime | None = None
    end: datetime | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened. `account`, `message`, `territory`, `link` and `refusal` are told to the message's source alone.

    `clauses`: of a message, those for which it is refused or taken down. `territory`: the countries in which it is;
    none: everywhere. `link`: the statement's page, for the account and nobody else. `refusal`: the page that says why a
    message was refused or taken down, for anybody who meets with that. `effective`: of a version of the agreement, from
    when it is in force.
    """

    id: str
    type: Happened
    at: datetime
    statement: DecisionId | None = None
    agreement: Digest | None = None
    effective: datetime | None = None
    clauses: tuple[ClauseId, ...] = ()
    measures: tuple[Effect, ...] = ()
    by_person: bool = False
    appeal: AppealId | None = None
    party: Party | None = None
    outcome: AppealOutcome | None = None
    case: CaseId | None = None
    account: AccountId | None = None
    message: MessageId | None = None
    territory: tuple[str, ...] = ()
    link: str | None = None
    refusal: str | None = None


def public(position: int, fact: Fact) -> Event | None:
    """What anybody may know of the fact; None: nothing."""
    told = msgspec.structs.replace
    one = Event(id=str(position), type=Happened.ISSUED, at=fact.at)
    match fact:
        case Decided():
            clauses = tuple(dict.fromkeys(breach.clause for breach in fact.breaches))
            return told(
                one,
                statement=fact.decision,
                agreement=fact.statement.agreement,
                clauses=clauses,
                measures=_effects(fact.measures),
                by_person=fact.by is not None,
            )
        case Joined():
            return told(one, type=Happened.JOINED, statement=fact.decision, clauses=(fact.breach.clause,))
        case Delivered():
            return told(one, type=Happened.DELIVERED, statement=fact.decision)
        case Corrected():
            measures = _effects(fact.measures or ())
            return told(one, type=Happened.CORRECTED, statement=fact.decision, measures=measures, by_person=True)
        case Lifted():
            return told(one, type=Happened.LIFTED, statement=fact.decision, by_person=True)
        case Undone():
            return told(one, type=Happened.REVERSED, statement=fact.decision, by_person=True)
        case Recomputed():
            return told(one, type=Happened.RECOMPUTED, statement=fact.decision, measures=_effects(fact.measures))
        case Appealed():
            return told(one, type=Happened.APPEALED, statement=fact.decision, appeal=fact.appeal, party=fact.party)
        case OutcomeGiven():
            return told(
                one,
                type=Happened.DECIDED,
                statement=fact.decision,
                appeal=fact.appeal,
                outcome=fact.outcome,
                measures=_effects(fact.measures or ()),
                by_person=True,
            )
        case _:
            return None


def channels_of(record: Record, decision: DecisionId, source: str) -> frozenset[Channel]:
    """The channels of that source's messages that the decision is about."""
    one = record.decision(decision)
    return frozenset(each.channel for each in one.breaches if each.source == source) if one else frozenset()


def places(record: Record) -> dict[Key, Channel]:
    """The channel of each message that the record speaks of."""
    breaches = (breach for one in record.decisions for breach in one.breaches)
    found = (breach for case in record.cases for breach in case.breaches)
    told = {(each.source, each.message): each.channel for each in (*breaches, *found)}
    return told | {(each.source, each.id): each.channel for case in record.cases for each in case.named}


def of_messages(
    position: int, before: Record, then: Record, fact: Fact, refused: frozenset[Key], source: str
) -> Iterator[Event]:
    """What the source is to do with its messages because of the fact, which made the record from `before` to `then`.

    `refused`: those that nobody ever saw.
    """
    waits = kept_back(then, fact.at)
    settled = kept_back(before, fact.at) - waits
    was = wanted(before, fact.at)
    now = {key: one for key, one in wanted(then, fact.at).items() if key not in waits}
    for number, (type_, message, about) in enumerate(_done(settled, was, now, refused, source), 1):
        yield Event(
            id=f"{position}.{number}",
            type=type_,
            at=fact.at,
            statement=about.statement if about else None,
            clauses=clauses_of(then, about, (source, message)) if about else (),
            case=fact.case if isinstance(fact, CaseClosed | Decided) else None,
            account=fact.account,
            message=message,
            territory=about.territory if about else (),
        )


def _done(
    settled: frozenset[Key],
    was: Mapping[Key, Wanted],
    now: Mapping[Key, Wanted],
    refused: frozenset[Key],
    source: str,
) -> Iterator[tuple[Happened, MessageId, Wanted | None]]:
    """`settled`: those that waited for a reviewer and do no more."""
    for key in sorted(settled):
        if key[0] == source:
            about = now.get(key)
            is_withheld = about is not None and about.treatment is Treatment.WITHHELD
            yield (Happened.REFUSED if is_withheld else Happened.RELEASED), key[1], about
    for key, about in now.items():
        if key[0] == source and key not in settled and _is_news(key, was.get(key), about, refused):
            is_withheld = about.treatment is Treatment.WITHHELD
            yield (Happened.WITHHOLD if is_withheld else Happened.RESTORE), key[1], about


def _is_news(key: Key, was: Wanted | None, now: Wanted, refused: frozenset[Key]) -> bool:
    if was is not None:
        return (was.treatment, was.territory) != (now.treatment, now.territory)
    return key not in refused and now.treatment is Treatment.WITHHELD


def _effects(measures: tuple[Measure, ...]) -> tuple[Effect, ...]:
    return tuple(Effect(kind=each.kind, channels=each.channels, start=each.start, end=each.end) for each in measures)
