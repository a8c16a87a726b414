"""At a terminal, what an act would come to is shown before anything is done. A script is believed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import reduce

from comity.app.acting import demand_sure
from comity.app.settings import Settings
from comity.app.show import printed
from comity.app.terminal import out
from comity.casework.facts import Corrected, Fact, Lifted, OutcomeGiven, Recomputed, Undone
from comity.casework.record import Record, after
from comity.flow.message import Proceedings

_TOLD = (Corrected, Lifted, OutcomeGiven, Recomputed, Undone)
"""After these a statement reads otherwise."""


def demand_agreed(
    question: str,
    proceedings: Proceedings,
    record: Record,
    facts: Sequence[Fact],
    settings: Settings,
    *,
    above: Iterable[str] = (),
) -> None:
    """`above`: what else is to be read before. Raises `StopError` if the answer is no."""
    if sys.stdin.isatty():
        for line in above:
            out.print(line, markup=False)
        show_then(proceedings, record, facts, settings)
        demand_sure(question, is_sure=False)


def show_then(proceedings: Proceedings, record: Record, facts: Sequence[Fact], settings: Settings) -> None:
    """Each statement that would be read otherwise, as it would be."""
    then = reduce(after, facts, record)
    for decision in dict.fromkeys(fact.decision for fact in facts if isinstance(fact, _TOLD)):
        one = then.decision(decision)
        if one is not None:
            version = proceedings.versions.agreement(one.decided.statement.agreement)
            shown = printed(one, settings, version.appeal_window if version else None)
            out.print(f"This would then be read:\n\n{shown}", markup=False)
