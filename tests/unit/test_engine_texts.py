"""Phrases, links, mentions, hashtags and quotations: what the engine reads in a text."""

from __future__ import annotations

import pytest

from comity.engine import links
from comity.engine.fold import fold
from comity.engine.functions import repeats
from comity.engine.quotes import own_spans, unquoted
from comity.engine.scan import Scan
from comity.engine.words import occurrences, phrase


def found(written: str, text: str) -> list[str]:
    folded = fold(text)
    return [folded[start:end] for start, end in occurrences(phrase(written), folded)]


@pytest.mark.parametrize(
    ("written", "text", "expected"),
    [
        ("free money", "Get FREE money, free  money!", ["free money", "free money"]),
        ("free money", "free... money\nfree-money free_money", ["free... money", "free-money", "free_money"]),
        ("free-money", "free money", ["free money"]),
        ("free money", "freemoney free moneys", []),
        ("cock", "cockpit peacock", []),
        ("cock*", "cockpit peacock", ["cockpit"]),
        ("free *", "free freedom", ["free"]),
        ("porn", "pоrn ａnd pom", ["porn"]),
        ("rn", "porn", []),
        ("色情", "我爱色情吧", ["色情"]),
        ("色情", "色 情", []),
        ("porn", "我爱porn吧", ["porn"]),
        ("爱porn", "我爱 PORN", ["爱 porn"]),
        ("ไทย", "ภาษาไทยดี", ["ไทย"]),
        ("éclair", "e\u0301clairs ECLAIR e\u0301clair", ["éclair"]),
        ("e", "e\u0301 e", ["e"]),
        ("💩", "so💩💩", ["💩", "💩"]),
        ("*", "a*b", ["*"]),
        ("Straße", "STRASSE straße STRAẞE", ["straße", "straße"]),
        ("x1", "x1 x 1 x12", ["x1"]),
        ("o'clock", "o’clock o clock oclock", ["o’clock", "o clock"]),
    ],
)
def test_phrases_match_whole_words_of_the_folded_text(written: str, text: str, expected: list[str]) -> None:
    assert found(written, text) == expected
    assert bool(Scan([[phrase(written)]]).groups_in(fold(text))) == bool(expected)


def test_one_scan_tells_the_groups_of_ten_thousand_phrases_apart() -> None:
    groups = [[phrase(f"bad{number} word"), phrase(f"worse{number}")] for number in range(5000)]
    scan = Scan([*groups, [phrase("x" * 5000)]])
    assert scan.groups_in(fold("worse17 and BAD4999 word but bad5 words")) == {17, 4999}
    assert scan.groups_in("x" * 5000) == {5000}
    assert scan.groups_in("") == set()


def test_no_phrase_of_nothing_is_everywhere() -> None:
    assert Scan([[phrase("")], [phrase(" ")]]).groups_in("anything") == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see http://a.example.", ["http://a.example"]),
        ("(https://a.example/x_(y)) and <http://b.example>", ["https://a.example/x_(y)", "http://b.example"]),
        ("WWW.a.example, www.b.example!", ["WWW.a.example", "www.b.example"]),
        ('"http://a.example/?q=1&r=2#f" ftp://f.example', ["http://a.example/?q=1&r=2#f", "ftp://f.example"]),
        ("xhttp://a.example awww.b.example http:/c end.Start", []),
        ("买http://a.example", []),
        ("**http://a.example/**", ["http://a.example/"]),
        ("http://a.examplehttp://b.example", ["http://a.examplehttp://b.example"]),
        ("", []),
    ],
)
def test_links_end_where_their_sentence_goes_on(text: str, expected: list[str]) -> None:
    assert list(links.links(text)) == expected


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("http://WWW.Example.org:80/x", "www.example.org"),
        ("http://bank.example@evil.example/", "evil.example"),
        ("http://evil.example\\@bank.example/", "evil.example"),
        ("https://evil.example?bank.example/", "evil.example"),
        ("http://example.org./", "example.org"),
        ("www.example.org", "www.example.org"),
        ("http://xn--bcher-kva.example/", "bücher.example"),
        ("http://BÜCHER。example", "bücher.example"),
        ("http://[2001:db8::1]:80/", "[2001:db8::1]"),
        ("http://xn--\u00ff.example", "xn--ÿ.example"),
    ],
)
def test_a_domain_is_the_host_that_a_browser_would_ask(link: str, expected: str) -> None:
    assert links.domains([link]) == (expected,)


def test_domains_are_distinct_and_in_order_of_appearance() -> None:
    assert links.domains(["http://b.example/1", "http://a.example", "https://B.example/2"]) == (
        "b.example",
        "a.example",
    )


def test_a_domain_is_under_itself_and_its_parents_but_not_under_what_only_ends_alike() -> None:
    parents = frozenset({"casino.example"})
    assert links.is_under("casino.example", parents)
    assert links.is_under("a.b.casino.example", parents)
    assert not links.is_under("notcasino.example", parents)
    assert not links.is_under("example", parents)
    assert not links.is_under("", parents)


def test_mentions_and_hashtags_come_without_their_sign_and_in_lower_case() -> None:
    text = "@Bob, hi @Ann.Lee. me@example.org @x@social.example #Tag #1 #a1 &#39; ##no a#b #Größe"
    assert links.mentions(text) == ("bob", "ann.lee", "x@social.example")
    assert links.hashtags(text) == ("tag", "a1", "größe")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("new\n> old\n>> older\nnew again", "new\nnew again"),
        ("Yes.\n\nOn Mon, 5 Jan 2026 at 10:00, Ann <a@b.example> wrote:\n> No.\n", "Yes.\n\n"),
        ("Yes.\nOn Mon, 5 Jan 2026 at 10:00, Ann\n<a@b.example> wrote:\n> No.\n", "Yes.\n"),
        ("Sí.\nEl lun, 5 ene 2026, Ana escribió:\n> No.\n", "Sí.\n"),
        ("See below.\n\n---------- Forwarded message ---------\nFrom: x\nBuy now", "See below.\n\n"),
        ("See below.\n-----Original Message-----\nFrom: x", "See below.\n"),
        ("Begin forwarded message:\nFrom: x", ""),
        ("On the other hand, she wrote: nothing", "On the other hand, she wrote: nothing"),
        ("On the whole, she wrote:\nnothing", "On the whole, she wrote:\nnothing"),
        ("a > b", "a > b"),
        ("", ""),
    ],
)
def test_unquoted_is_what_the_author_wrote(text: str, expected: str) -> None:
    assert unquoted(text) == expected
    assert "".join(text[span.start : span.end] for span in own_spans(text)) == expected


@pytest.mark.parametrize(
    "piece", ["http://", "www.", "@a", "#1", "> ", "On x wrote:\n", "(", "a@", "@", "xn--.", "-" * 9, "On \n"]
)
def test_long_texts_are_read_in_linear_time(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    assert len(links.links(text)) <= len(text)
    links.domains(links.links(text))
    links.mentions(text)
    links.hashtags(text)
    assert len(unquoted(text)) <= len(text)


@pytest.mark.parametrize(
    ("text", "longest"),
    [("", 0), ("a", 1), ("ab", 1), ("abb", 2), ("\0\0\0a\0", 3), ("aab" + "c" * 37 + "dd", 37), ("é" * 5 + "a", 5)],
)
def test_repeats_is_the_longest_run_of_one_character(text: str, longest: int) -> None:
    assert repeats(text) == longest
    assert repeats(text + "x" * 1_000) == 1_000
