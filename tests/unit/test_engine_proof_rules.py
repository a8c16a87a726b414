"""What became of a rule: verdicts that an author would expect, each witness judged, nothing that hangs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from engine_versions import agreement

from comity.engine.functions import compiled
from comity.engine.plan import plan
from comity.engine.proof import patterns
from comity.engine.proof.candidates import with_all
from comity.engine.proof.compare import EFFORT, Compared, Judge, Open, Verdict, Witness, compare
from comity.engine.proof.languages import Search, Wanted, matches
from comity.engine.proof.settle import Effort
from comity.model.agreement import Agreement, Lexicon, LexiconKind
from comity.model.ids import ClauseId

LEXICONS = {"slurs": "free money\nmoney*\n", "bad": "casino.example\n", "known": "a\nb\n"}
CLAUSE = ClauseId("c0")


def compared(old: Agreement, new: Agreement, *, effort: int = EFFORT) -> Compared:
    return compare(Judge(old), Judge(new), CLAUSE, Effort(left=effort))


def of_rules(old: str, new: str) -> Compared:
    return compared(agreement(old, lexicons=LEXICONS), agreement(new, lexicons=LEXICONS))


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("links.size() > 3", "links.size() > 2", "stricter"),
        ("links.size() > 3", "3 < links.size()", "same"),
        ("links.size() > 3", "links.size() >= 4 || links.size() > 10", "same"),
        ("links.size() > 3 && is_reply", "links.size() > 4 || is_reply", "stricter"),
        ("links.size() > 3", "links.size() > 4 || is_reply", "both"),
        ("author.age < days(7)", "author.age < hours(168)", "same"),
        ("author.age < days(7)", "author.age < days(6)", "looser"),
        ("author.messages(hours(1)) > 5", "author.messages(days(1)) > 5", "stricter"),
        ("author.messages(hours(1)) > 0", "true", "same"),
        ("author.copies(days(1)) > 3", "author.messages(days(1)) > 3", "stricter"),
        ('author.same("k", days(1)) > 0', 'meta.get("k") != ""', "same"),
        ("author.breaches(days(1)) > 1", "author.breaches(days(2)) > 1", "stricter"),
        ("share(author.copies(days(1)), author.messages(days(1))) > 0.5", "author.copies(days(1)) > 9", "both"),
        ("share(reach, text.size()) > 0.5", "share(reach, text.size()) > 0.6", "looser"),
        ('text.says("free money")', 'text.says("money")', "stricter"),
        ('text.says("money")', 'text.saysAny("slurs")', "stricter"),
        ('text.says("moneybags")', 'text.saysAny("slurs")', "stricter"),
        ('text.says("money")', 'text.says("MONEY!")', "same"),
        ('text.matches("a+")', 'text.matches("a{2,}")', "looser"),
        (r"text.matches(r'\d+')", 'text.matches("[0-9]")', "same"),
        (r"text.matches(r'\bfree\b')", 'text.contains("free")', "stricter"),
        ('text.matches("(?i)k")', 'text.matches("k|K|\u212a")', "same"),
        ('text.startsWith("ab")', 'text.contains("b")', "stricter"),
        ('text.size() > 5 && text.matches("^.{0,3}$")', "false", "same"),
        ('text == "abc" && text.size() > 3', "false", "same"),
        ("text.capitals() > 0.5", "text.capitals() > 0.7", "looser"),
        ("text.capitals() > 0.5 && text.size() > 20", "text.capitals() > 0.7", "both"),
        ("text.repeats() > 5", "text.repeats() > 4 && text.size() > 4", "stricter"),
        ('links.exists(l, l.startsWith("http:"))', 'links.exists(x, x.startsWith("http"))', "stricter"),
        ('links.all(l, l.contains("x"))', '!links.exists(l, !l.contains("x"))', "same"),
        ('"a" in to && "b" in to', "to.size() > 1", "stricter"),
        ('to.anyIn("known")', '"a" in to || "b" in to', "same"),
        ('"casino.example" in domains', 'domains.under("bad")', "stricter"),
        ("links.filter(l, l.size() > 20).size() > 2", "links.filter(l, l.size() > 20).size() > 3", "looser"),
        ("sent.getHours() < 6", "sent.getHours() < 7", "stricter"),
        ('sent.getHours("Europe/Berlin") < 6', 'sent.getHours("Europe/Berlin") < 7', "stricter"),
        ("sent.getMonth() == 11", "sent.getMonth() >= 10", "stricter"),
        ('language.speaks("en-US")', 'language.speaks("en")', "stricter"),
        ('channel == "posts"', 'channel != "mail"', "same"),
        ("on=posts:: text.size() > 1", "text.size() > 1", "stricter"),
        ('meta.number("n") > 5.0', 'meta.number("n") > 6.0', "looser"),
        ('meta.number("n") > 5.0', '"n" in meta && meta.number("n") > 5.0', "same"),
        ("", "is_reply", "stricter"),
    ],
)
def test_the_verdict_is_what_an_author_would_expect(old: str, new: str, verdict: str) -> None:
    assert of_rules(old, new).verdict == verdict


@pytest.mark.parametrize(("old", "new"), [("links.size() > 3", 'text.says("free money") && author.age < days(7)')])
def test_a_witness_is_judged_as_it_says(old: str, new: str) -> None:
    versions = [agreement(rule, lexicons=LEXICONS) for rule in (old, new)]
    found = compared(versions[0], versions[1])

    for witness, expected in ((found.only_old, [True, False]), (found.only_new, [False, True])):
        assert isinstance(witness, Witness)
        plans = [plan(version) for version in versions]
        counts = [with_all(each.needs, witness.counts) for each in plans]
        judged = [CLAUSE in each.breached(witness.message, count) for each, count in zip(plans, counts, strict=True)]
        assert judged == expected


def test_an_example_that_tells_the_versions_apart_is_the_witness() -> None:
    examples = "breach: a b c d e f\nfine: a"
    versions = [agreement(rule, examples=examples) for rule in ("text.size() > 10", "text.size() > 11")]
    found = compared(*versions)

    assert isinstance(found.only_old, Witness)
    assert found.only_old.message.text == "a b c d e f"


def test_a_lexicon_that_grew_makes_a_rule_stricter() -> None:
    rule = 'text.saysAny("slurs")'
    found = compared(agreement(rule, lexicons={"slurs": "bad\n"}), agreement(rule, lexicons={"slurs": "bad\nworse\n"}))

    assert found.verdict is Verdict.STRICTER


def test_a_lexicon_that_says_the_same_in_more_words_changes_nothing() -> None:
    rule = 'text.saysAny("slurs")'
    found = compared(
        agreement(rule, lexicons={"slurs": "bad\n"}), agreement(rule, lexicons={"slurs": "bad\nbad dog\n"})
    )

    assert found.verdict is Verdict.SAME


def test_what_is_not_followed_is_said_to_be_unknown() -> None:
    found = of_rules('text.says("money") && text.size() < 3', "false")

    assert found.verdict is Verdict.UNKNOWN
    assert found.only_old is Open.UNCONFIRMED


def test_answers_are_the_same_each_time() -> None:
    rules = 'text.capitals() > 0.5 && links.size() > 2 || text.says("x")', 'text.capitals() > 0.6 || text.says("y")'

    assert of_rules(*rules) == of_rules(*rules)


def test_effort_that_is_spent_leaves_questions_open() -> None:
    found = compared(agreement("links.size() > 3"), agreement("links.size() > 2"), effort=1)

    assert found.verdict is Verdict.UNKNOWN
    assert Open.SPENT in (found.only_old, found.only_new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('text.matches("(a|b)*a(a|b){20}c")', 'text.matches("(a|b)*b(a|b){20}c")'),
        ('text.matches("(a{9}|b{9}){30}")', 'text.matches("(a{9}|b{10}){30}")'),
        (" && ".join(f"(text.size() * {n + 3} + reach) % {n + 11} == {n}" for n in range(30)), "false"),
        (
            " || ".join(f'text.matches("a{n}.*b{n}")' for n in range(30)),
            " || ".join(f'text.matches("a{n}.*c")' for n in range(30)),
        ),
        (
            " && ".join(f'links.exists(l, l.contains("{n}") && domains.all(d, d.size() > {n}))' for n in range(20)),
            "true",
        ),
    ],
)
def test_hostile_rules_end(old: str, new: str) -> None:
    effort = Effort(left=4_000_000)

    compare(Judge(agreement(old)), Judge(agreement(new)), CLAUSE, effort)

    assert effort.left > -4_000_000  # one question may go beyond what is left, no more


def test_lexicons_of_many_phrases_are_compared() -> None:
    versions = []
    for more in ((), ("one more",)):
        entries = (*(f"word{n} phrase{n * 7}" for n in range(2000)), *more)
        lexicon = Lexicon(name="slurs", kind=LexiconKind.PHRASES, entries=entries)
        made = agreement('text.saysAny("slurs")', lexicons={"slurs": "x"})
        versions.append(replace(made, lexicons={"slurs": lexicon}))

    assert compared(versions[0], versions[1]).verdict is Verdict.STRICTER


@pytest.mark.parametrize(
    "source",
    [
        *("", "a", "a|b*", "(?:ab)+c?", "[^x]", "[[:^alpha:]\\d]", "[]a]+", r"\pL{3}", r"\p{Greek}", "(?i)straSSe|k"),
        *("^a", "b$", "(?m)^b$", r"\bfree\b", r"\Aa\z", "(?s)a.b", "a.b", "a{2,3}", "a{2,}?", r"\Qa+b\E*c"),
        *(r"(?P<n>a)\x41", r"\x{1F4A9}|\.", "(^a|b$)", "(?U)a+", "a{,2}", "x(?i)y(?-i)z", "(?i:ß)Z", r"\s\S\W", "é"),
    ],
)
def test_a_pattern_is_read_as_re2_reads_it(source: str) -> None:
    tree, search = patterns.pattern(source), compiled(source).search
    assert tree is not None
    pieces = (
        "",
        "a",
        "b",
        "ab",
        "aaa",
        "x",
        "\n",
        "free",
        "STRASSE",
        "ſ",
        "\u212a",
        "é",
        "ß",
        "ẞ",
        "1",
        "α",
        "💩",
        ".",
        "a+b",
        "A",
        "xYz",
        "xyz",
        "a{,2}",
        " ",
    )
    texts = [one + two + three for one in pieces for two in pieces for three in ("", "b", "\n")]

    read = [text for text in texts if matches(patterns.anywhere(tree), text)]

    assert read == [text for text in texts if search(text.encode())]


@pytest.mark.parametrize("source", ["\\B", "\\C", "(?<=a)b", "\\1"])
def test_a_pattern_that_is_not_known_is_given_up(source: str) -> None:
    assert patterns.pattern(source) is None


def test_the_shortest_text_is_found_and_its_absence_proved() -> None:
    wishes = [Wanted(tree=patterns.anywhere(patterns.literal("ab")), holds=True)]
    ends = Wanted(tree=patterns.Sequence((patterns.ANYTHING, patterns.literal("c"))), holds=True)

    assert Search([*wishes, ends]).shortest().text == "abc"
    assert Search([*wishes, Wanted(tree=wishes[0].tree, holds=False)]).shortest().complete
    assert len(Search(wishes).of_length(7).text or "") == 7


def test_only_who_asks_for_a_proof_loads_the_solver() -> None:
    code = "import comity, comity.engine, comity.app.main, sys; sys.exit('z3' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
