"""How a store is run: whether it replays, how long people have, what is kept for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from comity.casework.cases import LONGEST_WAIT
from comity.flow.publish import Mode
from comity.model.duration import Duration
from comity.ports import NO_SPANS, Spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a store is run. `delivery`: in a replay, how long after its decision a statement arrives.

    `snapshot_every`: after how many messages at least the windows are stored whole; more when they hold more, so that
    it costs each message the same. `most_records`: kept at hand; beyond that they are read from the store again.
    `patience`: how long a message waits for a person at most. `kept_for`: how long the text of a message is kept in
    which nothing was found; a replay keeps none, since it has the archive.
    """

    mode: Mode
    delivery: Duration
    history_key: bytes
    snapshot_every: int = 100_000
    most_records: int = 200_000
    patience: Duration = LONGEST_WAIT
    kept_for: timedelta = timedelta()
    spans: Spans = NO_SPANS
