"""The transparency page's figures and plots, from the running count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup

from comity.casework.facts import AppealOutcome
from comity.casework.openness import SMALL, Month, Openness, median, together, told
from comity.console.asking import Reader
from comity.console.lately import Lately
from comity.console.plots import bars
from comity.flow.counts import Keeping
from comity.flow.openness import up_to_date
from comity.model.clause import Kind
from comity.model.ids import ClauseId
from comity.ports import Counts, Store

MONTHS: Final = 12
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
    by_clause: Mapping[ClauseId, int]
    """Exactly, for the console: never on a page for everybody."""


Say = Callable[[int], str]
"""How a count is told: to the public small ones only as small, in the console as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Both:
    public: Numbers
    exact: Numbers


class Counting:
    """The running count. After the first start with much to count, there are no numbers for a while."""

    def __init__(self, reader: Reader, counts: Counts) -> None:
        self._reader, self._keeping = reader, Keeping(counts, "numbers")
        self._lately, self._counted = Lately[_Both](reader), Openness()
        self._before: Openness | None = None
        """As it was kept, or counted before anybody asked."""

    def take_up(self) -> None:
        """Go on from what was kept."""
        self._reader.begin(self._take_up)

    def begin(self) -> None:
        """Before anybody asks."""
        self._reader.begin(self._counted_unasked)

    async def numbers(self, titles: Mapping[ClauseId, str], at: datetime, *, is_exact: bool = False) -> Numbers | None:
        """As the public is told them, or exactly."""
        before = self._before
        known = _both(before, titles, at) if before else None
        both = await self._lately.found(lambda store: _both(self._count(store), titles, at), known)
        if both is not known:
            self._before = None
        if both is None:
            return None
        return both.exact if is_exact else both.public

    def _take_up(self, store: Store) -> None:
        self._before = self._keeping.taken_up(store, Openness)
        self._counted = self._keeping.taken_up(store, Openness) or self._counted

    def _count(self, store: Store) -> Openness:
        counted, self._counted = self._counted, Openness()  # if it fails, nothing is left that was counted by halves
        self._counted = up_to_date(counted, store, self._reader.is_over)
        self._keeping.keep(store, counted.position, counted.erasures, counted)
        return counted

    def _counted_unasked(self, store: Store) -> None:
        self._before = deepcopy(self._count(store))


def _both(counted: Openness, titles: Mapping[ClauseId, str], at: datetime) -> _Both:
    return _Both(public=numbers(counted, titles, at, told), exact=numbers(counted, titles, at, exactly))


def exactly(count: int) -> str:
    return f"{count:,}"


def numbers(counted: Openness, titles: Mapping[ClauseId, str], at: datetime, say: Say) -> Numbers:
    """`titles`: of the clauses of all versions."""
    names = tuple(_months(max([f"{at:%Y-%m}", *counted.months])))
    months = [counted.months.get(name, Month()) for name in names]
    total = together(months)
    return Numbers(
        first=names[0],
        until=names[-1],
        figures=tuple(_figures(total, counted.waiting, say)),
        plots=tuple(_plots(months, names, say)),
        clauses=_rows({titles.get(clause, clause): count for clause, count in total.clauses.items()}, say),
        kinds=_rows({_KINDS[kind]: count for kind, count in total.kinds.items()}, say),
        outcomes=_rows({_OUTCOMES[outcome]: count for outcome, count in total.outcomes.items()}, say),
        by_clause=dict(total.clauses),
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


def _figures(total: Month, waiting: int, say: Say) -> Iterator[Figure]:
    yield Figure(number=say(total.statements), what="decisions with a statement of reasons")
    yield Figure(number=say(total.by_rule), what="of them by a rule")
    yield Figure(number=say(total.by_person), what="of them by a person")
    yield Figure(number=say(total.notices), what="notices from outside")
    yield Figure(number=say(total.appeals), what="appeals by those concerned")
    yield Figure(number=say(total.outcomes[AppealOutcome.REVERSED]), what="decisions reversed on appeal")
    yield Figure(number=say(total.undone), what="decisions that we reversed ourselves")
    yield Figure(number=say(waiting), what="cases and appeals that wait now")
    for took, what in ((total.appeal_hours, "appeals"), (total.case_hours, "cases")):
        if took:
            yield Figure(number=_half(took, say), what=f"to decide half of the {what}")


def _half(took: Counter[int], say: Say) -> str:
    return hours(median(took)) if _is_told(took.total(), say) else "too few to say"


def _is_told(count: int, say: Say) -> bool:
    """Whether it is told as it is."""
    return say(count) == exactly(count)


def _plots(months: list[Month], names: tuple[str, ...], say: Say) -> Iterator[Markup]:
    """Of what there was any of."""
    drawn = {
        "decisions by month": [each.statements for each in months],
        "notices by month": [each.notices for each in months],
        "appeals by month": [each.appeals for each in months],
        "reversals by month": [each.outcomes[AppealOutcome.REVERSED] + each.undone for each in months],
    }
    for title, counts in drawn.items():
        if any(counts):
            yield _plot(counts, names, title, say)


def _plot(counts: list[int], names: tuple[str, ...], title: str, say: Say) -> Markup:
    """Small counts are all drawn alike."""
    drawn = [_drawn(count, say) for count in counts]
    return Markup(bars(drawn, names, title=title, said=[say(count) for count in counts]))  # noqa: S704 - it escapes


def _drawn(count: int, say: Say) -> int:
    """How long a bar is: what is told as small is drawn as small."""
    return count if _is_told(count, say) else SMALL


def _rows(counts: Mapping[str, int], say: Say) -> tuple[Row, ...]:
    """The largest first; those that are told alike by name."""
    shown = {name: _drawn(count, say) for name, count in counts.items() if count}
    highest = max(shown.values(), default=1)
    return tuple(
        Row(name=name, count=say(counts[name]), share=round(100 * shown[name] / highest))
        for name in sorted(shown, key=lambda name: (-shown[name], name))
    )
