"""A message that was judged, before anything is decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from comity.casework.record import Record, standing
from comity.engine.trace import Trace
from comity.engine.windows import Window
from comity.flow.agreement import InForce
from comity.model.finding import Finding
from comity.model.measure import Standing, State
from comity.model.message import Message

Counts = tuple[Mapping[Window, int | float], bool]
"""What history says of a message: the counts of its windows, and whether it came too late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """`at`: when; `bound`: the version that its author is bound by; `record` and `standing`: the author's, so far."""

    message: Message
    at: datetime
    trace: Trace
    bound: InForce | None
    record: Record
    standing: Standing
    findings: tuple[Finding, ...]


def seen(
    message: Message, trace: Trace, counts: Counts, *, bound: InForce | None, record: Record, at: datetime
) -> Seen:
    """Judges a message at `at`; one that is refused whatever it says is not."""
    found = standing(record, message.channel, at)
    findings: tuple[Finding, ...] = ()
    if bound is not None and found.state is not State.CUT:
        findings = bound.plan.judge(message, counts[0], late=counts[1])
    return Seen(message=message, at=at, trace=trace, bound=bound, record=record, standing=found, findings=findings)
