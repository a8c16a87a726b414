"""Which clauses' breaches each rule counts, and that no clause counts its own through others."""

from __future__ import annotations

from typing import Final

from comity.agreement.clauses import ReadClause
from comity.agreement.problems import Problems
from comity.agreement.rules import circles
from comity.model.ids import ClauseId

_ALL: Final = ClauseId("")
"""Stands for all clauses, which several rules may count."""


def check_circles(clauses: tuple[ReadClause, ...], problems: Problems) -> None:
    """Reports each rule that is on a circle, at its fence."""
    counted = _counted(clauses)
    on_circle = circles(counted)
    for one in clauses:
        if one.clause.id in on_circle and one.rule_text is not None:
            through = min(counted[one.clause.id] & on_circle)
            problems.error(
                "C032",
                one.rule_text.fence.at,
                f"the breaches of `{one.clause.id}` are counted in a circle",
                label=f"it counts {f'`{through}`' if through else 'all others'}, and is counted in turn",
                help="let one of them count no breaches, or name the clauses that it counts",
            )


def _counted(clauses: tuple[ReadClause, ...]) -> dict[ClauseId, frozenset[ClauseId]]:
    """What each rule counts.

    Rules that count all other clauses do so through one node of their own, so that many of them do not cost a square.
    That is right for two and more; a single one must not seem to count itself.
    """
    ids = frozenset(one.clause.id for one in clauses)
    rules = {one.clause.id: one.checked for one in clauses if one.checked is not None}
    counted = {clause: checked.counts_breaches_of & ids for clause, checked in rules.items()}
    counting_all = [clause for clause, checked in rules.items() if checked.counts_all_breaches]
    if len(counting_all) == 1:
        counted[counting_all[0]] = ids - {counting_all[0]}
    elif counting_all:
        counted[_ALL] = ids
        counted |= {clause: counted[clause] | {_ALL} for clause in counting_all}
    return counted
