"""When an act may be said to have happened, in a record of the present."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from comity.casework.facts import Corrected, Decided, Dismissed, Fact, Lifted, OutcomeGiven, Undone
from comity.casework.refused import RefusedError

_DECIDING: Final = (Decided, Dismissed, OutcomeGiven, Lifted, Corrected, Undone)
_PATIENCE: Final = timedelta(minutes=5)
"""Between reading the clock and keeping the act."""


def demand_timely(facts: Iterable[Fact], now: datetime) -> None:
    """What somebody reports has happened already; what is decided is decided now, or measures would reach back.

    Raises `RefusedError`.
    """
    for fact in facts:
        if fact.at > now:
            raise RefusedError(f"{fact.at:%Y-%m-%d %H:%M} UTC is still to come; leave the time out for now")
        if isinstance(fact, _DECIDING) and fact.at < now - _PATIENCE:
            raise RefusedError("a decision is taken now, not at an earlier time; leave the time out")
