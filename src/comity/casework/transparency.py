"""What happened in a period, counted for those to whom an operator reports (EU DSA, Articles 15 and 24).

A pure function of facts. Nobody is in it: neither an account nor whoever decided, reported or appealed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from comity.casework.case_facts import Informed, Noticed
from comity.casework.facts import Appealed, AppealOutcome, Corrected, Decided, Fact, OutcomeGiven, Party, Undone
from comity.model.ids import ClauseId, DecisionId
from comity.model.statement import Origin

COUNTED: Final[tuple[type[Fact], ...]] = (Noticed, Informed, Decided, Corrected, Undone, Appealed, OutcomeGiven)
"""The facts that are counted, or that others are about."""
UNCATEGORISED: Final = "OTHER_VIOLATION_TC"
"""The category of a clause that names none."""
UNNAMED: Final = "not named"
"""The category of a notice that names no clause."""


class Basis(StrEnum):
    """What a decision began with: what rules or people of the operator found, or a notice."""

    OWN = "own initiative"
    NOTICE = "notices"


class What(StrEnum):
    """What is counted beside kinds of measures, origins of notices and outcomes of appeals."""

    ALL = "all"
    FOUND_BY_RULE = "found by a rule"
    BY_RULE = "decided by a rule"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    REVERSED = "reversed on appeal"
    UNDONE = "reversed without one"
    MILDER = "made milder by a person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """`end` is no part of it."""

    start: datetime
    end: datetime

    def covers(self, at: datetime) -> bool:
        return self.start <= at < self.end


Counts = defaultdict[str, Counter[str]]
Hours = defaultdict[str, Counter[int]]


def _counts() -> Counts:
    return defaultdict(Counter)


def _hours() -> Hours:
    return defaultdict(Counter)


@dataclass(slots=True, kw_only=True)
class Counted:
    """`notices` by category, `measures` by basis and category, `appeals` by party, `rules` by clause; then by `What`.

    Hours are whole ones that it took, each with how often.
    """

    notices: Counts = field(default_factory=_counts)
    notice_hours: Hours = field(default_factory=_hours)
    measures: Mapping[Basis, Counts] = field(default_factory=lambda: {each: _counts() for each in Basis})
    appeals: Counts = field(default_factory=_counts)
    appeal_hours: Hours = field(default_factory=_hours)
    rules: Counts = field(default_factory=_counts)


def count(facts: Iterable[Fact], period: Period, category_of: Mapping[ClauseId, str]) -> Counted:
    """`facts`: all up to the period's end, in the record's order. `category_of`: of the clauses that notices name."""
    counting = _Counting(period, category_of)
    for fact in facts:
        counting.take(fact)
    return counting.counted


class _Counting:
    """Knows of notices, appeals and rules' decisions also from before the period: how they end may fall into it."""

    def __init__(self, period: Period, category_of: Mapping[ClauseId, str]) -> None:
        self.counted, self._period, self._category_of = Counted(), period, category_of
        self._noticed: dict[str, tuple[str, datetime]] = {}
        self._appealed: dict[str, tuple[Party, datetime]] = {}
        self._ruled: dict[DecisionId, tuple[ClauseId, ...]] = {}
        self._made_milder: set[DecisionId] = set()

    def take(self, fact: Fact) -> None:
        match fact:
            case Noticed():
                category = self._category_of.get(fact.clause, UNCATEGORISED) if fact.clause else UNNAMED
                self._noticed[fact.notice] = category, fact.at
            case Appealed():
                self._appealed[fact.appeal] = fact.party, fact.at
            case Decided(by=None):
                self._ruled[fact.decision] = tuple(dict.fromkeys(breach.clause for breach in fact.breaches))
            case _:
                pass
        if self._period.covers(fact.at):
            self._count(fact)

    def _count(self, fact: Fact) -> None:
        counted = self.counted
        match fact:
            case Noticed():
                counted.notices[self._noticed[fact.notice][0]].update([What.ALL, fact.origin])
            case Informed():
                category, since = self._noticed.get(fact.notice, (UNNAMED, fact.at))
                counted.notices[category][What.CONFIRMED if fact.confirmed else What.DISMISSED] += 1
                counted.notice_hours[category][_took(since, fact.at)] += 1
            case Decided():
                self._decided(fact)
            case Appealed():
                counted.appeals[fact.party][What.ALL] += 1
            case OutcomeGiven():
                party, since = self._appealed.get(fact.appeal, (Party.ACCOUNT, fact.at))
                counted.appeals[party][fact.outcome] += 1
                counted.appeal_hours[party][_took(since, fact.at)] += 1
                if fact.outcome is AppealOutcome.REVERSED:
                    self._of_rules(fact.decision, What.REVERSED)
                if fact.outcome is AppealOutcome.VARIED:
                    self._milder(fact.decision)
            case Corrected():
                if fact.measures is not None:
                    self._milder(fact.decision)
            case Undone():
                self._of_rules(fact.decision, What.UNDONE)
            case _:
                return

    def _decided(self, fact: Decided) -> None:
        named = [clause.category for clause in fact.statement.clauses if clause.category]
        basis = Basis.OWN if all(breach.origin is Origin.RULE for breach in fact.breaches) else Basis.NOTICE
        one = self.counted.measures[basis][named[0] if named else UNCATEGORISED]
        one.update([What.ALL, *{measure.kind for measure in fact.measures}])
        one[What.FOUND_BY_RULE] += fact.statement.found_automatically
        one[What.BY_RULE] += fact.by is None
        self._of_rules(fact.decision, What.ALL)
        if fact.replaces is not None and fact.is_milder:
            self._milder(fact.replaces)

    def _milder(self, decision: DecisionId) -> None:
        """Once, however often a person goes on making it milder."""
        if decision not in self._made_milder:
            self._made_milder.add(decision)
            self._of_rules(decision, What.MILDER)

    def _of_rules(self, decision: DecisionId, what: What) -> None:
        for clause in self._ruled.get(decision, ()):
            self.counted.rules[clause][what] += 1


def _took(since: datetime, until: datetime) -> int:
    return max(0, int((until - since).total_seconds() // 3600))
