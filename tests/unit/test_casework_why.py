"""What evidence says in plain words: all features of the rule language in all languages, and nothing that is wrong."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from engine_versions import SENT, message, version
from hypothesis import given
from hypothesis import strategies as st

from comity.agreement.language import FUNCTIONS, VARIABLES
from comity.casework.languages import ENGLISH, LANGUAGES, Language
from comity.casework.spoken import several
from comity.casework.why import measured, reasons
from comity.engine.evidence import show
from comity.engine.reading import UNKNOWN_AGE
from comity.engine.windows import Window
from comity.model.finding import Evidence, Passage, Value
from comity.model.message import Message

UTC_ = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
GERMAN, FRENCH = LANGUAGES["de"], LANGUAGES["fr"]
WORDLESS = {"seconds", "minutes", "hours", "days", "share", "speaks"}
"""Functions that are said by their parts, or stay as written."""


def evidence(rule: str, of: Message, *, count: int = 17, **lexicons: str) -> tuple[Evidence, ...]:
    made = version(rule, "false", lexicons=lexicons)
    counts: dict[Window, int | float] = dict.fromkeys(made.needs, count)
    (finding,) = made.judge(of, counts)
    return finding.evidence


def told(rule: str, of: Message, say: Language = ENGLISH, **lexicons: str) -> list[str]:
    texts = {"text": of.text, "subject": of.subject}
    return list(reasons(evidence(rule, of, **lexicons), texts, UTC_, say))


def test_a_comparison_says_the_feature_the_value_and_what_it_is_held_against() -> None:
    four = message(links=("a", "b", "c", "d"), author_created=SENT - timedelta(days=1, hours=2))
    rule = "links.size() > 3 && author.age < days(7) && author.messages(minutes(10)) >= 5"
    assert told(rule, four) == [
        "links in the message: 4 (more than 3)",
        "age of your account: 1 day 2 hours (less than 7 days)",
        "messages by you within 10 minutes: 17 (at least 5)",
    ]
    assert told(rule, four, GERMAN)[1:] == [
        "Alter Ihres Kontos: 1 Tag 2 Stunden (weniger als 7 Tage)",
        "Nachrichten von Ihnen (Zeitraum: 10 Minuten): 17 (mindestens 5)",
    ]
    assert told(rule, four, FRENCH)[1:] == [
        "âge de votre compte : 1 jour 2 heures (moins de 7 jours)",
        "messages de votre part en 10 minutes : 17 (au moins 5)",
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("3 < links.size()", "links in the message: 4 (more than 3)"),
        ("!(links.size() <= 3)", "links in the message: 4 (more than 3)"),
        ("!(5 <= size(links))", "links in the message: 4 (less than 5)"),
        ("links.size() == 4", "links in the message: 4"),
        ("links.size() > mentions.size()", "links in the message: 4"),
        ("text.capitals() > 0.4", "capitals among the letters of the message: 50% (more than 40%)"),
        ("author.messages( minutes( 10 ) ) > 2", "messages by you within 10 minutes: 17 (more than 2)"),
        ('author.breaches("c1", days(1)) > 2', "times that you broke the clause “c1” within 1 day: 17 (more than 2)"),
        ('author.same("to", hours(1)) > 2', "messages by you with the same “to” within 1 hour: 17 (more than 2)"),
        ('meta.get("alert") == "scan"', "“alert”, as the source gave it: “scan”"),
        ('meta.number("targets") > 1.5', "“targets”, as the source gave it: 2 (more than 1.5)"),
        ("!is_reply", "an answer to another message: no"),
        ('!("staff" in author.roles)', "your roles: none"),
        ('!text.says("please")', "the words “please” in the message: no"),
        ('sent.getHours("Europe/Berlin") < 20', "hour of the day when it was sent (Europe/Berlin): 13 (less than 20)"),
        ("author.age > days(30)", "age of your account: not known, so taken as 100 years (more than 30 days)"),
    ],
)
def test_a_feature_is_said(rule: str, said: str) -> None:
    one = message("BUY now", links=("a", "b", "c", "d"), meta={"alert": "scan", "targets": "2", "to": "7"})
    assert told(rule, one)[0] == said


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("share(text.size(), 2) > 1.0", "“share(text.size(), 2)”: 3.5 (more than 1)"),
        ("links.size() + mentions.size() < 9", "“links.size() + mentions.size()”: 0 (less than 9)"),
        ('author.same("a\\"b", days(1)) > 1', '“author.same("a\\"b", days(1))”: 17 (more than 1)'),
    ],
)
def test_what_has_no_words_stays_as_written(rule: str, said: str) -> None:
    assert told(rule, message("BUY now")) == [said]


def test_a_time_is_told_in_the_reader_s_zone() -> None:
    (one,) = evidence('sent > timestamp("2020-01-01T00:00:00Z")', message())
    assert isinstance(one, Value)
    assert measured(one, BERLIN, ENGLISH).endswith(" (CET)")


def test_what_is_asked_of_an_element_itself_is_not_said_twice() -> None:
    one = message(hashtags=("calm", "subhumans"))
    assert told('hashtags.exists(tag, tag == "subhumans")', one) == ["a hashtag in the message: “subhumans”"]


@pytest.mark.parametrize(
    ("rule", "of", "said"),
    [
        ('text.says("free money")', message("Get FREE  money!"), "it says “FREE  money”"),
        ('text.says("free money")', message("Get fr\u0435e money!"), "it says “fr\u0435e money”, read as “free money”"),
        ('subject.says("free")', message(subject="Free!"), "the subject says “Free”"),
        ('text.saysAny("slurs")', message("some pills"), "it says “pills”, which is on the list “slurs”"),
        ('text.matches("p.lls")', message("some pills"), "it says “pills”, which fits the pattern “p.lls”"),
        (r'text.matches("p\\w+")', message("some pills"), r'it says “pills” (“text.matches("p\\w+")”)'),
    ],
)
def test_a_passage_says_what_the_rule_made_of_it_unless_the_words_do(rule: str, of: Message, said: str) -> None:
    assert told(rule, of, slurs="pills\n") == [said]


def test_a_link_is_named_with_its_website_and_the_list() -> None:
    of = message("See http://a.spam.example/x")
    (said,) = reasons((_under(of),), {"text": of.text}, UTC_, ENGLISH)
    assert said == "it says “http://a.spam.example/x”, a link to “a.spam.example”, which is on the list “bad”"


def _under(of: Message) -> Passage:
    return Passage(field="text", start=4, end=len(of.text), why='domains.under("bad"): a.spam.example')


def test_a_passage_of_a_message_that_is_not_shown_is_told_by_its_place() -> None:
    assert list(reasons((_under(message("See http://a.spam.example/x")),), {}, UTC_, ENGLISH)) == [
        "at characters 4 to 27, a link to “a.spam.example”, which is on the list “bad”"
    ]


def test_the_age_of_nobody_knows_when_is_the_one_that_the_engine_takes() -> None:
    one = Value(expression="author.age", value=show(UNKNOWN_AGE))
    assert measured(one, UTC_, ENGLISH) == f"age of your account: {ENGLISH.unknown_age}"


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - WORDLESS))
def test_every_function_of_the_rule_language_has_words(name: str) -> None:
    found = [key for key in ENGLISH.features if key == name or key.split("(")[0].endswith(name)]
    assert found or name in ("matches", "contains"), name


@pytest.mark.parametrize("name", sorted(set(VARIABLES) - {"text", "unquoted", "subject", "meta", "hashes"}))
def test_every_variable_of_the_rule_language_has_words(name: str) -> None:
    assert name in ENGLISH.features


def test_a_language_writes_large_numbers_its_own_way() -> None:
    assert [several(1200, say.points, say) for say in (ENGLISH, GERMAN)] == ["1,200 points", "1.200 Punkte"]


@pytest.mark.parametrize("key", sorted(ENGLISH.features))
@pytest.mark.parametrize("say", LANGUAGES.values(), ids=lambda say: say.code)
def test_every_feature_is_said_in_every_language(say: Language, key: str) -> None:
    expression = key.replace("(d)", "(minutes(10))").replace(",d)", ", minutes(10))").replace("key", '"friends"')
    expression = f"x {expression}" if expression.startswith("in ") else expression
    said = measured(Value(expression=expression, value="17", against="> 3"), UTC_, say)
    assert said.startswith(say.features[key].split("{")[0])
    assert ("10" in said, "friends" in said) == (("d)" in key and "key)" not in key) or ",d)" in key, "key" in key)
    assert "{" not in said
    assert not any(each in said for each in ("size()", "author.", "text.", "“x"))


OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@given(
    value=st.integers(0, 4),
    constant=st.integers(0, 4),
    sign=st.sampled_from(sorted(OPERATORS)),
    turned=st.booleans(),
)
def test_what_a_value_is_said_to_be_against_a_number_is_always_true(
    value: int, constant: int, sign: str, *, turned: bool
) -> None:
    sides = (f"{constant}", "links.size()") if turned else ("links.size()", f"{constant}")
    compared = f"{sides[0]} {sign} {sides[1]}"
    (one,) = evidence(f"{compared} || !({compared})", message(links=tuple("abcd"[:value])))
    assert isinstance(one, Value)
    order, number = one.against.split()
    assert OPERATORS[order](value, int(number))
    assert int(number) == constant


@given(st.text(), st.text(), st.text().map(lambda text: f"{text}"))
def test_whatever_a_record_holds_is_said_somehow(expression: str, value: str, name: str) -> None:
    for key in (expression, "author.age", "text.capitals()", f"x in {name}"):
        for against in ("", f"> {value}"):
            assert measured(Value(expression=key, value=value, against=against), UTC_, ENGLISH)
    assert list(reasons((Passage(field="text", start=0, end=3, why=name),), {"text": value}, UTC_, ENGLISH))
