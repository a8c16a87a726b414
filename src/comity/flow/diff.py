"""Two versions compared whole: what differs, and for each clause that both have what became of its rule, proved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from comity.agreement.diff import Diff, diff
from comity.engine.proof.compare import EFFORT, Compared, Judge, compare
from comity.engine.proof.settle import Effort
from comity.model.agreement import Agreement
from comity.model.ids import ClauseId


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs between `old` and `new`. `rules` has each clause of both versions that has a rule in one."""

    old: Agreement
    new: Agreement
    written: Diff
    rules: Mapping[ClauseId, Compared]


def difference(old: Agreement, new: Agreement, *, done: Callable[[int], None] = lambda _: None) -> Difference:
    """The difference, within bounded effort. `done` is told after each proof how many clauses were looked at."""
    written, effort = diff(old, new), Effort(left=EFFORT)
    judges = Judge(old), Judge(new)
    rules: dict[ClauseId, Compared] = {}
    for number, clause in enumerate(written.clauses, start=1):
        if clause.old and clause.new and (clause.old.rule or clause.new.rule):
            rules[clause.id] = compare(*judges, clause.id, effort, was=clause.old.id)
        done(number)
    return Difference(old=old, new=new, written=written, rules=rules)
