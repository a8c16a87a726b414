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
    for each in one.joined:
        if each.removed:
            yield (each.breach.source, each.breach.message), () if one.is_live else None
