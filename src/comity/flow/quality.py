"""Second reviews: drawn at random from what people decided, and what all of them show."""

from __future__ import annotations

from datetime import datetime

from comity.casework import quality
from comity.casework.case_facts import CaseKind, CaseOpened
from comity.casework.facts import Decided, Dismissed
from comity.casework.quality import Quality
from comity.casework.record import fold
from comity.flow.message import Proceedings
from comity.model.ids import AccountId, CaseId, DecisionId
from comity.ports import Store


def draw(proceedings: Proceedings, count: int, at: datetime) -> tuple[CaseId, ...]:
    """Put `count` decisions of people before a second reviewer, or all that are left; none twice."""
    left = sorted(_unreviewed(proceedings.store), key=lambda _: proceedings.fresh())[:count]
    opened = tuple(CaseId(proceedings.fresh()) for _ in left)
    for (account, decision), case in zip(left, opened, strict=True):
        proceedings.note(quality.second_review(proceedings.record(account), decision, case, at))
    return opened


def measured(store: Store) -> Quality:
    """What the whole record shows."""
    accounts = dict.fromkeys(fact.account for fact in store.facts([Decided, Dismissed]))
    return quality.quality(fold(account, store.facts_of(account)) for account in accounts)


def _unreviewed(store: Store) -> list[tuple[AccountId, DecisionId]]:
    reviewed = {
        fact.about
        for fact in store.facts([CaseOpened])
        if isinstance(fact, CaseOpened) and fact.kind is CaseKind.SECOND_REVIEW
    }
    return [
        (fact.account, fact.decision)
        for fact in store.facts([Decided, Dismissed])
        if isinstance(fact, Decided | Dismissed) and fact.by is not None and fact.decision not in reviewed
    ]
