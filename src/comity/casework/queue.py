"""In which order people are asked: the gravest clause first, then what reaches most, waits longest and is surest.

Each of the four only decides where those before it are equal; so reach counts by its order of magnitude and waiting in
whole days, or the later ones would never count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from comity.casework.cases import Case
from comity.casework.facts import Appealed, Decided, Dismissed, Fact
from comity.casework.record import Record
from comity.casework.versions import VersionOf
from comity.model.agreement import Agreement
from comity.model.ids import ClauseId
from comity.model.statement import Breach, Origin

_SURE: Final = (Origin.AUTHORITY, Origin.TRUSTED_FLAGGER)
UNKNOWN: Final = 0.5
"""How likely a person confirms what nobody has looked at yet."""
_PRIOR: Final = 2
"""Findings, half of them right, that are added to those that people looked at: a single one proves little."""


class Urgency(msgspec.Struct, frozen=True, kw_only=True):
    """Why something is looked at sooner or later. `confidence`: how likely it is that people will confirm it."""

    severity: int
    reach: int
    since: datetime
    confidence: float

    def order(self, now: datetime) -> tuple[int, int, int, float, datetime]:
        """The smallest is first."""
        days = (now - self.since).days
        return -self.severity, -len(str(self.reach)), -days, -self.confidence, self.since


def urgency(
    record: Record,
    what: Case | Appealed,
    *,
    reach: int,
    precision: Mapping[ClauseId, float],
    version_of: VersionOf,
    newest: Agreement | None,
) -> Urgency:
    """`reach`: the widest of its messages'; `precision`: as `precisions` has it; `newest`: what notices speak of."""
    breaches = breaches_of(record, what)
    severities = [_points(version_of(each.agreement), each.clause) for each in breaches]
    sure = [precision.get(each.clause, UNKNOWN) for each in breaches if each.origin is Origin.RULE]
    if isinstance(what, Case):
        severities += [_points(newest, each.clause) for each in what.notices]
        sure += [1.0 if each.origin in _SURE else UNKNOWN for each in what.notices]
    since = what.at if isinstance(what, Appealed) else what.since
    confidence = max(sure, default=UNKNOWN)
    return Urgency(severity=max(severities, default=0), reach=reach, since=since, confidence=confidence)


def breaches_of(record: Record, what: Case | Appealed) -> tuple[Breach, ...]:
    """What is to be decided, or was."""
    about = what.decision if isinstance(what, Appealed) else what.opened.about
    decided = record.decision(about) if about else None
    if decided is not None:
        return decided.breaches
    return what.breaches if isinstance(what, Case) else ()


def precisions(facts: Iterable[Fact]) -> dict[ClauseId, float]:
    """Of what each clause's rule found and people decided, which share they confirmed."""
    confirmed, refused = Counter[ClauseId](), Counter[ClauseId]()
    for fact in facts:
        if isinstance(fact, Decided | Dismissed) and fact.by is not None:
            found = [each.clause for each in fact.breaches if each.origin is Origin.RULE]
            (confirmed if isinstance(fact, Decided) else refused).update(found)
    return {
        clause: (confirmed[clause] + UNKNOWN * _PRIOR) / (confirmed[clause] + refused[clause] + _PRIOR)
        for clause in confirmed | refused
    }


def _points(version: Agreement | None, clause: ClauseId | None) -> int:
    return max((each.points for each in version.clauses if each.id == clause), default=0) if version else 0
