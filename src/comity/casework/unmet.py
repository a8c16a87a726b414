"""Conditions that nobody has met for long: a person is asked whether the measure shall go on until somebody does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from comity.casework.case_facts import CaseKind, CaseOpened
from comity.casework.record import Record
from comity.casework.recorded import REVIEWED, Recorded
from comity.model.duration import Duration, Unit
from comity.model.ids import CaseId

UNMET_FOR: Final = Duration(count=30, unit=Unit.DAY)
"""After so long a person is asked; and again, so long after they let it go on."""


def unmet(one: Recorded, at: datetime) -> tuple[str, ...]:
    """The conditions that measures on channels wait for at `at`. A review has a case of its own."""
    waiting = [each for each in one.measures if each.channels and each.start is not None and each.start <= at]
    names = dict.fromkeys(name for each in waiting if not each.is_over(at) for name in each.until)
    return tuple(name for name in names if name != REVIEWED and name not in dict(one.met))


def asks(record: Record, at: datetime, fresh: Callable[[], str]) -> Iterator[CaseOpened]:
    """The cases to open at `at`, one a decision."""
    for one in record.decisions:
        names = unmet(one, at) if one.is_live else ()
        since = _since(record, one) if names else None
        if since is not None and UNMET_FOR.after(since) <= at:
            why = f"Nobody has met a condition for {UNMET_FOR}: {', '.join(names)}."
            case, kind = CaseId(fresh()), CaseKind.UNMET
            yield CaseOpened(account=record.account, at=at, case=case, kind=kind, why=why, about=one.id)


def _since(record: Record, one: Recorded) -> datetime | None:
    """When its measures began or somebody last let them go on; None while somebody is asked."""
    cases = [each for each in record.cases if each.opened.about == one.id and each.opened.kind is CaseKind.UNMET]
    if any(each.closed is None for each in cases):
        return None
    starts = [each.start for each in one.measures if each.until and each.start is not None]
    return max([min(starts), *[each.closed.at for each in cases if each.closed]])
