"""Reports of messages of which nothing is known here, dismissed together: they can be made up by the thousand.

Nothing but somebody's word stands for each, and a sample would say nothing of the others: each is read by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from comity.casework.case_facts import CaseKind
from comity.casework.cases import Case
from comity.casework.facts import Fact
from comity.casework.queue import rests_on_claims
from comity.casework.record import Record
from comity.casework.refused import Mend, RefusedError
from comity.casework.review import Deciding
from comity.flow import review
from comity.flow.bulk import decide_each
from comity.flow.message import Proceedings
from comity.model.ids import CaseId, ReviewerId

AT_ONCE: Final = 50


def is_claimed(case: Case, by: ReviewerId, at: datetime) -> bool:
    """Whether it is such a report, or several of one message, and nobody else works on it."""
    is_plain = case.opened.kind is CaseKind.REVIEW and case.opened.about is None and case.escalated is None
    return is_plain and case.closed is None and rests_on_claims(case) and case.holder(at) in (None, by)


def dismiss(proceedings: Proceedings, read: Mapping[CaseId, int], by: ReviewerId, why: str, at: datetime) -> int:
    """In one transaction, those that still are as they were read, each in its version. How many.

    Raises `RefusedError` if none is, or without a reason.
    """
    cases = tuple(_unchanged(proceedings, read, by, at))
    if not cases:
        raise RefusedError("none of them waits any more as you read it; read what waits now", Mend.LOOK_UP)

    def dismissed(record: Record, deciding: Deciding) -> tuple[Fact, ...]:
        return review.dismissed(proceedings, record, deciding, at)

    decide_each(proceedings, cases, dismissed, by, why)
    return len(cases)


def _unchanged(proceedings: Proceedings, read: Mapping[CaseId, int], by: ReviewerId, at: datetime) -> Iterator[Case]:
    for id_, version in read.items():
        account = proceedings.store.account_of(id_)
        case = proceedings.record(account).case(id_) if account else None
        if case is not None and case.version == version and is_claimed(case, by, at):
            yield case
