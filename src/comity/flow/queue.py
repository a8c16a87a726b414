"""What waits for a person, over the whole record, the most urgent first."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from comity.casework.cases import Case
from comity.casework.facts import Appealed, Decided, Dismissed
from comity.casework.queue import Urgency, Vote, breaches_of, confidence, shares, urgency, votes
from comity.casework.record import Record, fold
from comity.flow.agreement import Versions
from comity.model.duration import EARLIEST
from comity.model.ids import AccountId, CaseId, ClauseId, Digest
from comity.model.message import Message
from comity.model.statement import Breach
from comity.ports import Store

_LOOKED_BACK: Final = timedelta(days=90)
"""What people said of a rule before then says little of it now."""
_MOST_NEW: Final = 20_000
"""Facts; after more of them everything is looked at anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One case or appeal, and why it is where it is in the queue. `message`: the first whose text is kept."""

    id: str
    account: AccountId
    record: Record
    what: Case | Appealed
    breaches: tuple[Breach, ...]
    message: Message | None
    urgency: Urgency


def waiting_in(store: Store, now: datetime) -> list[Waiting]:
    """Ordered by severity of the clause, reach, age and confidence."""
    return Queue().look(store, now)


class Queue:
    """The queue of one store, kept at hand: a look at it costs what is new since the last. For one thread."""

    def __init__(self) -> None:
        self._position, self._erasures = 0, -1
        self._lines: dict[str, Waiting] = {}
        self._votes: deque[Vote] = deque()
        self._counts = Counter[tuple[ClauseId, bool]]()
        self._digests: tuple[Digest, ...] = ()
        self._versions = Versions(())

    def look(self, store: Store, now: datetime) -> list[Waiting]:
        with store.at_once():
            self.versions(store)
            self._follow(store, now)
            waiting = dict(store.waiting())
            found = {id_: self._lines.get(id_) or self._line(store, id_, whose) for id_, whose in waiting.items()}
        self._lines = {id_: each for id_, each in found.items() if each is not None}
        precision = shares(self._counts)
        told = [self._sure(each, precision) for each in self._lines.values()]
        return sorted(told, key=lambda each: each.urgency.order(now))

    def versions(self, store: Store) -> Versions:
        """Compiled once; another thread may go on using the ones that it got."""
        published = store.versions()
        digests = tuple(each.digest for each in published)
        if digests != self._digests:
            self._digests, self._versions, self._lines = digests, Versions(published), {}
        return self._versions

    def _follow(self, store: Store, now: datetime) -> None:
        """Forget the lines of accounts of which something is new, and count what people said of rules."""
        since, position = max(now, EARLIEST + _LOOKED_BACK) - _LOOKED_BACK, store.position
        if store.erasures != self._erasures or not 0 <= position - self._position <= _MOST_NEW or not self._position:
            self._erasures, self._lines = store.erasures, {}
            self._votes = deque(votes(store.facts([Decided, Dismissed], since=since)))
            self._counts = Counter((each.clause, each.confirms) for each in self._votes)
        elif position > self._position:
            fresh = list(store.facts(after=self._position))
            touched = {fact.account for fact in fresh}
            self._lines = {id_: each for id_, each in self._lines.items() if each.account not in touched}
            said = list(votes(fresh))
            self._votes.extend(said)
            self._counts.update((each.clause, each.confirms) for each in said)
        self._position = position
        while self._votes and self._votes[0].at < since:
            old = self._votes.popleft()
            self._counts[old.clause, old.confirms] -= 1

    def _line(self, store: Store, id_: str, account: AccountId) -> Waiting | None:
        record, newest = fold(account, store.facts_of(account)), self._versions.latest()
        appeal = next((each.filed for each in record.appeals if each.filed.appeal == id_), None)
        what = record.case(CaseId(id_)) or appeal
        if what is None:
            return None
        breaches = breaches_of(record, what)
        messages = list(_messages(store, breaches, what))
        found = urgency(
            what,
            breaches,
            reach=max((message.reach for message in messages), default=0),
            version_of=self._versions.agreement,
            newest=newest.agreement if newest else None,
        )
        first = messages[0] if messages else None
        return Waiting(
            id=id_, account=account, record=record, what=what, breaches=breaches, message=first, urgency=found
        )

    def _sure(self, one: Waiting, precision: dict[ClauseId, float]) -> Waiting:
        sure = confidence(one.what, one.breaches, precision)
        if sure == one.urgency.confidence:
            return one
        return Waiting(
            id=one.id,
            account=one.account,
            record=one.record,
            what=one.what,
            breaches=one.breaches,
            message=one.message,
            urgency=replace(one.urgency, confidence=sure),
        )


def _messages(store: Store, breaches: Sequence[Breach], what: Case | Appealed) -> Iterator[Message]:
    """As far as their texts are kept."""
    for breach in breaches:
        message = store.message(breach.source, breach.message)
        if message is not None:
            yield message
    if isinstance(what, Case):
        yield from what.messages
