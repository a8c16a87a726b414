"""Examples run as tests; what they leave unset; how a failing one is explained."""

from __future__ import annotations

import pytest
from engine_versions import agreement

from comity.engine import run_examples
from comity.model.finding import Value


def failing(rule: str, examples: str) -> list[tuple[str, bool]]:
    made = agreement(rule, examples=examples)
    return [(failure.example.text, failure.found) for failure in run_examples(made)]


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("author.age < days(7)", "author.age: 2 days"),
        ("author.messages(days(1)) == 5 && author.messages(hours(1)) == 5", "author.messages: 5"),
        ("author.messages(seconds(10)) == 5 && author.messages(hours(1)) == 1", "author.messages(seconds(10)): 5"),
        ('author.messages(duration("10s")) == 5', "author.messages( duration('10s') ): 5"),
        ("text.copies(days(1)) == 3 && text.copiers(days(1)) == 1", "text.copies: 3"),
        ("author.recipients(days(1)) == 2", "to: [a, b, a]"),
        ('author.total("n", days(1)) == 2.5', "meta: {n: 2.5}"),
        ('author.total("n", days(1)) == 9.0 && meta.number("n") == 2.5', "meta: {n: 2.5}\n  author.total: 9"),
        ('author.same("k", days(1)) == 1 && authors.same("none", days(1)) == 0', "meta: {k: x}"),
        ("author.breaches(days(1)) == 2 && author.notices(days(1)) == 0", "author.breaches: 2"),
        ('meta.get("dkim") == "pass"', "meta: {dkim: pass}"),
        ('author.roles == ["staff", "x y"]', "author.roles: [staff, x y]"),
        ("sent.getFullYear() == 2024", "sent: 2024-02-29T00:00:00Z"),
        ("sent.getFullYear() == 2026 && author.age > days(3000)", "reach: 1"),
        ('channel == "mail"', "channel: mail"),
        ('channel == "posts"', "reach: 1"),
        ("reach == 7 && is_reply", "reach: 7\n  is_reply: true"),
        ('subject == "a: b"', "subject: a: b"),
    ],
)
def test_examples_set_what_rules_read(rule: str, values: str) -> None:
    assert failing(rule, f"breach: x\n  {values}") == []


def test_a_failing_example_says_what_was_found_and_what_the_parts_came_to() -> None:
    made = agreement(
        "links.size() > 3 && author.age < days(7)", examples="breach: http://a.example\n  author.age: 2 days"
    )
    (failure,) = run_examples(made)
    assert failure.clause.id == "c0"
    assert failure.expected
    assert not failure.found
    assert Value(expression="links.size()", value="1") in failure.values
    assert Value(expression="author.age", value="2 days") in failure.values


def test_links_and_the_like_are_derived_from_the_example_s_text() -> None:
    rule = 'links.size() == 1 && domains == ["a.example"] && mentions == ["bob"] && hashtags == ["tag"]'
    rule += ' && unquoted == "x\\n"'
    text = r"breach: x\n> http://a.example @Bob #Tag"
    assert failing(rule, text) == []


def test_an_example_that_should_be_fine_fails_when_it_breaches() -> None:
    assert failing("true", "fine: hello") == [("hello", True)]
    assert failing("false", "fine: hello\nbreach: no") == [("no", False)]
