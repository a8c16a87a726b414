"""The plan, its evidence and its explanations, rule by rule."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from engine_versions import SENT, agreement, message, version

from comity.engine import Counted, Window, explain, plan, windows_of
from comity.engine.reference import Reference
from comity.model.finding import Passage, Value
from comity.model.ids import ClauseId
from comity.model.message import Message

SLURS = {"slurs": "cheap pills\ncock*\nporn\n"}
TEN_MINUTES = Window(counted=Counted.COPIES, within=timedelta(minutes=10))


def evidence(rule: str, of: Message, **lexicons: str) -> list[tuple[str, ...]]:
    """What the finding shows: the words found in the field, or a value."""
    (finding,) = version(rule, lexicons=lexicons).judge(of, {TEN_MINUTES: 6})
    shown: list[tuple[str, ...]] = []
    for one in finding.evidence:
        match one:
            case Passage(field=field, start=start, end=end, why=why):
                shown.append((field, (of.subject if field == "subject" else of.text)[start:end], why))
            case Value(expression=expression, value=value):
                shown.append((expression, value))
    return shown


def test_every_breached_clause_is_found_in_the_agreement_s_order_shadow_ones_too() -> None:
    judged = version("text.size() > 1", "text.size() > 100", "decide=shadow :: text.size() > 0").judge(
        message("ab"), {}
    )
    assert [finding.clause for finding in judged] == ["c0", "c2"]


def test_a_clause_applies_on_its_channels_alone() -> None:
    made = version("on=mail :: true", "true")
    assert made.breached(message(channel="posts"), {}) == {"c1"}
    assert made.breached(message(channel="mail"), {}) == {"c0", "c1"}
    assert made.breached(message(channel="visits"), {}) == frozenset()


def test_a_plan_says_which_windows_it_needs() -> None:
    rules = (
        "author.copies(minutes(10)) > 3 && author.breaches(days(1)) == 0",
        'author.breaches("c2", days(1)) > 1 && author.total("sum", hours(2)) > 1.0',
        "false",
    )
    assert set(version(*rules).needs) == {
        TEN_MINUTES,
        Window(counted=Counted.BREACHES, within=timedelta(days=1), besides="c0"),
        Window(counted=Counted.BREACHES, within=timedelta(days=1), key="c2"),
        Window(counted=Counted.TOTAL, within=timedelta(hours=2), key="sum"),
    }
    assert version(*rules).needs == windows_of(agreement(*rules))


def test_a_late_message_s_findings_say_so() -> None:
    (finding,) = version("true").judge(message(), {}, late=True)
    assert finding.late


def test_a_plan_pickles_by_being_made_again() -> None:
    made = version('text.saysAny("slurs") || text.matches("a+")', lexicons=SLURS)
    again = pickle.loads(pickle.dumps(made))
    assert again.source == made.source
    assert again.judge(message("porn"), {}) == made.judge(message("porn"), {})


@pytest.mark.parametrize("rule", ["links.size() > 1", "domains.size() > 1", "true && links.size() > 1 || is_reply"])
def test_links_without_a_scheme_are_counted_whichever_way_a_message_is_judged(rule: str) -> None:
    made = version(rule)
    two = ["www.a.example or WWW.b.example", "http://a.example www.b.example", "http://a.example http://b.example"]
    one = ["www.a.example", "http://a.example", "wwww a.example"]
    for _ in range(50):  # texts are sought through in another way once there were many
        assert all(made.breached_bits(message(text), {}) for text in two)
        assert not any(made.breached_bits(message(text), {}) for text in one)
    assert made.breached_batch([message(text) for text in two + one]) == [1, 1, 1, 0, 0, 0]


def test_threads_may_share_a_plan() -> None:
    made = version('text.saysAny("slurs")', lexicons={"slurs": "\n".join(f"bad{n}" for n in range(500))})
    texts = [f"some bad{n} words " * 50 for n in range(400)]
    with ThreadPoolExecutor(8) as pool:
        judged = list(pool.map(lambda text: made.breached(message(text), {}), texts * 5))
    assert all(judged)


def test_the_source_is_kept_and_shares_what_rules_share() -> None:
    made = version("text.capitals() > 0.5 && reach > 1", "text.capitals() > 0.9 || text.capitals() > 0.5 && is_reply")
    assert made.source.count("capitals(f.text)") == 1
    assert "breached |= 2  # c1" in made.source


def test_what_does_not_depend_on_a_loop_is_asked_once() -> None:
    """`agreement.cost` counts on it."""
    asked = ('subject.contains("x")', "links.exists(l, l == subject)", "(subject + text).contains(text)")
    for once in (*asked, "to + links == to"):
        source = version(f"to.all(a, domains.all(b, a != b && {once}))").source
        loop = next(line for line in source.splitlines() if "for x_a in" in line and "def " not in line)
        assert "subject" not in loop, source
        assert "f.links" not in loop, source


def test_cheap_tests_come_first() -> None:
    source = version('text.matches("a+") && text.says("b") && is_reply').source
    judge = source[source.index("def judge(f)") :]
    line = next(line for line in judge.splitlines() if "is_reply" in line)
    assert line.index("is_reply") < line.index("said_in_text") < line.index("text_bytes")


def test_deep_rules_compile() -> None:
    deep = "text.size() > 0"
    for number in range(10):
        deep = f"!({deep} {'&&' if number % 2 else '||'} reach == {number})"
    assert version(deep).breached(message("x"), {}) == {"c0"}


def test_nul_characters_are_characters_and_the_reference_says_that_it_cannot_judge_them() -> None:
    rule = 'text.matches("a.b") && text.size() == 3 && text.contains("b")'
    assert version(rule).breached(message("a\0b"), {}) == {"c0"}
    with pytest.raises(ValueError, match="NUL"):
        Reference(agreement(rule)).breached(message("a\0b"), {})


def test_evidence_stands_in_the_original_text() -> None:
    text = "\u200bGet  FRE\u200bE…\nmоney, ﬁne ＭＯＮＥＹ"
    assert evidence('text.says("free money")', message(text)) == [
        ("text", "FRE\u200bE…\nmоney", 'text.says("free money")')
    ]
    assert evidence('text.says("fine money")', message(text)) == [("text", "ﬁne ＭＯＮＥＹ", 'text.says("fine money")')]


def test_evidence_names_the_entry_of_a_lexicon_and_shows_the_whole_word() -> None:
    shown = evidence('text.saysAny("slurs")', message("Cockpit! Cheap, PILLS"), slurs="cheap pills\ncock*\nporn\n")
    assert shown == [
        ("text", "Cheap, PILLS", 'text.saysAny("slurs"): cheap pills'),
        ("text", "Cockpit", 'text.saysAny("slurs"): cock*'),
    ]


def test_evidence_in_unquoted_text_is_placed_in_the_text() -> None:
    text = "> free money\nno\nfree\n> x\nmoney"
    assert evidence('unquoted.says("free money")', message(text)) == [
        ("text", "free\n> x\nmoney", 'unquoted.says("free money")')
    ]
    (finding,) = version('unquoted.says("b")').judge(message("a", unquoted="a b"), {})
    assert finding.evidence == (Passage(field="unquoted", start=2, end=3, why='unquoted.says("b")'),)


def test_evidence_of_patterns_literals_and_domains() -> None:
    assert evidence('subject.matches("é+")', message("é", subject="aéé é")) == [
        ("subject", "éé", 'subject.matches("é+")'),
        ("subject", "é", 'subject.matches("é+")'),
    ]
    assert evidence('text.contains("b")', message("abcb")) == [("text", "b", 'text.contains("b")')] * 2
    link = message("at http://x.casino.example/y now")
    assert evidence('domains.under("bad")', link, bad="casino.example\n") == [
        ("text", "http://x.casino.example/y", 'domains.under("bad"): x.casino.example')
    ]
    assert evidence('domains.under("bad")', message(domains=("casino.example",)), bad="casino.example\n") == [
        ('domains.under("bad")', "true")
    ]


def test_evidence_of_counts_and_comparisons_is_their_values() -> None:
    rule = "links.size() > 1 && author.age < days(7) || author.copies(minutes(10)) >= 5"
    new = message("http://a.example http://b.example", author_created=SENT - timedelta(days=2, hours=3, seconds=1))
    assert evidence(rule, new) == [
        ("links.size()", "2"),
        ("author.age", "2 days 3 hours"),
        ("author.copies(minutes(10))", "6"),
    ]
    assert evidence(rule, message("x")) == [("author.copies(minutes(10))", "6")]


def test_evidence_of_a_quantifier_names_the_elements_that_it_rests_on() -> None:
    rule = 'attachments.exists(a, a.endsWith("exe")) && !to.all(t, t == "me") && to.exists_one(t, t == "me")'
    assert evidence(rule, message(attachments=("png", "x.exe"), to=("me", "you"))) == [
        ("a in attachments", '"x.exe"'),
        ("a", '"x.exe"'),
        ("t in to", '"you"'),
        ("t", '"you"'),
        ("t in to", '"me"'),
        ("t", '"me"'),
    ]


def test_evidence_of_what_is_false_is_what_makes_it_so() -> None:
    assert evidence("!(is_reply && reach > 5)", message(reach=7)) == [("is_reply", "false")]
    assert evidence('!(text.says("a") || is_reply)', message("x")) == [
        ('text.says("a")', "false"),
        ("is_reply", "false"),
    ]
    assert evidence("(is_reply ? reach > 5 : reach < 3)", message()) == [("is_reply", "false"), ("reach", "0")]


def test_evidence_is_bounded_whatever_the_message() -> None:
    rule = " || ".join(f'text.says("w{number}")' for number in range(40))
    (finding,) = version(rule).judge(message(" ".join(f"w{n}" for n in range(40)) * 100), {})
    assert len(finding.evidence) == 24
    (finding,) = version("text.size() > 1 && text != subject").judge(message("x" * 100_000), {})
    assert all(len(one.value) <= 200 for one in finding.evidence if isinstance(one, Value))


def test_an_explanation_is_the_rule_s_tree_with_every_value() -> None:
    made = version('links.size() > 3 && to.exists(t, t == "b")')
    explained = explain(made, ClauseId("c0"), message("http://a.example", to=("a",)), {})
    assert explained is not None
    assert explained.drawn().splitlines() == [
        'links.size() > 3 && to.exists(t, t == "b") = false',
        "  links.size() > 3 = false",
        "    links.size() = 1",
        '      links = ["http://a.example"]',
        '  to.exists(t, t == "b") = false',
        '    to = ["a"]',
        '    t = "a"',
        '      t == "b" = false',
        '        t = "a"',
    ]


def test_quantifiers_nest() -> None:
    made = version('to.exists(t, links.exists(l, l == "b" && t == "a"))')
    breaching = message(to=("x", "a"), links=("b",))
    assert made.breached(breaching, {}) == {"c0"}
    (finding,) = made.judge(breaching, {})
    assert Value(expression="l in links", value='"b"') in finding.evidence
    assert explain(made, ClauseId("c0"), breaching, {}) is not None


def test_a_version_without_rules_finds_nothing() -> None:
    assert plan(agreement("decide=review :: ")).judge(message("x"), {}) == ()
