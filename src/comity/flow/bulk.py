"""One rule's findings decided together, after a person has read a sample of them.

The sample is drawn by lot from all that would be decided: whoever decides names what they read, and what came or went
meanwhile changes the sample, so that it is drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from hashlib import blake2b
from typing import Final

from comity.casework.case_facts import CaseKind
from comity.casework.cases import Case
from comity.casework.facts import Fact
from comity.casework.record import Record, after, fold
from comity.casework.refused import RefusedError
from comity.casework.review import Deciding
from comity.flow import review
from comity.flow.message import Proceedings
from comity.model.ids import CaseId, ClauseId, ReviewerId
from comity.ports import Store

LEAST_READ: Final = 5
MOST_READ: Final = 50
_SHARE: Final = 20
"""One of so many is read, within those bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """What waits for a person because of one clause's rule alone, and what of it has to be read first."""

    clause: ClauseId
    lot: str
    cases: tuple[Case, ...]
    sample: tuple[Case, ...]


def found_by(store: Store, clause: ClauseId, lot: str, by: ReviewerId, at: datetime) -> Bulk:
    """All open cases that only the rule of `clause` asks about and nobody else works on. `lot`: draws the sample."""
    cases = tuple(_cases(store, clause, by, at))
    count = min(len(cases), max(LEAST_READ, min(MOST_READ, len(cases) // _SHARE)))
    drawn = sorted(cases, key=lambda case: blake2b(case.id.encode(), key=lot.encode()[:64]).digest())
    return Bulk(clause=clause, lot=lot, cases=cases, sample=tuple(drawn[:count]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person says to all of them at once."""

    by: ReviewerId
    why: str
    confirms: bool
    instead: str | None = None


def decide(
    proceedings: Proceedings, bulk: Bulk, read: Collection[CaseId], said: Decision, at: datetime
) -> tuple[Fact, ...]:
    """In one transaction, each case with its own decision. Raises `RefusedError` unless all of the sample was read."""
    if not bulk.cases:
        raise RefusedError(f"no case waits that the rule of “{bulk.clause}” alone asks about")
    unread = [case.id for case in bulk.sample if case.id not in read]
    if unread:
        raise RefusedError(f"read the sample first; {len(unread)} of it {'is' if len(unread) == 1 else 'are'} not read")

    def decided(record: Record, deciding: Deciding) -> tuple[Fact, ...]:
        return _decided(proceedings, record, deciding, bulk.clause, said, at)

    return decide_each(proceedings, bulk.cases, decided, said.by, said.why)


def decide_each(
    proceedings: Proceedings,
    cases: Sequence[Case],
    decided: Callable[[Record, Deciding], Iterable[Fact]],
    by: ReviewerId,
    why: str,
) -> tuple[Fact, ...]:
    """What `decided` makes of each case, as it was read, in one transaction."""

    def follows(record: Record) -> Iterator[Fact]:
        for case in cases:
            if case.opened.account == record.account:
                facts = tuple(decided(record, Deciding(case=case.id, version=case.version, by=by, why=why)))
                record = reduce(after, facts, record)
                yield from facts

    return proceedings.act(list(dict.fromkeys(case.opened.account for case in cases)), follows)


def _decided(
    proceedings: Proceedings, record: Record, deciding: Deciding, clause: ClauseId, said: Decision, at: datetime
) -> tuple[Fact, ...]:
    if said.confirms:
        return review.confirmed(proceedings, record, deciding, at, clauses=[clause], instead=said.instead)
    return review.dismissed(proceedings, record, deciding, at)


def _cases(store: Store, clause: ClauseId, by: ReviewerId, at: datetime) -> Iterator[Case]:
    waiting = {CaseId(id_): account for id_, account in store.waiting()}
    records = {account: fold(account, store.facts_of(account)) for account in dict.fromkeys(waiting.values())}
    for id_, account in waiting.items():
        case = records[account].case(id_)
        if case is not None and _is_alike(case, clause) and case.holder(at) in (None, by):
            yield case


def _is_alike(case: Case, clause: ClauseId) -> bool:
    """Whatever else was said of a case, a person decides it by itself."""
    is_asked_alone = case.opened.kind is CaseKind.REVIEW and case.opened.about is None and not case.notices
    return is_asked_alone and case.escalated is None and {each.clause for each in case.breaches} == {clause}
