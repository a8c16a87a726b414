"""Stratified history: which clauses count their own breaches by way of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from comity.model.ids import ClauseId

_NONE: Final[frozenset[ClauseId]] = frozenset()


def circles(counted: Mapping[ClauseId, frozenset[ClauseId]]) -> frozenset[ClauseId]:
    """The clauses that, through what they count, count themselves. `counted` holds what each rule counts directly.

    Linear in what is counted, in whatever agreement (Tarjan, "Depth-first search and linear graph algorithms", 1972).
    """
    return frozenset(
        clause
        for group in _groups(counted)
        for clause in group
        if len(group) > 1 or clause in counted.get(clause, _NONE)
    )


def _groups(edges: Mapping[ClauseId, frozenset[ClauseId]]) -> list[list[ClauseId]]:
    """The strongly connected components, without recursion."""
    search = _Search(edges)
    for clause in edges:
        search.run(clause)
    return search.groups


class _Search:
    """Tarjan's depth-first search. `low` is the earliest clause in reach; the open ones await their group."""

    def __init__(self, edges: Mapping[ClauseId, frozenset[ClauseId]]) -> None:
        self.groups: list[list[ClauseId]] = []
        self._edges = edges
        self._order: dict[ClauseId, int] = {}
        self._low: dict[ClauseId, int] = {}
        self._open: dict[ClauseId, None] = {}  # in the order of opening

    def run(self, root: ClauseId) -> None:
        if root in self._order:
            return
        path = [self._enter(root)]
        while path:
            clause, waiting = path[-1]
            following = next(waiting, None)
            if following is None:
                path.pop()
                self._leave(clause, path[-1][0] if path else None)
            elif following not in self._order:
                path.append(self._enter(following))
            elif following in self._open:
                self._low[clause] = min(self._low[clause], self._order[following])

    def _enter(self, clause: ClauseId) -> tuple[ClauseId, Iterator[ClauseId]]:
        self._order[clause] = self._low[clause] = len(self._order)
        self._open[clause] = None
        return clause, iter(self._edges.get(clause, _NONE))

    def _leave(self, clause: ClauseId, parent: ClauseId | None) -> None:
        if parent is not None:
            self._low[parent] = min(self._low[parent], self._low[clause])
        if self._low[clause] == self._order[clause]:
            group: list[ClauseId] = []
            while clause not in group[-1:]:
                group.append(self._open.popitem()[0])
            self.groups.append(group)
