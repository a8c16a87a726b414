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
    has_begun = not waits_to_remove(one, at)
    for each in one.joined:
        if each.removed:
            yield (each.breach.source, each.breach.message), () if one.is_live and has_begun else None


def waits_to_remove(one: Recorded, at: datetime) -> bool:
    """Whether messages are removed some time after the statement is delivered, and that has not come by `at`."""
    later = [each for each in one.all_measures if each.kind is Kind.REMOVE and each.delay]
    return bool(later) and not any(each.is_active(at) for each in later)
