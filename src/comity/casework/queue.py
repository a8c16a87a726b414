"""In which order people are asked: the gravest clause first, then what reaches most, waits longest and is surest.

Each of the four only decides where those before it are equal; so reach counts by its order of magnitude and waiting in
whole days, or the later ones would never count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from comity.casework.case_facts import Known, Noticed
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


class Vote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a person said of something that a rule found."""

    at: datetime
    clause: ClauseId
    confirms: bool


def urgency(
    what: Case | Appealed,
    breaches: tuple[Breach, ...],
    *,
    reach: int,
    version_of: VersionOf,
    newest: Agreement | None,
) -> Urgency:
    """Before it is known what people say of its rules. `reach`: the widest of its messages'; `newest`: for notices.

    INVARIANT: what anybody says of a message that the record does not know counts no severity. Made up by the thousand,
    naming the gravest clause, it would stand before all that is known.
    """
    severities = [_points(version_of(each.agreement), each.clause) for each in breaches]
    if isinstance(what, Case):
        severities += [_points(newest, each.clause) for each in what.notices if not is_mere_claim(each)]
    since = what.at if isinstance(what, Appealed) else what.since
    return Urgency(severity=max(severities, default=0), reach=reach, since=since, confidence=UNKNOWN)


def is_mere_claim(notice: Noticed) -> bool:
    """Whether nothing but anybody's word stands for it."""
    return notice.known is Known.NOTHING and notice.origin not in _SURE


def rests_on_claims(case: Case) -> bool:
    """Whether nothing but anybody's word stands for any of it."""
    return bool(case.notices) and not case.breaches and all(map(is_mere_claim, case.notices))


def confidence(what: Case | Appealed, breaches: tuple[Breach, ...], precision: Mapping[ClauseId, float]) -> float:
    """`precision`: as `shares` has it."""
    sure = [precision.get(each.clause, UNKNOWN) for each in breaches if each.origin is Origin.RULE]
    if isinstance(what, Case):
        sure += [1.0 if each.origin in _SURE else UNKNOWN for each in what.notices]
    return max(sure, default=UNKNOWN)


def breaches_of(record: Record, what: Case | Appealed) -> tuple[Breach, ...]:
    """What is to be decided, or was."""
    about = what.decision if isinstance(what, Appealed) else what.opened.about
    decided = record.decision(about) if about else None
    if decided is not None:
        return decided.breaches
    return what.breaches if isinstance(what, Case) else ()


def votes(facts: Iterable[Fact]) -> Iterator[Vote]:
    """What people decided of what rules found."""
    for fact in facts:
        if isinstance(fact, Decided | Dismissed) and fact.by is not None:
            confirms = isinstance(fact, Decided)
            yield from (
                Vote(at=fact.at, clause=each.clause, confirms=confirms)
                for each in fact.breaches
                if each.origin is Origin.RULE
            )


def shares(counts: Mapping[tuple[ClauseId, bool], int]) -> dict[ClauseId, float]:
    """Of what each clause's rule found and people decided, which share they confirmed; none, if they decided none."""
    return {
        clause: (counts.get((clause, True), 0) + UNKNOWN * _PRIOR)
        / (counts.get((clause, True), 0) + counts.get((clause, False), 0) + _PRIOR)
        for clause in {clause for (clause, _), count in counts.items() if count}
    }


def _points(version: Agreement | None, clause: ClauseId | None) -> int:
    return max((each.points for each in version.clauses if each.id == clause), default=0) if version else 0
