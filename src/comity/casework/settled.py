"""Cases about a decision that ask nothing any more, since what they asked about has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

from comity.casework.case_facts import CaseClosed, CaseKind
from comity.casework.cases import Case
from comity.casework.facts import Fact
from comity.casework.record import Record, after
from comity.casework.recorded import REVIEWED
from comity.casework.unmet import unmet
from comity.model.ids import ReviewerId

NOBODY: Final = ReviewerId("comity")
"""Who closes a case that nobody has to decide."""
_BY_RULES: Final = (CaseKind.CEILING, CaseKind.UNTIL_REVIEWED, CaseKind.UNMET)


def asked(record: Record, at: datetime) -> tuple[Case, ...]:
    """The open cases that still ask something at `at`."""
    return tuple(case for case in record.open_cases if _why_settled(record, case, at) is None)


def closings(record: Record, at: datetime) -> Iterator[CaseClosed]:
    """INVARIANT 23: every case ends, also one that nobody decides before its measure has ended."""
    for case in record.open_cases:
        why = _why_settled(record, case, at)
        if why is not None:
            yield CaseClosed(account=record.account, at=at, case=case.id, by=NOBODY, why=why)


def _why_settled(record: Record, case: Case, at: datetime) -> str | None:
    """Only what rules asked: a notifier, or a second reviewer, is still to be heard."""
    if case.opened.about is None or case.opened.kind not in _BY_RULES:
        return None
    one = record.decision(case.opened.about)
    if one is None or not one.is_live:
        return "The decision was reversed or replaced."
    if case.opened.kind is CaseKind.CEILING:
        return None
    if case.opened.kind is CaseKind.UNMET:
        return None if unmet(one, at) else "The conditions were met, or the measure has ended."
    lasting = any(REVIEWED in each.until and not each.is_over(at) for each in one.measures)
    return None if lasting else "The measure has ended, or lasts until a review no longer."


def with_closings(record: Record, follows: Callable[[Record], Iterable[Fact]]) -> Iterator[Fact]:
    """What an act does, and the cases that it leaves with nothing to ask."""
    last: Fact | None = None
    for last in follows(record):
        record = after(record, last)
        yield last
    if last is not None:
        yield from closings(record, last.at)
