"""Judging a version over columns: what `Judging` finds message by message, found for many messages in a few steps.

Clauses are answered in an order in which those that count breaches come after those that they count. What windows
counted does not depend on thresholds, so it is kept beside the features (see `Kept`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from graphlib import TopologicalSorter
from hashlib import blake2b
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from comity.engine.batch_history import BatchHistory
from comity.engine.columns import Bools, Column, holds
from comity.engine.hashed import Hashed
from comity.engine.lateness import Newest, microseconds, reached
from comity.engine.leaves import Leaf, Taken, take_apart
from comity.engine.plan import Plan, plan
from comity.engine.steps import Step
from comity.engine.windows import Counted, Window, windows_of
from comity.flow import features
from comity.flow.events import Events, counted_before
from comity.flow.finder import column_of
from comity.model.agreement import Agreement
from comity.model.clause import Decide
from comity.model.expression import Expression
from comity.model.ids import Channel, ClauseId
from comity.model.message import Message

Ints = NDArray[np.int64]
Messages = Callable[[], Sequence[Message]]
"""Reads a part's messages again: only rules that mix texts and windows in one comparison need them."""

LATE: Final = "late"


class Kept(Protocol):
    """The columns of one part of the archive, found now or kept from before."""

    @property
    def size(self) -> int: ...
    def __contains__(self, key: str) -> bool: ...
    def __getitem__(self, key: str) -> Column: ...
    def keep(self, columns: Mapping[str, Column]) -> None: ...
    def forget(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the messages of one part breach, clause by clause, and what their windows came to."""

    breaches: Mapping[ClauseId, Bools]
    counts: Mapping[Window, Column]
    late: Bools

    def counts_at(self, row: int) -> dict[Window, int | float]:
        return {window: column[row].item() for window, column in self.counts.items()}


class ColumnJudging:
    """A version and the history of the parts that it has judged so far, in their order."""

    def __init__(self, agreement: Agreement, *, channels: Sequence[Channel], archive: str) -> None:
        """`archive` names all that is read, in its order: windows depend on it."""
        self.agreement = agreement
        self.channels = tuple(channels)
        self._taken = _in_order(take_apart(agreement))
        self._automatic = frozenset(clause.id for clause in agreement.clauses if clause.decide is Decide.AUTO)
        self._lateness = timedelta(seconds=agreement.lateness.nominal_seconds)
        self.windows = windows_of(agreement)
        self._counted = tuple(window for window in self.windows if window.counted.includes_this_message)
        self._history = BatchHistory(self.windows, lateness=self._lateness)
        self._breaches = _Breaches(self._history.horizon, self._lateness, self._automatic)
        self._archive = archive
        self._skipped: list[Kept] = []
        self._plan: Plan | None = None

    @property
    def clauses(self) -> tuple[ClauseId, ...]:
        """The clauses with a rule, in reading order."""
        return tuple(clause.id for clause in self.agreement.clauses if clause.rule)

    @property
    def counts(self) -> tuple[str, ...]:
        """The columns that history gives; where all parts have them, no history is needed."""
        return (*(self._key(repr(window)) for window in self._counted), self._key(LATE))

    def judge(self, part: Kept, messages: Messages) -> Judged:
        """What the part's messages breach; the part is history for the next."""
        answers = _Answers(part=part, judging=self, messages=messages)
        self._count(part)
        counts_breaches = any(not window.counted.includes_this_message for window in self.windows)
        if counts_breaches:
            self._breaches.begin(part)
        found: dict[ClauseId, Bools] = {}
        for taken in self._taken:
            for window in taken.windows:
                if not window.counted.includes_this_message:
                    answers.counted[window] = self._breaches.count(window)
            applies = _any_of([part[features.CHANNEL + each] for each in taken.clause.channels], part.size)
            found[taken.clause.id] = applies & holds(taken.form, answers) if applies.any() else applies
            if counts_breaches and taken.clause.id in self._automatic:
                self._breaches.tell(taken.clause.id, found[taken.clause.id])
        if counts_breaches:
            self._breaches.end()
        return Judged(
            breaches={clause: found[clause] for clause in self.clauses},
            counts={window: answers.window(window) for window in self.windows},
            late=np.asarray(part[self._key(LATE)], dtype=np.bool_),
        )

    def count_of(self, part: Kept, window: Window) -> Column:
        return part[self._key(repr(window))]

    @property
    def plan(self) -> Plan:
        """For leaves that read windows, and for evidence."""
        if self._plan is None:
            self._plan = plan(self.agreement)
        return self._plan

    def _count(self, part: Kept) -> None:
        """Asks history, unless an earlier backtest has; where one stopped, history first gets what it has missed."""
        if all(key in part for key in self.counts):
            self._skipped.append(part)
            return
        for earlier in self._skipped:
            self._history.take(_traces(earlier, self._counted))
            earlier.forget()
        self._skipped.clear()
        tallied = self._history.take(_traces(part, self._counted))
        columns: dict[str, Column] = {self._key(LATE): np.array(tallied.late, dtype=np.bool_)}
        for window in self._counted:
            counts = tallied.counts.get(window, ())
            is_sum = window.counted is Counted.TOTAL
            columns[self._key(repr(window))] = np.array(counts, np.float64) if is_sum else np.array(counts, np.int64)
        part.keep(columns)

    def _key(self, what: str) -> str:
        said = f"{what} {self._history.horizon} {self._lateness} {self._archive}"
        return blake2b(said.encode(), digest_size=16).hexdigest()


@dataclass(slots=True, kw_only=True)
class _Answers:
    """What leaves and windows came to in one part."""

    part: Kept
    judging: ColumnJudging
    messages: Messages
    counted: dict[Window, Column] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.part.size

    def leaf(self, leaf: Leaf) -> Column:
        if leaf.reads_counts:
            return self._one_by_one(leaf)
        return self.part[features.key_of(leaf, self.judging.channels)]

    def window(self, window: Window) -> Column:
        return self.counted[window] if window in self.counted else self.judging.count_of(self.part, window)

    def _one_by_one(self, leaf: Leaf) -> Column:
        """A leaf that needs the message and its windows at once."""
        step = _step_of(self.judging.plan.step(leaf.own), leaf.expression)
        windows = {window: self.window(window) for window in self.judging.plan.needs if self._is_known(window)}
        values = []
        for row, message in enumerate(self.messages()):
            counts = {window: column[row].item() for window, column in windows.items()}
            values.append(step.of(self.judging.plan.read(message, counts)))
        return column_of(values, leaf.type)

    def _is_known(self, window: Window) -> bool:
        """Its own rule has asked for it."""
        return window.counted.includes_this_message or window in self.counted


def _step_of(step: Step | None, expression: Expression) -> Step:
    """The node of a rule's tree that answers the expression."""
    waiting = [step] if step else []
    while waiting:
        one = waiting.pop()
        if one.expression == expression:
            return one
        waiting.extend(one.below)
    raise LookupError(f"no part of the rule at {expression.at}")


def _in_order(taken: Sequence[Taken]) -> tuple[Taken, ...]:
    """Those that count breaches after those that they count."""
    by_id = {each.clause.id: each for each in taken}
    needs = {each.clause.id: _counted_clauses(each, frozenset(by_id)) for each in taken}
    return tuple(by_id[each] for each in TopologicalSorter(needs).static_order())


def _counted_clauses(taken: Taken, every: frozenset[ClauseId]) -> frozenset[ClauseId]:
    counted: frozenset[ClauseId] = frozenset()
    for window in taken.windows:
        if window.counted is Counted.BREACHES:
            counted |= _of(window, every)
    return counted


def _of(window: Window, every: frozenset[ClauseId]) -> frozenset[ClauseId]:
    """The clauses whose breaches the window counts."""
    if window.key:
        return every & {ClauseId(window.key)}
    return every - {ClauseId(window.besides)}


def _any_of(columns: Sequence[Column], size: int) -> Bools:
    found: Bools = np.zeros(size, dtype=np.bool_)
    for column in columns:
        found = found | np.asarray(column, dtype=np.bool_)
    return found


class _Breaches:
    """Counts what earlier messages of an account breached, as far as it reaches back."""

    def __init__(self, horizon: timedelta, lateness: timedelta, automatic: frozenset[ClauseId]) -> None:
        self._kept = microseconds(horizon)
        self._newest = Newest(microseconds(lateness))
        self._automatic = automatic
        self._before: dict[ClauseId, tuple[Ints, Ints]] = {}  # authors and times, of earlier parts
        self._now: dict[ClauseId, Ints] = {}  # rows of this part
        self._authors = self._sent = self._floors = np.empty(0, dtype=np.int64)

    def begin(self, part: Kept) -> None:
        self._authors = np.asarray(part[features.AUTHOR], dtype=np.int64)
        self._sent = np.asarray(part[features.SENT], dtype=np.int64)
        self._floors = reached(self._newest, self._sent)[1:] - self._kept
        self._now = {}

    def tell(self, clause: ClauseId, breached: Bools) -> None:
        self._now[clause] = np.flatnonzero(breached)

    def count(self, window: Window) -> Ints:
        """For each message the breaches that were found before it."""
        counts = np.zeros(len(self._sent), dtype=np.int64)
        if window.counted is not Counted.BREACHES:
            return counts  # without a record nobody upheld a notice
        events = self._events(_of(window, self._automatic))
        accounts = np.unique(events.authors)
        rows = np.flatnonzero(np.isin(self._authors, accounts))
        after = np.maximum(self._sent - microseconds(window.within), self._floors)
        asked = Events(authors=self._authors[rows], orders=rows + 1, times=after[rows])
        counts[rows] = counted_before(events, asked)
        return counts

    def _events(self, clauses: frozenset[ClauseId]) -> Events:
        """What was found so far; that of earlier parts has the order 0."""
        found = [self._before[clause] for clause in clauses if clause in self._before]
        now = [self._now[clause] for clause in clauses if clause in self._now]
        authors = [*(authors for authors, _ in found), *(self._authors[rows] for rows in now)]
        orders = [*(np.zeros(len(authors), np.int64) for authors, _ in found), *(rows + 1 for rows in now)]
        times = [*(times for _, times in found), *(self._sent[rows] for rows in now)]
        nothing = np.empty(0, dtype=np.int64)
        return Events(
            authors=np.concatenate([nothing, *authors]),
            orders=np.concatenate([nothing, *orders]),
            times=np.concatenate([nothing, *times]),
        )

    def end(self) -> None:
        """What can still be counted is carried over."""
        if not len(self._floors):
            return
        floor = self._floors[-1]
        for clause, rows in self._now.items():
            authors, times = self._before.get(clause, (np.empty(0, np.int64), np.empty(0, np.int64)))
            authors, times = np.append(authors, self._authors[rows]), np.append(times, self._sent[rows])
            self._before[clause] = authors[times > floor], times[times > floor]


def _traces(part: Kept, windows: Sequence[Window]) -> Hashed:
    """What history needs."""
    counted = {window.counted for window in windows}
    values = [w.key for w in windows if w.counted in (Counted.SAME, Counted.AUTHORS_SAME)]
    numbers = [w.key for w in windows if w.counted is Counted.TOTAL]
    nothing = np.empty(0, dtype=np.int64)
    reads_texts = counted & {Counted.COPIES, Counted.TEXT_COPIES, Counted.TEXT_COPIERS}
    reads_recipients = Counted.RECIPIENTS in counted
    return Hashed(
        authors=_whole(part[features.AUTHOR]),
        sent=_whole(part[features.SENT]),
        texts=_whole(part[features.TEXT]) if reads_texts else nothing,
        to=_whole(part[features.TO]) if reads_recipients else nothing,
        to_sizes=_whole(part[features.TO_SIZES]) if reads_recipients else nothing,
        values={key: _whole(part[features.VALUE + key]) for key in values},
        numbers={key: np.asarray(part[features.NUMBER + key], dtype=np.float64) for key in numbers},
    )


def _whole(column: Column) -> Ints:
    return np.asarray(column, dtype=np.int64)
