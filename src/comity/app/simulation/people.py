"""The people who decide: office hours, a capacity, the oldest first; and somebody else for each appeal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count, islice
from typing import Final

from comity.app.draws import Draw
from comity.casework.appeal import took_part
from comity.casework.case_facts import CaseKind
from comity.casework.cases import Case
from comity.casework.facts import AppealOutcome, Party
from comity.casework.record import Record
from comity.casework.recorded import Appeal
from comity.casework.review import Deciding
from comity.casework.severity import RISING
from comity.flow import appeal, review
from comity.flow.message import Proceedings
from comity.model.ids import ClauseId, DecisionId, MessageId, ReviewerId

_OPENS: Final = 9
_CLOSES: Final = 17
_FEWEST_REVIEWERS: Final = 3
_ACCOUNTS_A_REVIEWER: Final = 20_000
_ACTS_AN_HOUR: Final = 4
_GUEST: Final = ReviewerId("guest-reviewer")
"""Decides an appeal when everybody else took part."""

_ERRS: Final = 0.08
_UPHOLDS: Final = 0.8  # of those who did breach
_VARIES: Final = 0.15  # of them; the rest is reversed
_REVERSES: Final = 0.9  # of those who did not


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """A pool of reviewers. `breached`: what each message that breaches truly breaches."""

    seed: int
    pool: tuple[ReviewerId, ...]
    breached: dict[MessageId, ClauseId] = field(default_factory=dict)
    turns: Iterator[int] = field(default_factory=count)

    def decide(self, proceedings: Proceedings, at: datetime) -> None:
        """An hour's work on what waits longest. Nothing outside office hours."""
        if at.weekday() < 5 and _OPENS <= at.hour < _CLOSES:
            for id_, account in islice(proceedings.store.waiting(), len(self.pool) * _ACTS_AN_HOUR):
                self._decide_one(proceedings, proceedings.record(account), id_, at)

    def _decide_one(self, proceedings: Proceedings, record: Record, id_: str, at: datetime) -> None:
        case = next((each for each in record.open_cases if each.id == id_), None)
        waiting = next((each for each in record.appeals if each.filed.appeal == id_), None)
        draw = Draw(seed=self.seed, of=id_)
        if case is not None:
            self._close(proceedings, record, case, draw, at)
        elif waiting is not None and waiting.outcome is None:
            self._answer(proceedings, record, waiting, draw, at)

    def _close(self, proceedings: Proceedings, record: Record, case: Case, draw: Draw, at: datetime) -> None:
        clauses = self._clauses(record, case)
        about = record.decision(case.opened.about) if case.opened.about else None
        by = self.pool[next(self.turns) % len(self.pool)]
        deciding = Deciding(case=case.id, version=case.version, by=by, why="As the clause says.")
        can_confirm = bool(clauses or case.found or any(each.clause for each in case.notices))
        if about is not None:
            can_confirm = about.is_live
        if can_confirm and bool(clauses) is not draw.happens(_ERRS, "errs"):
            named = clauses if case.opened.kind is CaseKind.ON_HOLD else ()
            review.confirm(proceedings, deciding, at, clauses=named)
        else:
            review.dismiss(proceedings, deciding, at)

    def _clauses(self, record: Record, case: Case) -> tuple[ClauseId, ...]:
        """What the messages of the case truly breach."""
        about = record.decision(case.opened.about) if case.opened.about else None
        found = about.breaches if about else case.breaches
        messages = [each.id for each in case.messages] + [each.message for each in found]
        return tuple(dict.fromkeys(self.breached[each] for each in messages if each in self.breached))

    def _answer(self, proceedings: Proceedings, record: Record, waiting: Appeal, draw: Draw, at: datetime) -> None:
        decision = waiting.filed.decision
        outcome = self._outcome(record, waiting, draw)
        instead = "warn" if outcome is AppealOutcome.VARIED else None
        by = self._somebody_else(record, decision)
        why = "Somebody who had no part in it has looked."
        appeal.give_outcome(proceedings, waiting.filed.appeal, outcome, by, why, at, instead=instead)

    def _outcome(self, record: Record, waiting: Appeal, draw: Draw) -> AppealOutcome:
        one = record.decision(waiting.filed.decision)
        is_own = waiting.filed.party is Party.ACCOUNT and one is not None
        if not is_own or one is None:
            return AppealOutcome.REVERSED if draw.happens(0.3, "outcome") else AppealOutcome.UPHELD
        drawn = draw.share("outcome")
        if not any(each.message in self.breached for each in one.breaches):
            return AppealOutcome.REVERSED if drawn <= _REVERSES else AppealOutcome.UPHELD
        restricts = one.is_live and any(each.kind in RISING for each in one.measures)
        if drawn <= _UPHOLDS or (drawn <= _UPHOLDS + _VARIES and not restricts):
            return AppealOutcome.UPHELD
        return AppealOutcome.VARIED if drawn <= _UPHOLDS + _VARIES else AppealOutcome.REVERSED

    def _somebody_else(self, record: Record, decision: DecisionId) -> ReviewerId:
        """Invariant 16 is the record's to hold; here it is kept by asking somebody who may."""
        parts, turn = took_part(record, decision), next(self.turns)
        able = [by for by in self.pool if by not in parts]
        return able[turn % len(able)] if able else _GUEST


def people_for(accounts: int, seed: int) -> People:
    size = _FEWEST_REVIEWERS + accounts // _ACCOUNTS_A_REVIEWER
    return People(seed=seed, pool=tuple(ReviewerId(f"reviewer-{each + 1}") for each in range(size)))
