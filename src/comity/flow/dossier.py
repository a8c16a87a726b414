"""All that a reviewer looks at before deciding a case, or an appeal: gathered from the store, nothing decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from comity.casework.case_facts import Noticed
from comity.casework.cases import Case, Waiting, waiting
from comity.casework.marks import Piece, pieces
from comity.casework.points import live_points
from comity.casework.record import Record, fold, standing
from comity.casework.recorded import Appeal, Recorded
from comity.casework.timeline import Event, timeline
from comity.flow.agreement import Versions
from comity.flow.case_texts import texts_of
from comity.model.agreement import Agreement
from comity.model.clause import Clause
from comity.model.finding import Passage, Value
from comity.model.ids import AppealId, CaseId, ClauseId, MessageId
from comity.model.measure import Standing
from comity.model.message import Message
from comity.model.statement import Breach
from comity.ports import Store

_MOST_EVENTS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A message with what was found in it marked, and what else the rules measured."""

    message: Message
    subject: tuple[Piece, ...]
    text: tuple[Piece, ...]
    measured: tuple[Value, ...]
    clauses: tuple[ClauseId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """The account as it stands at the time."""

    record: Record
    standings: tuple[Standing, ...]
    points: tuple[tuple[ClauseId, int], ...]
    events: tuple[Event, ...]
    more_events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDossier:
    """`missing`: ids of messages whose texts are not kept. `agreement`: under which they were judged."""

    case: Case
    whose: Whose
    shown: tuple[Shown, ...]
    missing: tuple[MessageId, ...]
    held: tuple[Waiting, ...]
    agreement: Agreement | None
    clauses: tuple[Clause, ...]
    others: tuple[Clause, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealDossier:
    """`one` None: a notifier's appeal against a dismissal. `notices`: the reports that were decided on."""

    appeal: Appeal
    whose: Whose
    one: Recorded | None
    shown: tuple[Shown, ...]
    notices: tuple[Noticed, ...]
    due: datetime | None


def case_dossier(store: Store, versions: Versions, id_: CaseId, at: datetime) -> CaseDossier | None:
    """None: there is no such case."""
    account = store.account_of(id_)
    record = fold(account, store.facts_of(account)) if account else None
    case = record.case(id_) if record else None
    if record is None or case is None:
        return None
    about = record.decision(case.opened.about) if case.opened.about else None
    breaches = about.breaches if about else case.breaches
    messages = texts_of(store, record, case)
    agreement = _judged_under(versions, breaches)
    clauses = tuple(_clauses(agreement, [*(each.clause for each in breaches), *(each.clause for each in case.notices)]))
    known = {(each.source, each.id) for each in messages}
    lost = [each.message for each in breaches if (each.source, each.message) not in known]
    return CaseDossier(
        case=case,
        whose=_whose(record, versions, at),
        shown=tuple(_shown(each, breaches) for each in messages),
        missing=tuple(dict.fromkeys(lost)),
        held=waiting(case, at),
        agreement=agreement,
        clauses=clauses,
        others=tuple(each for each in (agreement.clauses if agreement else ()) if each not in clauses and each.points),
    )


def appeal_dossier(store: Store, versions: Versions, id_: AppealId, at: datetime) -> AppealDossier | None:
    """None: there is no such appeal."""
    account = store.account_of(id_)
    record = fold(account, store.facts_of(account)) if account else None
    appeal = record.appeal(id_) if record else None
    if record is None or appeal is None:
        return None
    one, dismissal = record.decision(appeal.filed.decision), record.dismissal(appeal.filed.decision)
    breaches = one.breaches if one else dismissal.dismissed.breaches if dismissal else ()
    case = next((each for each in record.cases if each.closed and each.closed.decision == appeal.filed.decision), None)
    return AppealDossier(
        appeal=appeal,
        whose=_whose(record, versions, at),
        one=one,
        shown=tuple(_shown(each, breaches) for each in _messages(store, record, breaches, case)),
        notices=case.notices if case else (),
        due=appeal.due(one.decided.decide_within) if one else None,
    )


def _messages(store: Store, record: Record, breaches: Iterable[Breach], case: Case | None) -> Iterator[Message]:
    """Those of the breaches, and what was reported besides, as far as their texts are kept."""
    reported: Mapping[tuple[str, MessageId], Message] = {
        (each.source, each.id): each for case in record.cases for each in case.messages
    }
    breached = ((each.source, each.message) for each in breaches)
    also = ((each.source, each.id) for each in (case.messages if case else ()))
    for key in dict.fromkeys([*breached, *also]):
        message = reported.get(key) or store.message(*key)
        if message is not None:
            yield message


def _judged_under(versions: Versions, breaches: Sequence[Breach]) -> Agreement | None:
    latest = versions.latest()
    found = versions.agreement(breaches[-1].agreement) if breaches else None
    return found or (latest.agreement if latest else None)


def _clauses(agreement: Agreement | None, named: Iterable[ClauseId | None]) -> Iterator[Clause]:
    wanted = dict.fromkeys(each for each in named if each)
    yield from (each for each in (agreement.clauses if agreement else ()) if each.id in wanted)


def _shown(message: Message, breaches: Sequence[Breach]) -> Shown:
    own = [each for each in breaches if (each.source, each.message) == (message.source, message.id)]
    evidence = [each for breach in own for each in breach.evidence]
    passages = [each for each in evidence if isinstance(each, Passage)]
    values = [each for each in evidence if isinstance(each, Value)]
    return Shown(
        message=message,
        subject=pieces(message.subject, (each for each in passages if each.field == "subject")),
        text=pieces(message.text, (each for each in passages if each.field == "text")),
        measured=tuple(dict.fromkeys(values)),
        clauses=tuple(dict.fromkeys(each.clause for each in own)),
    )


def _whose(record: Record, versions: Versions, at: datetime) -> Whose:
    latest = versions.latest()
    agreement = latest.agreement if latest else None
    events = timeline(record)
    ladders = agreement.ladders if agreement else ()
    return Whose(
        record=record,
        standings=tuple(standing(record, channel, at) for channel in (agreement.channels if agreement else ())),
        points=tuple((ladder, live_points(record, ladder, at)) for ladder in ladders),
        events=events[:_MOST_EVENTS],
        more_events=max(0, len(events) - _MOST_EVENTS),
    )
