"""What waits for a person, over the whole record, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from comity.casework.cases import Case
from comity.casework.facts import Appealed, Decided, Dismissed
from comity.casework.queue import Urgency, breaches_of, precisions, urgency
from comity.casework.record import Record, fold
from comity.flow.agreement import Versions
from comity.model.duration import EARLIEST
from comity.model.ids import AccountId, CaseId, ClauseId
from comity.model.message import Message
from comity.ports import Store

_LOOKED_BACK: Final = timedelta(days=90)
"""What people said of a rule before then says little of it now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One case or appeal, and why it is where it is in the queue."""

    id: str
    account: AccountId
    what: Case | Appealed
    urgency: Urgency


def waiting_in(store: Store, now: datetime) -> list[Waiting]:
    """Ordered by severity of the clause, reach, age and confidence."""
    versions = Versions(store.versions())
    since = max(now, EARLIEST + _LOOKED_BACK) - _LOOKED_BACK
    precision = precisions(store.facts([Decided, Dismissed], since=since))
    found = (_one(store, versions, precision, id_, account) for id_, account in store.waiting())
    return sorted((each for each in found if each), key=lambda each: each.urgency.order(now))


def _one(
    store: Store, versions: Versions, precision: Mapping[ClauseId, float], id_: str, account: AccountId
) -> Waiting | None:
    record, newest = fold(account, store.facts_of(account)), versions.latest()
    appeal = next((each.filed for each in record.appeals if each.filed.appeal == id_), None)
    what = record.case(CaseId(id_)) or appeal
    if what is None:
        return None
    found = urgency(
        record,
        what,
        reach=max((message.reach for message in _messages(store, record, what)), default=0),
        precision=precision,
        version_of=versions.agreement,
        newest=newest.agreement if newest else None,
    )
    return Waiting(id=id_, account=account, what=what, urgency=found)


def _messages(store: Store, record: Record, what: Case | Appealed) -> Iterator[Message]:
    """As far as their texts are kept."""
    if isinstance(what, Case):
        yield from what.messages
    for breach in breaches_of(record, what):
        message = store.message(breach.source, breach.message)
        if message is not None:
            yield message
