"""Which messages a decision removes, and where."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from comity.casework.cases import Held
from comity.casework.recorded import Recorded
from comity.model.clause import Kind

Territory = tuple[str, ...]


def removed(one: Recorded, at: datetime) -> Iterator[tuple[Held, Territory | None]]:
    """Each message that the decision removes, and where it does at `at`; None: nowhere any more, or not yet."""
    for measure in one.all_measures:
        if measure.kind is Kind.REMOVE:
            for breach in one.decided.breaches:
                yield (breach.source, breach.message), measure.territory if measure.is_active(at) else None
    later = [each for each in one.all_measures if each.kind is Kind.REMOVE and each.delay]
    has_begun = not later or any(each.is_active(at) for each in later)
    for each in one.joined:
        if each.removed:
            yield (each.breach.source, each.breach.message), () if one.is_live and has_begun else None


def waits_to_remove(one: Recorded) -> bool:
    """Whether messages are removed some time after the statement is delivered, and not at once."""
    return any(each.kind is Kind.REMOVE and each.delay for each in one.decided.measures)
