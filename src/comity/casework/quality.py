"""How well it is decided: do two reviewers say the same, and are the rules' findings confirmed by people?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from comity.casework.case_facts import Assessed, CaseClosed, CaseKind, CaseOpened, Found
from comity.casework.cases import Case
from comity.casework.facts import Appealed, AppealOutcome, Decided, Dismissed, Joined, OutcomeGiven, Undone
from comity.casework.record import Record
from comity.casework.refused import RefusedError
from comity.model.ids import CaseId, ClauseId, DecisionId, ReviewerId
from comity.model.message import Message


class Precision(msgspec.Struct, frozen=True, kw_only=True):
    """Of what a clause's rule found and a person looked at: how much was a breach."""

    looked_at: int
    confirmed: int


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Counts, not rates: few decisions prove little. `reversed`: of the decisions that the account appealed.

    `sampled`: messages in which nothing was found and that a person read; `missed`: clauses that they do breach.
    """

    second_reviews: int
    agreed: int
    appealed: int
    reversed: int
    rules: dict[ClauseId, Precision]
    sampled: int
    missed: dict[ClauseId, int]


def second_review(record: Record, decision: DecisionId, case: CaseId, at: datetime) -> CaseOpened:
    """Somebody else is asked what they would have said. Raises `RefusedError`."""
    decider(record, decision)
    if any(each.opened.about == decision and each.opened.kind is CaseKind.SECOND_REVIEW for each in record.cases):
        raise RefusedError("the decision was given to a second reviewer already")
    why = "A second reviewer is asked, who does not see what the first one decided."
    kind = CaseKind.SECOND_REVIEW
    return CaseOpened(account=record.account, at=at, case=case, kind=kind, why=why, about=decision)


def sample(message: Message, case: CaseId, at: datetime, *, is_as_judged: bool) -> CaseOpened:
    """A person is asked whether it is right that nothing was found in the message, and told how sure its text is."""
    why = "Nothing was found in this message, which was drawn at random. Is that right?"
    if not is_as_judged:
        why += " Its text is the archive's: the record keeps nothing that it could be compared with."
    return CaseOpened(account=message.author, at=at, case=case, kind=CaseKind.SAMPLE, why=why, message=message)


def decider(record: Record, decision: DecisionId) -> ReviewerId:
    """Who took the decision or dismissed. Raises `RefusedError` if a rule did."""
    one, dismissal = record.decision(decision), record.dismissal(decision)
    by = one.decided.by if one else dismissal.dismissed.by if dismissal else None
    if by is None:
        raise RefusedError("no person took that decision")
    return by


class Sign(StrEnum):
    """What a record can show, once or more often, of a clause or of none."""

    SECOND_REVIEW = "second review"
    AGREED = "agreed"
    APPEALED = "appealed"
    REVERSED = "reversed"
    LOOKED_AT = "looked at"
    CONFIRMED = "confirmed"
    SAMPLED = "sampled"
    MISSED = "missed"


Signs = Counter[tuple[Sign, ClauseId]]
"""How often which. Those of several records are added; what one of them showed before is taken off again."""
TELLING: Final = (CaseClosed, Assessed, OutcomeGiven)
"""A record without any of these facts shows nothing."""
SHOWING: Final = (CaseOpened, Found, *TELLING, Decided, Dismissed, Joined, Undone, Appealed)
"""What a record shows depends on these facts alone."""
_NONE: Final = ClauseId("")


def signs(record: Record) -> Signs:
    """What one record shows."""
    return Counter((sign, clause) for sign, clause in _signs(record))


def _signs(record: Record) -> Iterator[tuple[Sign, ClauseId]]:
    for agreed in _second_reviews(record):
        yield Sign.SECOND_REVIEW, _NONE
        if agreed:
            yield Sign.AGREED, _NONE
    for outcome in (each.outcome for one in record.decisions for each in one.own_appeals if each.outcome):
        yield Sign.APPEALED, _NONE
        if outcome.outcome is AppealOutcome.REVERSED:
            yield Sign.REVERSED, _NONE
    for clause, is_breach in _findings(record):
        yield Sign.LOOKED_AT, clause
        if is_breach:
            yield Sign.CONFIRMED, clause
    for clauses in _samples(record):
        yield Sign.SAMPLED, _NONE
        yield from ((Sign.MISSED, clause) for clause in clauses)


def quality(shown: Signs) -> Quality:
    """What the records show that these are of."""
    looked_at = _of_clauses(shown, Sign.LOOKED_AT)
    return Quality(
        second_reviews=shown[Sign.SECOND_REVIEW, _NONE],
        agreed=shown[Sign.AGREED, _NONE],
        appealed=shown[Sign.APPEALED, _NONE],
        reversed=shown[Sign.REVERSED, _NONE],
        rules={
            clause: Precision(looked_at=count, confirmed=shown[Sign.CONFIRMED, clause])
            for clause, count in looked_at.items()
        },
        sampled=shown[Sign.SAMPLED, _NONE],
        missed=_of_clauses(shown, Sign.MISSED),
    )


def _of_clauses(shown: Signs, wanted: Sign) -> dict[ClauseId, int]:
    return {clause: count for (sign, clause), count in shown.items() if sign is wanted and count}


def _second_reviews(record: Record) -> Iterator[bool]:
    """Of each that was given, whether it names the same clauses as the first."""
    for case in record.cases:
        about = case.opened.about
        if case.opened.kind is CaseKind.SECOND_REVIEW and case.assessed is not None and about is not None:
            one = record.decision(about)
            first = {breach.clause for breach in one.decided.breaches} if one else set[ClauseId]()
            yield first == set(case.assessed.clauses)


def _samples(record: Record) -> Iterator[tuple[ClauseId, ...]]:
    """Of each that was read, what it breaches after all."""
    for case in record.cases:
        if case.opened.kind is CaseKind.SAMPLE and case.assessed is not None:
            yield case.assessed.clauses


def _findings(record: Record) -> Iterator[tuple[ClauseId, bool]]:
    """What rules found in cases that people have closed, and whether it was a breach."""
    decided = {
        (breach.source, breach.message, breach.clause)
        for one in record.decisions
        if one.is_live and one.decided.by is not None
        for breach in one.breaches
    }
    for case in record.cases:
        if _is_answered(case):
            for breach in case.breaches:
                yield breach.clause, (breach.source, breach.message, breach.clause) in decided


def _is_answered(case: Case) -> bool:
    return case.opened.kind is CaseKind.REVIEW and case.closed is not None
