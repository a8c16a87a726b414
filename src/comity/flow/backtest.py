"""What a draft would have done to an archive: the order of steps, part by part.

    columns of a part -> draft and the version it is held against, judged -> counted -> samples drawn -> ladder

Memory does not grow with the archive, only with its accounts and with what the widest window holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from comity.engine.columns import Bools
from comity.engine.windows import Window
from comity.flow import features
from comity.flow.columnar import ColumnJudging, Judged, Kept, Messages
from comity.flow.features import Asked, asked_by
from comity.flow.ladder import Gathered
from comity.flow.tally import ANY, Draws, Ints, Place, Tally, any_of
from comity.model.agreement import Agreement
from comity.model.clause import Decide
from comity.model.finding import Finding
from comity.model.ids import Channel, ClauseId
from comity.model.message import Message

SAMPLES: Final = 8
_MOST_SAMPLES: Final = 400


class Change(StrEnum):
    """How a message stands to a clause of the draft and of the version it is held against."""

    FOUND = "found"
    CAUGHT = "newly caught"
    LET_GO = "newly let go"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What has to be known of a drawn message, besides itself, to show its evidence."""

    counts: Mapping[Window, int | float]
    late: bool


@dataclass(slots=True, kw_only=True)
class Side:
    """One of the versions, and what was counted of what it finds."""

    judging: ColumnJudging
    tallies: dict[ClauseId, Tally] = field(default_factory=dict)
    gathered: Gathered = field(default_factory=Gathered)

    @property
    def agreement(self) -> Agreement:
        return self.judging.agreement

    @property
    def counting(self) -> tuple[ClauseId, ...]:
        """The clauses with a rule that do more than count."""
        ids = self.judging.clauses
        return tuple(c.id for c in self.agreement.clauses if c.id in ids and c.decide is not Decide.SHADOW)

    def tally(self, clause: ClauseId) -> Tally:
        return self.tallies.setdefault(clause, Tally())


class Backtest:
    """The running counts of one archive. Parts come in their order."""

    def __init__(self, draft: Agreement, against: Agreement | None, *, archive: str, has_labels: bool = False) -> None:
        """`archive` names all that is read, in its order."""
        self._has_labels = has_labels
        versions = [each for each in (draft, against) if each is not None]
        self.channels: Final[tuple[Channel, ...]] = tuple(
            sorted({channel for version in versions for channel in version.channels})
        )
        sides = [Side(judging=ColumnJudging(each, channels=self.channels, archive=archive)) for each in versions]
        self.draft: Final = sides[0]
        self.against: Final = sides[1] if against is not None else None
        self.all: Final = Tally()
        self.elsewhere = 0  # messages on channels that the draft does not name
        self.changed: Counter[tuple[ClauseId, Change]] = Counter()
        self._draws: dict[tuple[ClauseId, Change], Draws] = {}
        self._drawn: dict[tuple[Place, bool], Drawn] = {}
        self._size = max(2, min(SAMPLES, _MOST_SAMPLES // max(1, len(self.draft.judging.clauses))))

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.draft,) if self.against is None else (self.draft, self.against)

    @property
    def asked(self) -> Asked:
        """What has to be found in the archive."""
        windows = [window for side in self.sides for window in side.judging.windows]
        return asked_by([side.agreement for side in self.sides], windows, has_labels=self._has_labels)

    def take(self, part: Kept, number: int, messages: Messages) -> tuple[Judged, ...]:
        """Judges a part under each version, and counts it."""
        first = self.all.messages
        authors, sent = part[features.AUTHOR], part[features.SENT]
        labels = part[features.LABEL] if self._has_labels else None
        self.all.add(authors, sent, labels)
        channels = [(each, part[features.CHANNEL + each]) for each in self.channels]
        is_named = np.logical_or.reduce([part[features.CHANNEL + each] for each in self.draft.agreement.channels])
        self.elsewhere += part.size - int(np.count_nonzero(is_named))
        judged = []
        for side in self.sides:
            found = side.judging.judge(part, messages)
            judged.append(found)
            rows = {**found.breaches, ANY: any_of(found.breaches, side.counting, part.size)}
            for clause, breached in rows.items():
                of = np.flatnonzero(breached)
                side.tally(clause).add(authors[of], sent[of], None if labels is None else labels[of])
            counting = [(clause, found.breaches[clause]) for clause in side.counting]
            side.gathered.add(authors, sent, channels, counting, part=number)
        self._compare(judged, number, first, part.size)
        return tuple(judged)

    def _compare(self, judged: Sequence[Judged], number: int, first: int, size: int) -> None:
        draft = judged[0]
        nothing: Bools = np.zeros(size, dtype=np.bool_)
        if self.against is None:
            for clause, breached in draft.breaches.items():
                self._draw(clause, Change.FOUND, np.flatnonzero(breached), draft, number, first)
            return
        old = judged[1].breaches
        before, now = any_of(old, self.against.counting, size), any_of(draft.breaches, self.draft.counting, size)
        self.changed[ANY, Change.CAUGHT] += int(np.count_nonzero(now & ~before))
        self.changed[ANY, Change.LET_GO] += int(np.count_nonzero(before & ~now))
        for clause in dict.fromkeys((*draft.breaches, *old)):
            new, was = draft.breaches.get(clause, nothing), old.get(clause, nothing)
            for change, which, side in ((Change.CAUGHT, new & ~was, draft), (Change.LET_GO, was & ~new, judged[1])):
                rows = np.flatnonzero(which)
                self.changed[clause, change] += len(rows)
                self._draw(clause, change, rows, side, number, first)

    def _draw(self, clause: ClauseId, change: Change, rows: Ints, judged: Judged, part: int, first: int) -> None:
        draws = self._draws.setdefault((clause, change), Draws(self._size))
        for place in draws.offer(rows, part=part, first=first):
            drawn = Drawn(counts=judged.counts_at(place.row), late=bool(judged.late[place.row]))
            self._drawn[place, change is Change.LET_GO] = drawn

    @property
    def samples(self) -> list[tuple[ClauseId, Change, Place]]:
        """The messages to be read, by clause and change, in the order of the archive."""
        return [
            (clause, change, place)
            for (clause, change), draws in self._draws.items()
            for place in sorted(draws.drawn, key=lambda place: (place.part, place.row))
        ]

    def finding(self, clause: ClauseId, change: Change, place: Place, message: Message) -> Finding | None:
        """Why the drawn message breaches the clause, or breached it in the version that the draft is held against."""
        was = change is Change.LET_GO
        side = self.against if was and self.against is not None else self.draft
        drawn = self._drawn[place, was]
        findings = side.judging.plan.judge(message, drawn.counts, late=drawn.late)
        return next((each for each in findings if each.clause == clause), None)


def findings_at(
    side: Side, judged: Judged, rows: Iterable[tuple[int, Message]]
) -> list[tuple[Message, tuple[Finding, ...]]]:
    """The findings, with their evidence, of some of a part's messages."""
    plan = side.judging.plan
    return [(message, plan.judge(message, judged.counts_at(row), late=bool(judged.late[row]))) for row, message in rows]
