"""The files of a report of a period: what was counted, a row for each category, party or rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from comity.casework.facts import AppealOutcome, Fact, Party
from comity.casework.openness import median
from comity.casework.transparency import UNCATEGORISED, UNNAMED, Basis, Counted, Period, What, count
from comity.model.agreement import Agreement
from comity.model.clause import Clause, Decide, Kind
from comity.model.statement import Origin

Cell = str | int | None
_HOURS: Final = "half took at most so many hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One file. None stands for what could not have happened under the versions in force; 0: it could have."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def tables(facts: Iterable[Fact], period: Period, versions: Iterable[Agreement]) -> tuple[Table, ...]:
    """`facts`: up to the period's end, in the record's order. `versions`: those in force at some time in it."""
    known = tuple(versions)
    clauses = tuple(clause for version in known for clause in version.clauses)
    counted = count(facts, period, {clause.id: _category(clause) for clause in clauses})
    kinds = {act.kind for each in known for ladder in each.ladders.values() for row in ladder.rows for act in row.acts}
    return (
        _notices(counted, clauses),
        _measures(counted, clauses, kinds),
        _appeals(counted),
        _rules(counted, clauses),
    )


def _category(clause: Clause) -> str:
    return clause.category or UNCATEGORISED


def _categories(clauses: Iterable[Clause], *counted: Iterable[str]) -> list[str]:
    """Those of the agreement, and those that were counted."""
    return sorted({*map(_category, clauses), *(each for some in counted for each in some)})


def _notices(counted: Counted, clauses: Sequence[Clause]) -> Table:
    told = (What.ALL, Origin.TRUSTED_FLAGGER, Origin.AUTHORITY, What.CONFIRMED, What.DISMISSED)

    def row(category: str) -> tuple[Cell, ...]:
        one, hours = counted.notices[category], counted.notice_hours[category]
        return (category, *(one[each] for each in told), None, median(hours) if hours else None)

    return Table(
        name="notices",
        head=("category", "notices", "by trusted flaggers", "by authorities", *told[3:], What.BY_RULE, _HOURS),
        rows=tuple(map(row, _categories(clauses, counted.notices, [UNNAMED]))),
    )


def _measures(counted: Counted, clauses: Sequence[Clause], kinds: set[Kind]) -> Table:
    """A decision with several measures counts once, and under each of them."""
    ruled = {_category(clause) for clause in clauses if clause.rule and clause.decide is not Decide.SHADOW}
    auto = {_category(clause) for clause in clauses if clause.rule and clause.decide is Decide.AUTO}

    def row(basis: Basis, category: str) -> tuple[Cell, ...]:
        one = counted.measures[basis][category]
        is_own = basis is Basis.OWN
        return (
            basis,
            category,
            one[What.ALL],
            _if_possible(one, What.FOUND_BY_RULE, is_possible=category in ruled),
            _if_possible(one, What.BY_RULE, is_possible=is_own and category in auto),
            *(_if_possible(one, kind, is_possible=kind in kinds) for kind in Kind),
        )

    categories = _categories(clauses, *counted.measures.values())
    return Table(
        name="measures",
        head=("began with", "category", "decisions", What.FOUND_BY_RULE, What.BY_RULE, *Kind),
        rows=tuple(row(basis, category) for basis in Basis for category in categories),
    )


def _appeals(counted: Counted) -> Table:
    def row(party: Party) -> tuple[Cell, ...]:
        one, hours = counted.appeals[party], counted.appeal_hours[party]
        return (party, one[What.ALL], *(one[each] for each in AppealOutcome), None, median(hours) if hours else None)

    head = ("by", "appeals", *AppealOutcome, What.BY_RULE, _HOURS)
    return Table(name="appeals", head=head, rows=tuple(map(row, Party)))


def _rules(counted: Counted, clauses: Sequence[Clause]) -> Table:
    """How often rules decided, and how often people reversed that, on an appeal or not, or made it milder."""
    auto = {clause.id for clause in clauses if clause.rule and clause.decide is Decide.AUTO}
    told = (What.ALL, What.REVERSED, What.UNDONE, What.MILDER)

    def row(clause: str) -> tuple[Cell, ...]:
        return (clause, *(counted.rules[clause][each] for each in told))

    rows = tuple(map(row, sorted({*auto, *counted.rules})))
    return Table(name="rules", head=("clause", "decisions", *told[1:]), rows=rows)


def _if_possible(counted: Counter[str], what: str, *, is_possible: bool) -> int | None:
    return counted[what] if is_possible or counted[what] else None
