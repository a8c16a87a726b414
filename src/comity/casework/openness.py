"""What the public is told of a record in numbers: a fold of its facts, month by month, without anybody in it.

Of an account nothing is kept but the ids of what still waits, which are random. Small counts are told as such, and as
no more than that: in a small community a number could say who it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from comity.casework.case_facts import CaseClosed, CaseOpened, Informed, Noticed
from comity.casework.facts import (
    Appealed,
    AppealOutcome,
    Decided,
    Dismissed,
    Fact,
    Joined,
    Lifted,
    OutcomeGiven,
    Party,
    Undone,
)
from comity.model.clause import Kind
from comity.model.ids import ClauseId

COUNTED: Final[tuple[type[Fact], ...]] = (
    Decided,
    Dismissed,
    Joined,
    Lifted,
    Undone,
    Appealed,
    OutcomeGiven,
    Noticed,
    Informed,
    CaseOpened,
    CaseClosed,
)
"""The facts that numbers are made of."""
SMALL: Final = 5
"""A count below it, other than none, is told as `under 5`."""


@dataclass(slots=True, kw_only=True)
class Month:
    """What happened in one month. Times are in whole hours, each with how often it took so long."""

    statements: int = 0
    clauses: Counter[ClauseId] = field(default_factory=Counter)
    kinds: Counter[Kind] = field(default_factory=Counter)
    by_rule: int = 0
    by_person: int = 0
    dismissed: int = 0
    lifted: int = 0
    undone: int = 0
    appeals: int = 0
    outcomes: Counter[AppealOutcome] = field(default_factory=Counter)
    appeal_hours: Counter[int] = field(default_factory=Counter)
    notices: int = 0
    confirmed_notices: int = 0
    case_hours: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Openness:
    """The running count. `months` by their first day, such as `2026-11`.

    `position`, `erasures`: how many facts and erasures there were when it was counted.
    """

    position: int = 0
    erasures: int = 0
    months: dict[str, Month] = field(default_factory=dict)
    _waiting: dict[str, datetime] = field(default_factory=dict)

    def take(self, facts: Iterable[Fact]) -> None:
        """Those that came since, in the record's order."""
        for fact in facts:
            name = f"{fact.at.year:04d}-{fact.at.month:02d}"
            month = self.months.get(name)
            if month is None:
                month = self.months[name] = Month()
            self._count(month, fact)

    def forget(self, is_erased: Callable[[str], bool]) -> None:
        """What waited of an account whose data were erased waits no more; what was counted of it stays."""
        for id_ in [each for each in self._waiting if is_erased(each)]:
            del self._waiting[id_]

    def _count(self, month: Month, fact: Fact) -> None:
        match fact:
            case Decided():
                month.statements += 1
                month.clauses.update({breach.clause for breach in fact.breaches})
                month.kinds.update({measure.kind for measure in fact.measures})
                month.by_person += fact.by is not None
                month.by_rule += fact.by is None
            case Dismissed():
                month.dismissed += 1
            case Lifted():
                month.lifted += 1
            case Undone():
                month.undone += 1
            case Noticed():
                month.notices += 1
            case Informed(confirmed=True):
                month.confirmed_notices += 1
            case CaseOpened(case=case):
                self._waiting[case] = fact.at
            case CaseClosed(case=case):
                month.case_hours.update(self._took(case, fact.at))
            case _:
                self._appeal(month, fact)

    def _appeal(self, month: Month, fact: Fact) -> None:
        """Those of accounts; what notifiers appeal against is counted with their notices."""
        match fact:
            case Appealed(party=Party.ACCOUNT, appeal=appeal):
                month.appeals += 1
                self._waiting[appeal] = fact.at
            case OutcomeGiven(appeal=appeal) if appeal in self._waiting:
                month.outcomes[fact.outcome] += 1
                month.appeal_hours.update(self._took(appeal, fact.at))
            case _:
                return

    def _took(self, id_: str, at: datetime) -> Iterator[int]:
        since = self._waiting.pop(id_, None)
        if since is not None:
            yield max(0, int((at - since).total_seconds() // 3600))

    @property
    def waiting(self) -> int:
        """Cases and appeals that are not decided yet."""
        return len(self._waiting)


def together(months: Iterable[Month]) -> Month:
    """Several months as one."""
    total = Month()
    for each in months:
        total.statements += each.statements
        total.clauses += each.clauses
        total.kinds += each.kinds
        total.by_rule += each.by_rule
        total.by_person += each.by_person
        total.dismissed += each.dismissed
        total.lifted += each.lifted
        total.undone += each.undone
        total.appeals += each.appeals
        total.outcomes += each.outcomes
        total.appeal_hours += each.appeal_hours
        total.notices += each.notices
        total.confirmed_notices += each.confirmed_notices
        total.case_hours += each.case_hours
    return total


def median(hours: Counter[int]) -> int:
    """The hours that half of them took at most; 0 of none."""
    half, passed = (hours.total() + 1) // 2, 0
    for each in sorted(hours):
        passed += hours[each]
        if passed >= half:
            return each
    return 0


def told(count: int) -> str:
    """A count as the public is told it."""
    return f"under {SMALL}" if 0 < count < SMALL else f"{count:,}"
