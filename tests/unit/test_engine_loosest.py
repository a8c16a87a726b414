"""Rules that differ in their numbers alone, and the loosest of them."""

from dataclasses import replace

import pytest
from engine_versions import agreement, message, version

from comity.engine.loosest import alike, loosest
from comity.model.ids import ClauseId


def groups(*rules: str) -> list[list[int]]:
    found = [(clause, clause.rule) for clause in agreement(*rules).clauses if clause.rule]
    return list(alike(range(len(found)), found))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (("text.size() > 1", "text.size() > 2"), [[0, 1]]),
        (("text.size() > 1", "text.size() >= 1"), [[0], [1]]),
        (("text.size() > 1", "subject.size() > 1", "text.size() > 3"), [[0, 2], [1]]),
        (("author.age < days(1)", "author.age < days(9)", "author.age < hours(9)"), [[0, 1, 2]]),
        (("text.capitals() > 0.5 && reach > 2", "text.capitals() > 0.25 && reach > 9"), [[0, 1]]),
        (("text.capitals() > 0.5 && reach > 2", "text.capitals() > 0.5 || reach > 2"), [[0], [1]]),
        (("!(text.size() > 1)", "!(text.size() > 2)"), [[0], [1]]),
        (("text.size() == 1", "text.size() == 2"), [[0], [1]]),
        (('text.says("a") && reach > 1', 'text.says("b") && reach > 1'), [[0], [1]]),
        (("reach * 2 > 1", "reach * 3 > 1"), [[0], [1]]),
        (("to.exists(x, x.size() > 1)", "to.exists(x, x.size() > 2)"), [[0], [1]]),
        (("to.exists(x, x.size() > 1)", "to.all(x, x.size() > 1)"), [[0], [1]]),
        (('to.filter(x, x != "a").size() > 1', 'to.filter(x, x != "b").size() > 2'), [[0], [1]]),
        (('to.filter(x, x != "a").size() > 1', 'to.filter(x, x != "a").size() > 2'), [[0, 1]]),
        (("author.messages(days(1)) > 1", "author.messages(days(1)) > 2"), [[0, 1]]),
        (("author.messages(days(1)) > 1", "author.messages(days(2)) > 1"), [[0], [1]]),
    ],
)
def test_rules_are_alike_if_only_their_limits_differ(rules: tuple[str, ...], expected: list[list[int]]) -> None:
    assert groups(*rules) == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (("reach > 3", "reach > 1", "reach > 2"), {1}),
        (("reach <= 3", "reach <= 1"), {0}),
        (("author.age < hours(1)", "author.age < hours(3)"), {1}),
        (('sent > timestamp("2026-01-02T00:00:00Z")', 'sent > timestamp("2025-01-02T00:00:00Z")'), {1}),
        (("text.capitals() >= 0.5", "text.capitals() >= 0.25"), {1}),
    ],
)
def test_the_loosest_has_the_limit_that_most_values_keep(rules: tuple[str, ...], expected: set[int]) -> None:
    made = [clause.rule.expression for clause in agreement(*rules).clauses if clause.rule]
    assert {number for number, expression in enumerate(made) if expression == loosest(made)} == expected


def test_the_loosest_takes_each_limit_from_the_rule_that_has_it() -> None:
    some = 'text.says("free") && (text.size() > {} || author.age < days({}))'
    made = version(some.format(9, 1), some.format(5, 0), some.format(7, 3))
    assert made.breached_bits(message("free money"), {}) == 0b111
    assert made.breached_bits(message("free 89"), {}) == 0b010
    assert made.breached_bits(message("free"), {}) == 0


def test_breaches_besides_a_clause_s_own_are_not_alike() -> None:
    (clause,) = agreement("author.breaches(days(1)) > 1").clauses
    assert clause.rule
    found = [(clause, clause.rule), (replace(clause, id=ClauseId("other")), clause.rule)]
    assert list(alike(range(2), found)) == [[0], [1]]


def test_the_loosest_may_read_at_once_what_no_rule_of_its_group_does() -> None:
    shares = "unquoted.capitals() > {} || unquoted.capitals() >= {}"
    some = f'text.says("free") && reach > {{}} && ({shares} || author.age < days({{}}))'
    made = version(some.format(1, 0.5, 2.0, 1), some.format(2, 2.0, 0.5, 2))
    assert made.breached_bits(message("FREE MONEY", reach=9), {}) == 0b11
    assert made.breached_bits(message("free money", reach=9), {}) == 0
