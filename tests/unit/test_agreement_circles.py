"""A circle is found through whatever a rule counts, and only circles are."""

from __future__ import annotations

import pytest

from comity.agreement.rules import circles
from comity.model.ids import ClauseId


def ids(names: str) -> frozenset[ClauseId]:
    return frozenset(ClauseId(name) for name in names)


def graph(**counted: str) -> dict[ClauseId, frozenset[ClauseId]]:
    return {ClauseId(name): ids(others) for name, others in counted.items()}


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        (graph(a="b", b="c", c=""), ""),
        (graph(a="b", b="a", c="a"), "ab"),
        (graph(a="b", b="c", c="b", d="c"), "bc"),
        (graph(a="a", b=""), "a"),
        (graph(a="bd", b="c", c="a", d="e", e=""), "abc"),
        (graph(a="b", b="a", c="bd", d="e", e="d"), "abde"),
        (graph(a="bc", b="", c="b"), ""),
        (graph(a="unknown"), ""),
    ],
)
def test_clauses_on_a_circle(counted: dict[ClauseId, frozenset[ClauseId]], expected: str) -> None:
    assert circles(counted) == ids(expected)


def test_a_circle_of_ten_thousand_clauses_is_found() -> None:
    clauses = [ClauseId(f"c{number}") for number in range(10_000)]
    ring = {
        clause: frozenset({following}) for clause, following in zip(clauses, clauses[1:] + clauses[:1], strict=True)
    }
    assert circles(ring) == frozenset(clauses)
