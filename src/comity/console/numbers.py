"""The transparency page's figures and plots, from the running count."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup

from comity.casework.facts import AppealOutcome
from comity.casework.openness import SMALL, Month, Openness, median, together, told
from comity.console.asking import Reader
from comity.console.plots import bars
from comity.flow.openness import up_to_date
from comity.model.clause import Kind
from comity.model.ids import ClauseId
from comity.ports import Store

MONTHS: Final = 12
_PATIENCE: Final = 0.05
"""Seconds that a page waits for newer numbers."""
_DAY: Final = 24
_KINDS: Final = {
    Kind.REMOVE: "a message was removed",
    Kind.MARK: "a message was marked",
    Kind.WARN: "an account was warned",
    Kind.LIMIT_REACH: "an account's reach was limited",
    Kind.LIMIT: "an account may send less",
    Kind.HOLD: "an account's messages wait for a reviewer",
    Kind.SUSPEND: "an account was suspended",
    Kind.TERMINATE: "an account was closed",
}
_OUTCOMES: Final = {
    AppealOutcome.UPHELD: "the decision stood",
    AppealOutcome.VARIED: "a milder measure took its place",
    AppealOutcome.REVERSED: "the decision was reversed",
    AppealOutcome.OMITTED: "closed without a decision",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a table, as the public is told it. `share`: of the largest row, in hundredths, for its bar."""

    name: str
    count: str
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    number: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Of the last twelve months up to `until`."""

    first: str
    until: str
    figures: tuple[Figure, ...]
    plots: tuple[Markup, ...]
    clauses: tuple[Row, ...]
    kinds: tuple[Row, ...]
    outcomes: tuple[Row, ...]
    is_empty: bool


class Counting:
    """The count as it was last finished: after a start with much to count, none is there for a while."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self._counted = reader, Openness()
        self._running: asyncio.Task[Numbers] | None = None
        self._last: Numbers | None = None

    async def numbers(self, titles: Mapping[ClauseId, str], at: datetime) -> Numbers | None:
        """Those of now, if that takes no longer than anybody wants to wait; else the last ones."""
        if self._running is None:
            self._running = asyncio.ensure_future(self._reader.look(lambda store: self._now(store, titles, at)))
        running = self._running
        done, _ = await asyncio.wait({running}, timeout=_PATIENCE)
        if done:
            self._running = None
            self._last = running.result()
        return self._last

    def _now(self, store: Store, titles: Mapping[ClauseId, str], at: datetime) -> Numbers:
        return numbers(up_to_date(self._counted, store), titles, at)


def numbers(counted: Openness, titles: Mapping[ClauseId, str], at: datetime) -> Numbers:
    """`titles`: of the clauses of all versions."""
    names = tuple(_months(max([f"{at:%Y-%m}", *counted.months])))
    months = [counted.months.get(name, Month()) for name in names]
    total = together(months)
    return Numbers(
        first=names[0],
        until=names[-1],
        figures=tuple(_figures(total, counted.waiting)),
        plots=tuple(_plots(months, names)),
        clauses=_rows({titles.get(clause, clause): count for clause, count in total.clauses.items()}),
        kinds=_rows({_KINDS[kind]: count for kind, count in total.kinds.items()}),
        outcomes=_rows({_OUTCOMES[outcome]: count for outcome, count in total.outcomes.items()}),
        is_empty=not any((total.statements, total.dismissed, total.notices, total.appeals, total.outcomes)),
    )


def hours(count: int) -> str:
    """`5 hours`, `3 days`."""
    if count < 1:
        return "under an hour"
    if count < 2 * _DAY:
        return f"{count} hours" if count > 1 else "1 hour"
    return f"{count // _DAY} days"


def _months(last: str) -> Iterator[str]:
    year, month = int(last[:4]), int(last[5:])
    for back in range(MONTHS - 1, -1, -1):
        number = year * 12 + month - 1 - back
        yield f"{number // 12:04d}-{number % 12 + 1:02d}"


def _figures(total: Month, waiting: int) -> Iterator[Figure]:
    yield Figure(number=told(total.statements), what="decisions with a statement of reasons")
    yield Figure(number=told(total.by_rule), what="of them by a rule")
    yield Figure(number=told(total.by_person), what="of them by a person")
    yield Figure(number=told(total.notices), what="notices from outside")
    yield Figure(number=told(total.appeals), what="appeals by those concerned")
    yield Figure(number=told(total.outcomes[AppealOutcome.REVERSED]), what="decisions reversed on appeal")
    yield Figure(number=told(total.undone), what="decisions that we reversed ourselves")
    yield Figure(number=told(waiting), what="cases and appeals that wait now")
    for took, what in ((total.appeal_hours, "appeals"), (total.case_hours, "cases")):
        if took:
            yield Figure(number=_half(took), what=f"to decide half of the {what}")


def _half(took: Counter[int]) -> str:
    return "too few to say" if took.total() < SMALL else hours(median(took))


def _plots(months: list[Month], names: tuple[str, ...]) -> Iterator[Markup]:
    """Of what there was any of."""
    drawn = {
        "decisions by month": [each.statements for each in months],
        "notices by month": [each.notices for each in months],
        "appeals by month": [each.appeals for each in months],
        "reversals by month": [each.outcomes[AppealOutcome.REVERSED] + each.undone for each in months],
    }
    for title, counts in drawn.items():
        if any(counts):
            yield _plot(counts, names, title)


def _plot(counts: list[int], names: tuple[str, ...], title: str) -> Markup:
    """Small counts are all drawn alike."""
    drawn = [max(count, SMALL) if count else 0 for count in counts]
    return Markup(bars(drawn, names, title=title, said=[told(count) for count in counts]))  # noqa: S704 - it escapes


def _rows(counts: Mapping[str, int]) -> tuple[Row, ...]:
    """The largest first; those that are told alike by name."""
    shown = {name: max(count, SMALL) for name, count in counts.items() if count}
    highest = max(shown.values(), default=1)
    return tuple(
        Row(name=name, count=told(counts[name]), share=round(100 * shown[name] / highest))
        for name in sorted(shown, key=lambda name: (-shown[name], name))
    )
