"""A decision as the person's own file tells it: what can be known of it without the record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from comity.casework.facts import Appealed, Change, Decided, Points, decode
from comity.casework.record import fold
from comity.casework.recorded import Recorded
from comity.model.duration import Duration, Unit
from comity.model.statement import Statement

_UNKNOWN: Final = Duration(count=1, unit=Unit.MONTH)


class RereadError(ValueError):
    """What is told to have followed a statement cannot have."""


def reread(statement: Statement, followed: Iterable[str]) -> Recorded:
    """The decision with what followed it, each the JSON of a fact. Raises `RereadError`.

    A statement does not say by when a measure is reviewed, nor an appeal decided; nothing that is printed asks for it.
    """
    facts = [_fact(content, statement) for content in dict.fromkeys(followed)]  # a lift has two entries
    decided = Decided(
        account=statement.account,
        at=statement.at,
        decision=statement.id,
        step=1,
        breaches=statement.breaches,
        ladders=tuple(ladder for ladder, _ in statement.added),
        points=tuple(Points(ladder=ladder, count=count) for ladder, count in statement.added),
        measures=statement.measures,
        statement=statement,
        review_within=_UNKNOWN,
    )
    try:
        (one,) = fold(statement.account, [decided, *facts]).decisions
    except (ValueError, OverflowError) as error:
        raise RereadError(f"what is told to have followed cannot be put together: {error}") from error
    return one


def _fact(content: str, statement: Statement) -> Appealed | Change:
    try:
        fact = decode(content.encode())
    except (ValueError, RecursionError) as error:
        raise RereadError(f"what is told to have followed is no fact: {error}") from error
    if not isinstance(fact, Appealed | Change):
        raise RereadError("what is told to have followed is nothing that follows a statement")
    if (fact.account, fact.decision) != (statement.account, statement.id):
        raise RereadError("what is told to have followed is about another statement")
    return fact
