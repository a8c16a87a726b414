"""A rule that could fail is refused where it could, with a mend; any other is checked and its facts are known."""

from __future__ import annotations

import pytest

from comity.agreement.codes import TITLES
from comity.agreement.rules import CheckedRule, Names, RuleProblem, check_rule
from comity.model.agreement import LexiconKind
from comity.model.ids import ClauseId

NAMES = Names(
    lexicons={"slurs": LexiconKind.PHRASES, "shops": LexiconKind.DOMAINS, "virus": LexiconKind.EXACT},
    clauses=frozenset(ClauseId(name) for name in ("own", "spam", "flooding")),
    own=ClauseId("own"),
)

FORTY = str([str(number) for number in range(40)])
DOUBLED = ".map(l, l + l)"
LONG = "a" * 20_000
REFUSED = [  # rule, code, what is underlined, a part of the help
    # names
    ("author.agee < days(7)", "C012", "author.agee", "did you mean `author.age`?"),
    ("autor.age < days(7)", "C012", "autor.age", "did you mean `author.age`?"),
    ('author == "bob"', "C012", "author", "`author.age`"),
    ("author.copies == 3", "C012", "author.copies", "is a function"),
    ("size == 3", "C012", "size", "is a function"),
    ("True", "C012", "True", "write `true`"),
    ("links.exists(link, lnk.size() > 3)", "C012", "lnk", "did you mean `link`?"),
    ("author.breach(days(1)) > 2", "C013", "author.breach", "did you mean `author.breaches`?"),
    ("text.sizee() > 3", "C013", "sizee", "did you mean `size`?"),
    ("text.lowerAscii() == text", "C013", "lowerAscii", "`says`"),
    ('links.any(link, link == "a")', "C013", "any", "use `exists`"),
    ("links.exists(true)", "C013", "exists", "with a condition about `link`"),
    ("capitals(text) > 0.5", "C013", "capitals", "text.capitals()"),
    ("text(1) > 1", "C013", "text", "is a variable"),
    ("cel.bind(x, 1, true)", "C013", "cel.bind", "docs/rule-language.md"),
    ("optional.of(true)", "C013", "optional.of", "docs/rule-language.md"),
    # types
    ('links.size() > "x"', "C014", 'links.size() > "x"', "the same type"),
    ("text.capitals() > 1", "C014", "text.capitals() > 1", "`1.0`"),
    ('sent < "2026-01-01"', "C014", 'sent < "2026-01-01"', "timestamp("),
    ("author.age < 7 * days(1)", "C014", "7 * days(1)", "no factors"),
    ("author.copies() > 3", "C014", "author.copies()", "author.copies(duration)"),
    ('author.breaches(days(1), "spam") > 1', "C014", 'author.breaches(days(1), "spam")', "(string, duration)"),
    ("text.size(1) > 1", "C014", "text.size(1)", "text.size()"),
    ("duration() < author.age", "C014", "duration()", "`duration("),
    ("text.contains(links)", "C014", "text.contains(links)", "text.contains("),
    ("links && is_reply", "C014", "links && is_reply", "conditions"),
    ("text.exists(c, true)", "C014", "text", "ask the value"),
    ("author.age", "C015", "author.age", "compare"),
    ("links.size()", "C015", "links.size()", "compare"),
    ("true ? 1 : 2", "C015", "true ? 1 : 2", "compare"),
    # arithmetic
    ("reach / links.size() > 1", "C016", "links.size()", "share(a, b)"),
    ("reach / 0 > 1", "C016", "0", "another number"),
    ("reach % 0 > 1", "C016", "0", "another number"),
    ("reach % links.size() == 0", "C016", "links.size()", "a number"),
    ("text.capitals() / 0.0 > 1.0", "C016", "0.0", "another number"),
    ("1.0 / text.capitals() > 1.0", "C016", "text.capitals()", "share(a, b)"),
    ("reach * reach * reach > 1", "C017", "reach * reach * reach", "parts"),
    ("reach + 9223372036854775807 > 1", "C017", "reach + 9223372036854775807", "parts"),
    ("-(-9223372036854775808) > 0", "C017", "-(-9223372036854775808)", "parts"),
    ("-9223372036854775808 / -1 > 0", "C017", "-9223372036854775808 / -1", "parts"),
    ("-9223372036854775808 % -1 == 0", "C017", "-9223372036854775808 % -1", "parts"),
    ("5u - 6u > 1u", "C017", "5u - 6u", "signed"),
    ("links.map(l, l.size() * 2).exists(n, n * n > 3)", "C017", "n * n", "parts"),
    ("(is_reply ? 9223372036854775807 : 1) + 1 > 3", "C017", "(is_reply ? 9223372036854775807 : 1) + 1", "parts"),
    ("author.age + days(1) > days(3)", "C017", "author.age + days(1)", "themselves"),
    ("sent + days(1) > sent", "C017", "sent + days(1)", "sent > timestamp"),
    ("sent - sent < days(1)", "C017", "sent - sent", "themselves"),
    # what may be missing
    ('links[0] == "a"', "C018", "links[0]", "exists"),
    ('meta["dkim"] == "a"', "C018", 'meta["dkim"]', 'meta.get("dkim")'),
    ('meta.dkim == "a"', "C018", "meta.dkim", 'meta.get("dkim")'),
    ("has(meta.dkim)", "C018", "has(meta.dkim)", '"dkim" in meta'),
    ("text.size == 3", "C018", "text.size", ".size("),
    # conversions and constants
    ("int(text) > 3", "C019", "int(text)", "one type"),
    ("double(links.size()) > 3.0", "C019", "double(links.size())", "share(a, b)"),
    ("timestamp(text) < sent", "C019", "timestamp(text)", "sent"),
    ('duration("1d") < author.age', "C020", 'duration("1d")', "days(7)"),
    ('duration("1ns") < author.age', "C020", 'duration("1ns")', "days(7)"),
    ('timestamp("2026") < sent', "C020", 'timestamp("2026")', "2026-01-31T12:00:00Z"),
    ('double("nan") < 1.0', "C020", 'double("nan")', "number"),
    ("1e999 < 1.0", "C020", "1e999", "number"),
    ('int("x") == 1', "C020", 'int("x")', "int itself"),
    ("dyn(1) == 1", "C022", "dyn(1)", "fixed type"),
    ("text == null", "C022", "null", "empty or 0"),
    ('[1, "a"].size() > 1', "C022", '[1, "a"]', "one type"),
    ("[[1]].size() > 1", "C022", "[[1]]", "one type"),
    ('{"a": 1}.size() > 1', "C023", '{"a": 1}', "list"),
    ("google.protobuf.Duration{seconds: 1} == author.age", "C023", "google.protobuf.Duration{seconds: 1}", "list"),
    ("author.age < days(3651)", "C024", "days(3651)", "days(3650)"),
    ("author.age < days(9223372036854775807)", "C024", "days(9223372036854775807)", "days(3650)"),
    ('author.age < duration("100000h")', "C024", 'duration("100000h")', "days(3650)"),
    ("author.age < days(links.size())", "C024", "days(links.size())", "days(7)"),
    # literal arguments
    ("text.copies(days(401)) > 1", "C025", "days(401)", "minutes(10)"),
    ("text.copies(days(0)) > 1", "C025", "days(0)", "minutes(10)"),
    ("text.copies(hours(-1)) > 1", "C025", "hours(-1)", "minutes(10)"),
    ("text.copies(author.age) > 1", "C025", "author.age", "minutes(10)"),
    ("text.copies(days(1) + hours(1)) > 1", "C025", "days(1) + hours(1)", "minutes(10)"),
    ('text.says("")', "C026", '""', "write words"),
    ('text.says(" \u200b.")', "C026", '" \u200b."', "write words"),
    ('text.says("\u3164")', "C026", '"\u3164"', "write words"),
    ("text.says(subject)", "C026", "subject", "in quotes"),
    ('text.matches("(")', "C027", '"("', "raw strings"),
    ('text.matches("a" + "b")', "C027", '"a" + "b"', "in quotes"),
    (f'text.matches("{"a" * 1001}")', "C027", f'"{"a" * 1001}"', "raw strings"),
    ('text.matches(r"\\C")', "C027", 'r"\\C"', "raw strings"),
    ('text.matches("(((a{100}){100}){100})")', "C027", '"(((a{100}){100}){100})"', "raw strings"),
    ('text.saysAny("slur")', "C028", '"slur"', "did you mean `slurs`?"),
    ("text.saysAny(subject)", "C028", "subject", "in quotes"),
    ('domains.under("slurs")', "C029", '"slurs"', "saysAny"),
    ('hashes.anyIn("shops")', "C029", '"shops"', "under"),
    ('author.breaches("span", days(1)) > 1', "C030", '"span"', "did you mean `spam`?"),
    ('author.notices("nothing", days(1)) > 1', "C030", '"nothing"', "`flooding`"),
    ('author.breaches("own", days(1)) > 1', "C031", '"own"', "ladder"),
    ('sent.getHours("Mars/X") > 1', "C033", '"Mars/X"', "Europe/Berlin"),
    ('sent.getHours("europe/berlin") > 1', "C033", '"europe/berlin"', "did you mean `Europe/Berlin`?"),
    ('sent.getHours("localtime") > 1', "C033", '"localtime"', "Europe/Berlin"),
    ("sent.getHours(channel) > 1", "C033", "channel", "in quotes"),
    ('meta.get(text) == ""', "C034", "text", "in quotes"),
    ('author.same("", days(1)) > 1', "C034", '""', "name a key"),
    ('language.speaks("d e")', "C034", '"d e"', '"pt-BR"'),
    ("subject.copies(days(1)) > 1", "C035", "subject", "text.copies"),
    ("links.exists(l, l.copiers(days(1)) > 1)", "C035", "l", "text.copiers"),
    # loops
    ('links.exists(text, text == "a")', "C036", "text", "such as `x`"),
    ('links.exists(l, links.exists(l, l == "a"))', "C036", "l", "such as `x`"),
    ("links.all(a, to.all(b, domains.all(c, a == c)))", "C037", "domains.all(c, a == c)", "one list"),
    (f"{FORTY}.all(a, {FORTY}.all(b, {FORTY}.all(c, a + b != c)))", "C037", f"{FORTY}.all(c, a + b != c)", "lexicon"),
    ("links.exists(a, to.exists(b, text.contains(a + b)))", "C037", "text.contains(a + b)", "outside of the loop"),
    ("links.exists(a, to.exists(b, a in domains))", "C037", "a in domains", "outside of the loop"),
    ('links.exists(a, (text + a).says("money"))', "C037", '(text + a).says("money")', "outside of the loop"),
    ("links.map(l, text + l).size() > 1", "C037", "links.map(l, text + l)", "one list"),
    ("(" + "text + " * 10 + "text).contains(subject)", "C037", "text + " * 10 + "text", "on its own"),
    (f"links{DOUBLED * 4}.size() > 1", "C037", f"links{DOUBLED * 4}", "one list"),
    (f"links.map(l, l + '{LONG}').size() > 1", "C037", f"links.map(l, l + '{LONG}')", "one list"),
    ('text.matches("a{900}b{900}")', "C037", '"a{900}b{900}"', "lexicon"),
    ("meta.map(k, k).size() > 1", "C038", "meta.map(k, k)", "meta.get"),
]
UNREADABLE = [  # rule, what is underlined, a part of the message, a part of the help
    ("", "", "needs a condition", "text.says"),
    (" // nothing\n", " // nothing\n", "needs a condition", "text.says"),
    ("reach < 5 &&", "&&", "ends too early", "finish"),
    ("reach < 5 && // more", "&&", "ends too early", "finish"),
    ("(reach < 5", "(", "never closed", "`)`"),
    ("reach < 5)", ")", "unexpected `)`", "&&"),
    ("text.size(", "(", "never closed", "`)`"),
    ("is_reply and is_reply", "and", "unexpected `and`", "`&&`"),
    ("reach = 5", "=", "unexpected `=`", "`==`"),
    ("reach => 5", "=", "unexpected `=`", "`>=`"),
    ("reach <> 5", ">", "unexpected `>`", "`!=`"),
    ("reach ≥ 5", "≥", "unexpected `≥`", "`>=`"),
    ("text == “a”", "“", "unexpected `“`", "straight quotes"),
    ('text == "a', '"a', "not closed", 'closing "'),
    (r'text == "\q"', r'"\q"', "unknown escape", "backslash twice"),
    (r'text == "\ud800"', r'"\ud800"', "invalid escape", "Unicode"),
    ("reach > 9223372036854775808", "9223372036854775808", "too large", "smaller"),
    ("has(text)", "text", "`has`", "default"),
    ('meta.?a == ""', "meta", "optional", "meta.get"),
    ("if(is_reply)", "if", "reserved", "another name"),
    ('text == "\ud800"', "\ud800", "half of a character", "whole character"),
    ('text == "a"\0', "\0", "unexpected", "&&"),
]
FINE = [
    "links.size() > 3 && author.age < days(7)\n  || text.size() > 30 && author.copies(minutes(10)) >= 5",
    "reach * reach + links.size() * 2 - text.repeats() > -5",
    "-reach < 0 && reach / 7 > 3 && reach % -7 == 3",
    "!!is_reply && --reach == reach",
    "text.capitals() / 2.0 * 3.0 - meta.number('x') > 0.1",
    "days(1) + days(2) > author.age",
    'timestamp("2026-01-02T00:00:00Z") - timestamp("2026-01-01T00:00:00Z") < author.age',
    '(subject + text).matches(r"(?i)buy\\s+now")',
    'links.map(l, l.size() > 3, l + "x").filter(l, l.contains("a")).exists_one(l, true)',
    "links.exists(l, to.exists(t, t == l))",
    "links.exists(l, text.contains(l + subject)) && links.exists(l, ['a', 'b'].exists(x, l.contains(x)))",
    f"{FORTY}.exists(x, text.contains(x)) && {FORTY}.exists(x, {FORTY}.exists(y, subject == x + y))",
    "links.all(a, to.all(b, a != b && domains.exists(c, text.contains(c)) && text.matches('x')))",
    "(subject + ' ' + text + unquoted).contains('x') && links.map(l, l + l + 'x').exists(l, l in to)",
    "[1, 2, 3].exists(x, x * 2 == 4) && links + to != []",
    '"dkim" in meta && meta.get("dkim") in ["fail", "none"] && meta.exists(k, k.startsWith("x-"))',
    'sent.getHours("Europe/Berlin") < 6 || sent.getDayOfWeek("+02:00") == 0 || sent.getFullYear() > 2030',
    'author.age.getHours() > 3 && sent > timestamp("2026-01-01T00:00:00+02:00")',
    'author.breaches("spam", days(1)) + author.breaches(days(2)) + author.notices("own", days(3)) > 3',
    'domains.under("shops") || hashes.anyIn("virus") || text.saysAny("slurs") || language.speaks("de-AT")',
    'text.says("🍆") && unquoted.says("free mon*") && b"a" + b"b" == b"ab" && 5u + 3u > 1u',
    "share(links.size(), text.size()) > 0.1 && share(text.capitals(), 1.0) < 0.5",
    'author.age < duration("1h30m") && author.age < days(3650) && int("5") == 5 && string(5) == "5"',
    "text.copies(days(400)) > 1 && text.copies(seconds(1)) > 1",
]


def check(rule: str) -> CheckedRule:
    return check_rule(rule, NAMES)


def only(problems: tuple[RuleProblem, ...]) -> RuleProblem:
    (problem,) = problems
    return problem


@pytest.mark.parametrize(("rule", "code", "underlined", "mend"), REFUSED, ids=[rule[:60] for rule, *_ in REFUSED])
def test_what_could_fail_is_refused_where_it_could(rule: str, code: str, underlined: str, mend: str) -> None:
    checked = check(rule)
    problem = only(checked.problems)
    assert checked.expression is None
    assert (problem.code, rule[problem.span.start : problem.span.end]) == (code, underlined)
    assert mend in problem.help


@pytest.mark.parametrize(
    ("rule", "underlined", "words", "mend"), UNREADABLE, ids=[ascii(rule) for rule, *_ in UNREADABLE]
)
def test_a_syntax_error_is_said_in_plain_words(rule: str, underlined: str, words: str, mend: str) -> None:
    problem = only(check(rule).problems)
    assert (problem.code, rule[problem.span.start : problem.span.end]) == ("C010", underlined)
    assert words in problem.message
    assert mend in problem.help


@pytest.mark.parametrize("rule", FINE)
def test_what_cannot_fail_passes(rule: str) -> None:
    assert check(rule).problems == ()
    assert check(rule).expression is not None


def test_every_code_of_rules_is_shown_by_a_refused_rule() -> None:
    by_rules = {code for code in TITLES if "C010" <= code <= "C038"}
    by_whole_agreements = {"C032"}
    shown = {code for _, code, *_ in REFUSED} | {"C010", "C011"}
    assert shown == by_rules - by_whole_agreements


def test_all_problems_of_a_rule_are_reported_at_once_in_order() -> None:
    checked = check('autor.age < days(1) || text.size() > "30" || links[0] == "a" || text.says("")')
    assert [problem.code for problem in checked.problems] == ["C012", "C014", "C018", "C026"]


@pytest.mark.parametrize(
    "rule",
    [
        "author.breach(days(1)) > 2",
        "text.lower().contains(subject.upper) && links",
        'links.any(l, l.foo) == "a"',
        "a.b.c(d.e).f > 1",
        "type(1) == int",
    ],
)
def test_echoes_of_a_problem_are_left_out(rule: str) -> None:
    problems = check(rule).problems
    assert problems
    assert all("undeclared" not in problem.message for problem in problems)
    assert len({(problem.span.start, problem.span.end) for problem in problems}) == len(problems)


@pytest.mark.parametrize(
    "rule",
    [
        "(" * 33 + "true" + ")" * 33,
        "(" * 50_000 + ")" * 50_000,
        "[" * 99_999,
        " + ".join(["reach"] * 33) + " == 1",
        "is_reply ? true : " * 5_000 + "true",
        "text" + ".a" * 40_000,
        "".join(f"[1].exists(x{depth}, " for depth in range(40)) + "true" + ")" * 40,
        "true || " * 20_000,
        "a" * (1 << 20),
    ],
    ids=lambda rule: rule[:20],
)
def test_a_rule_too_deep_or_too_long_is_told_so(rule: str) -> None:
    assert only(check(rule).problems).code == "C011"


def test_long_chains_of_conditions_are_not_deep() -> None:
    assert check(" && ".join(["text.size() > 1"] * 500)).problems == ()


@pytest.mark.parametrize(
    ("rule", "reads_history", "is_conduct"),
    [
        ("text.size() > 3", False, False),
        ("author.age < days(1)", False, False),
        ("author.messages(days(1)) > 3", True, True),
        ('author.messages(days(1)) > 3 && author.age < days(1) && channel == "mail" && sent == sent', True, True),
        ("author.messages(days(1)) > 3 && text.size() > 1", True, False),
        ('author.total("bytes", days(1)) > 3.0', True, True),
        ('author.total("bytes", days(1)) > meta.number("bytes")', True, False),
        ("author.copies(days(1)) > 3", True, False),
        ("author.copies(days(1)) > 3 && author.messages(days(1)) > 9", True, False),
        ("text.copies(days(1)) > 3 || text.copiers(days(1)) > 2", True, False),
        ('author.same("x", days(1)) > 3', True, False),
        ('authors.same("x", days(1)) > 3', True, False),
        ("author.breaches(days(1)) > 3 || author.notices(days(1)) > 2", True, True),
        ("author.roles.exists(r, r == 'new') && author.recipients(days(1)) > 20", True, True),
    ],
)
def test_history_and_conduct_are_known(rule: str, reads_history: bool, is_conduct: bool) -> None:
    assert (check(rule).reads_history, check(rule).is_conduct) == (reads_history, is_conduct)


def test_the_clauses_whose_breaches_are_counted_are_known() -> None:
    named = check('author.breaches("spam", days(1)) > 1 && links.exists(l, author.breaches("flooding", days(1)) > 2)')
    assert named.counts_breaches_of == {"spam", "flooding"}
    assert not named.counts_all_breaches
    assert check("author.breaches(days(1)) > 1").counts_all_breaches
    assert check('author.notices("spam", days(1)) > 1').counts_breaches_of == frozenset()
