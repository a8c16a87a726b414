"""Draws rules over the whole rule language, and messages made of those rules' own literals with traps between them.

Everything is drawn from a `Random`: hypothesis hands in one that it can shrink, the search for planted faults a quick
one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

import msgspec

from comity.agreement.rules import Names, check_rule
from comity.engine.windows import Counted, Window, windows_of
from comity.model.agreement import Agreement, Lexicon, LexiconKind
from comity.model.clause import Clause, Decide, Never, Rule
from comity.model.duration import Duration, Unit
from comity.model.expression import Expression
from comity.model.ids import Channel, ClauseId, Digest
from comity.model.message import Message

CHANNELS: Final = (Channel("posts"), Channel("mail"))
IDS: Final = tuple(ClauseId(name) for name in ("first", "second", "third", "fourth", "fifth", "sixth", "seventh"))
LEXICONS: Final = {
    "slurs": Lexicon(
        name="slurs",
        kind=LexiconKind.PHRASES,
        entries=("free money", "Straße", "cock*", "色情", "爱porn", "e\u0301clair", "💩", "x1", "ΟΔΟΣ", "ไทย", "ıs"),
    ),
    "bad": Lexicon(name="bad", kind=LexiconKind.DOMAINS, entries=("casino.example", "BÜCHER.example", "example.org")),
    "known": Lexicon(name="known", kind=LexiconKind.EXACT, entries=("a", "free money", "ß", "")),
}

PHRASES: Final = ("free money", "money*", "x", "1", "色", "ßa", "o'clock", "İ", "σας", "a-b", "💩", "not*", "pa", "ﬁn")
PATTERNS: Final = (
    "^a",
    "b$",
    "a.b",
    r"\\d",
    r"\\w+\\s",
    r"\\bfree\\b",
    "(?i)straSSe|k",
    "[^x]",
    "a{2,3}",
    "(?m)^b$",
    "(?s)a.b",
    "^$",
    r"\\S\\z",
    "é|ß",
    r"\\pL{3}",
    "",
)
ATOMS: Final = (
    *("a", "b", "x", "free", "é", "ß", "k", "s", " ", "1", "-", ".", ".", "^", "$", "\\\\n", "\\\\.", "\\\\A", "\\\\z"),
    *(
        "\\\\d",
        "\\\\D",
        "\\\\w",
        "\\\\W",
        "\\\\s",
        "\\\\S",
        "\\\\b",
        "\\\\B",
        "\\\\pL",
        "\\\\PN",
        "\\\\x41",
        "\\\\x{e9}",
        "\\\\t",
    ),
    *(
        "[^x]",
        "[a-c]",
        "[\\\\s1]",
        "[^\\\\d\\\\s]",
        "[[:alpha:]]",
        "[^[:space:]]",
        "[-a]",
        "[]a]",
        "[^\\\\n]",
        "[K-k]",
        "[١é]",
    ),
    *("\\\\n", "\\\\nb", "a\\\\n", "\\\\bfree", "\\\\ba", "x\\\\b"),
    *("(?i:K)", "(?:ab|)", "(a|b$)", "(?s:.)", "(?m:^b)", "(?i)", "(?U)", "(?s)", "(?m)", "(?:^|\\\\s)", "(?:\\\\s|$)"),
)
"""Parts of drawn patterns."""

REPEATS: Final = ("", "", "", "", "*", "+", "?", "{2}", "{1,2}", "{0}", "{2,}", "*?", "+?", "??")
WORDS: Final = ("a", "b", "ab", "free", "money", "x", "", "é", "ß", "\\n", "1", "http", "casino.example", "I", "ı")
TRAPS: Final = (
    *("\n\n\n", "\n\n", "\n\n\n\n", "aaaa", "\v", "\x85", "k", "K", "A", "\r"),
    *(
        "\n",
        "\r\n",
        " ",
        "  ",
        "\t",
        "\u2028",
        "\x1c",
        "\x1f",
        "\u3000",
        "\u00a0",
        "\u200b",
        "\u00ad",
        "\ufeff",
    ),
    *(
        "١",
        "１",
        "²",
        "߁",
        "०",
        "Ⅳ",
        "ⅷ",
        "½",
        "а",
        "о",
        "Ѕ",
        "В",
        "α",
        "ο",
        "Ν",
        "ı",
        "İ",
        "ſ",
        "\u212a",
        "ß",
        "ẞ",
        "ς",
        "Σ",
    ),
    *(
        "ﬁ",
        "e\u0301",
        "\u0301",
        "É",
        "ǅ",
        "Ⓐ",
        "ª",
        "ʰ",
        "我",
        "々",
        "ー",
        "か\u3099",
        "ก",
        "ำ",
        "한",
        "\u1112\u1161",
        "💩",
        "\U0001d400",
    ),
    *(".", ",", "-", "_", "*", "'", "’", "·", "@bob", "@b@c.d", "#tag", "#1", "> ", "On x wrote:\n", ")", '"', "«"),
    *("http://casino.example/a", "HTTPS://u@WWW.Casino.Example.:80/x?y", "www.x.org", "http://xn--bcher-kva.example"),
    *("http://notcasino.example", "ftp://[::1]:2/", "http://"),
    *(
        "free",
        "money",
        "FREE",
        "cock",
        "pit",
        "Straße",
        "STRASSE",
        "色情",
        "爱porn",
        "ไทย",
        "éclair",
        "ΟΔΟΣ",
        "a",
        "b",
        "x",
        "1",
    ),
)
KEYS: Final = ("k", "n", "missing")
ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "+05:30", "-09:00")
TIMES: Final = (
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1, 1, 1, 0, 30, tzinfo=UTC),
    datetime(1883, 11, 18, 17, 0, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=UTC),
    datetime(2025, 3, 30, 0, 59, 59, 999999, tzinfo=UTC),
    datetime(2025, 3, 30, 1, tzinfo=UTC),
    datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
    datetime(2025, 10, 26, 1, 30, tzinfo=UTC),
    datetime(2026, 1, 1, 12, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 30, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
)
AGES: Final = (
    None,
    timedelta(),
    timedelta(days=1),
    timedelta(days=7),
    timedelta(hours=1, microseconds=-1),
    timedelta(days=7, microseconds=-1),
)
UNITS: Final = ("seconds", "minutes", "hours", "days")
GETTERS: Final = (
    *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
    *("getHours", "getMinutes", "getSeconds", "getMilliseconds"),
)


ORDER: Final = ("<", "<=", ">", ">=", "==", "!=")
STRINGS: Final = ("text", "text", "subject", "unquoted", "language", "channel", "edit_of")
LISTS: Final = (
    "links",
    "domains",
    "mentions",
    "hashtags",
    "to",
    "hashes",
    "attachments",
    "author.roles",
    "author.labels",
)
SHARES: Final = ("0.0", "0.1", "0.25", "0.3", "0.5", "0.51", "0.75", "1.0")
WINDOWS: Final = ("days(1)", "minutes(10)", "seconds(1)", 'duration("1h")')


def quoted(text: str) -> str:
    return f'"{text}"'


class Grammar:
    """One way through the rule language. `depth` is how deep a part may still go, `bound` what macros have bound."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.bound: list[str] = []

    def one(self, *options: str) -> str:
        return self.random.choice(options)

    def rule(self) -> str:
        return self.atom() if self.random.random() < 0.6 else self.bool(self.random.randint(1, 3))

    def atom(self) -> str:
        """A rule of one function or two. Its answer tells most values of the function apart."""
        depth, field = self.random.choice((0, 0, 1)), self.one("text", "text", "subject", "unquoted", 'meta.get("k")')
        match self.random.randrange(17):
            case 0 | 1 | 2 | 3 | 4:
                return self.search(depth)
            case 5:
                return self.quantified(1)
            case 6:
                return self.near(f"{field}.{self.one('size', 'repeats', 'repeats')}()")
            case 7:
                return self.near(f"{self.list(depth)}.size()")
            case 8:
                return self.near(self.history())
            case 9:
                return self.near(self.clock(depth))
            case 10:
                return self.near(f"({field}.size() - 5) {self.one('/', '%')} {self.one('2', '3', '-3')}")
            case 11:
                return f"{field}.capitals() {self.one(*ORDER)} {self.one(*SHARES)}"
            case 12:
                return f"share({self.int(depth)}, {self.int(depth)}) {self.one(*ORDER)} {self.one(*SHARES)}"
            case 13:
                number = f'meta.number("{self.one(*KEYS)}")'
                return f"{number} {self.one(*ORDER)} {self.one('0.0', '1.0', '7.0', '-2.5')}"
            case 14:
                beyond = f'meta.number("n") * 1e308 * {self.one("10.0", "-10.0", "0.5")}'
                return f"({beyond} - {beyond}) in [({beyond} - {beyond}), {self.double(depth)}]"
            case 15:
                return f"{self.duration(depth)} {self.one(*ORDER)} {self.duration(depth)}"
            case _:
                return f"{self.string(depth)} {self.one(*ORDER)} {self.string(depth)}"

    def alike(self, count: int) -> list[str]:
        """Rules that differ in what they compare with alone."""
        sign, depth = self.one(" && ", " || "), self.random.choice((0, 1))
        made = [[self.search(0)] * count if self.random.random() < 0.3 else self.compared(count) for _ in range(2)]
        if depth:
            other = self.one(" && ", " || ")
            made[0] = [f"({other.join(two)})" for two in zip(made[0], self.compared(count), strict=True)]
        return [sign.join(terms) for terms in zip(*made[: self.random.choice((1, 2, 2))], strict=True)]

    def compared(self, count: int) -> list[str]:
        """One value compared in one way with several constants."""
        field, unit = self.one("text", "text", "subject", "unquoted"), self.one(*UNITS)
        numbers = [str(self.random.choice((0, 1, 2, 3, 7, self.random.randrange(-1, 40)))) for _ in range(count)]
        shares = [self.one(*SHARES, "2.0") for _ in range(count)]
        value, limits = self.random.choice(
            (
                (f"{field}.size()", numbers),
                (f"{self.one(*LISTS)}.size()", numbers),
                (self.history(), numbers),
                (f"{field}.repeats()", numbers),
                (self.int(1), numbers),
                (f"{field}.capitals()", shares),
                (self.double(1), shares),
                ("author.age", [f"{unit}({number})" for number in numbers]),
                ("sent", [f'timestamp("{self.random.choice(TIMES).isoformat()}")' for _ in range(count)]),
            )
        )
        sign = self.one(*ORDER[:4], *ORDER)
        return [f"{value} {sign} {limit}" for limit in limits]

    def near(self, source: str) -> str:
        """Whether a number is one of half of those near zero."""
        return f"{source} in {sorted(self.random.sample(range(-4, 62), 30))}"

    def bool(self, depth: int) -> str:
        if depth <= 0:
            return self.one(self.search(0), "true", "false", "is_reply", "reach > 1")
        inner = depth - 1
        match self.random.randrange(14):
            case 0:
                return f"!{self.bool(inner)}"
            case 1 | 2:
                sign = self.one(" && ", " || ")
                return f"({sign.join(self.bool(inner) for _ in range(self.random.randint(2, 3)))})"
            case 3:
                return f"({self.bool(inner)} ? {self.bool(inner)} : {self.bool(inner)})"
            case 4 | 5 | 6 | 7:
                kind = self.random.choice((self.bool, self.int, self.int, self.double, self.string, self.list))
                signs = ORDER if kind not in (self.list, self.bool) else ("==", "!=")
                return f"({kind(inner)} {self.one(*signs)} {kind(inner)})"
            case 8:
                kind = self.random.choice((self.duration, self.timestamp, self.doubles))
                signs = ORDER if kind != self.doubles else ("==", "!=")
                return f"({kind(inner)} {self.one(*signs)} {kind(inner)})"
            case 9:
                return f"({self.string(inner)} in {self.list(inner)})"
            case 10:
                return f"({self.int(inner)} in [{self.int(inner)}, 1, 2])"
            case 11:
                return f"({self.double(inner)} in {self.doubles(inner)})"
            case 12:
                return f'("{self.one(*KEYS)}" in meta)'
            case _:
                return self.quantified(inner)

    def quantified(self, depth: int) -> str:
        name = self.one("v0", "v1")
        return f"{self.list(depth)}.{self.one('exists', 'all', 'exists_one')}({name}, {self.body(name, depth)})"

    def body(self, name: str, depth: int) -> str:
        self.bound.append(name)
        tests = (f"{name} {self.one(*ORDER)} {self.string(0)}", f"{name}.size() > 1", self.search(0))
        made = self.one(*tests) if self.random.random() < 0.7 else self.bool(depth)
        self.bound.pop()
        return made

    def search(self, depth: int) -> str:
        field = self.one("text", "text", "subject", "unquoted", self.string(min(depth, 1)))
        match self.random.randrange(8):
            case 0 | 1:
                return f"{field}.says({quoted(self.one(*PHRASES))})"
            case 2:
                return f'{field}.saysAny("slurs")'
            case 3 | 4:
                return f"{field}.matches({quoted(self.pattern())})"
            case 5:
                test = self.one("contains", "startsWith", "endsWith")
                return f"{field}.{test}({self.one(*map(quoted, WORDS), self.string(0))})"
            case 6:
                lists = self.one("hashes", "to", "hashtags", "author.roles")
                return self.one(f'{self.one("domains", "links", "to")}.under("bad")', f'{lists}.anyIn("known")')
            case _:
                return f'language.speaks("{self.one("de", "en", "EN-us", "und")}")'

    def pattern(self) -> str:
        """One of the known patterns, or of parts put together; the checker refuses what RE2 does."""
        if self.random.random() < 0.4:
            return self.one(*PATTERNS)
        parts = [self.one(*ATOMS) + self.one(*REPEATS) for _ in range(self.random.randint(1, 4))]
        return self.one("", "", "", "^") + self.one("", "", "|").join(parts) + self.one("", "", "", "$")

    def int(self, depth: int) -> str:
        if depth <= 0:
            return self.one(
                "0", "1", "2", "3", "7", "-1", "23", "reach", "text.size()", "links.size()", "text.repeats()"
            )
        inner = depth - 1
        match self.random.randrange(9):
            case 0:
                return f"{self.string(inner)}.{self.one('size', 'repeats')}()"
            case 1:
                return f"size({self.list(inner)})"
            case 2:
                return self.history()
            case 3:
                return self.clock(inner)
            case 4:
                return f"({self.int(inner)} {self.one('+', '-', '*')} {self.int(inner)})"
            case 5:
                return f"(-{self.int(inner)})"
            case 6:
                return f"({self.int(inner)} {self.one('/', '%')} {self.one('2', '3', '-3', '7')})"
            case 7:
                return f"({self.bool(inner)} ? {self.int(inner)} : {self.int(inner)})"
            case _:
                return f"({self.list(inner)}.map(v0, v0.size()) + [1]).filter(v1, v1 > {self.one('0', '1')}).size()"

    def clock(self, depth: int) -> str:
        if self.random.random() < 0.3:
            return f"{self.duration(depth)}.{self.one(*GETTERS[6:])}()"
        return f"{self.timestamp(depth)}.{self.one(*GETTERS)}({self.one('', *map(quoted, ZONES))})"

    def history(self) -> str:
        window, key, clause = self.one(*WINDOWS), self.one(*KEYS), self.one(*IDS)
        return self.one(
            f"author.messages({window})",
            f"author.copies({window})",
            f"text.copies({window})",
            f"text.copiers({window})",
            f"author.recipients({window})",
            f'author.same("{key}", {window})',
            f'authors.same("{key}", {window})',
            f"author.breaches({window})",
            f'author.breaches("{clause}", {window})',
            f"author.notices({window})",
            f'author.notices("{clause}", {window})',
        )

    def double(self, depth: int) -> str:
        if depth <= 0:
            return self.one("0.0", "0.5", "1.0", "-1.5", "1e308", "0.1", "-0.0", "text.capitals()", 'meta.number("n")')
        inner = depth - 1
        match self.random.randrange(7):
            case 0:
                return f"{self.string(inner)}.capitals()"
            case 1:
                kind = self.random.choice((self.int, self.double))
                return f"share({kind(inner)}, {kind(inner)})"
            case 2:
                return f'author.total("{self.one(*KEYS)}", days(1))'
            case 3:
                return f"({self.double(inner)} {self.one('+', '-', '*')} {self.double(inner)})"
            case 4:
                return f"({self.double(inner)} / {self.one('2.0', '-0.5', '3.0')})"
            case 5:
                return f"(-{self.double(inner)})"
            case _:
                return f"({self.bool(inner)} ? {self.double(inner)} : {self.double(inner)})"

    def string(self, depth: int) -> str:
        if depth <= 0 or self.random.random() < 0.4:
            return self.one(*STRINGS, *map(quoted, WORDS), *(self.bound * 8))
        inner = depth - 1
        match self.random.randrange(3):
            case 0:
                return f'meta.get("{self.one(*KEYS)}")'
            case 1:
                return f"({self.string(inner)} + {self.string(inner)})"
            case _:
                return f"({self.bool(inner)} ? {self.string(inner)} : {self.string(inner)})"

    def list(self, depth: int) -> str:
        if depth <= 0 or self.random.random() < 0.3:
            return self.one(*LISTS)
        inner = depth - 1
        match self.random.randrange(5):
            case 0:
                return f"[{self.string(inner)}, {self.string(inner)}]"
            case 1:
                return f"({self.list(inner)} + {self.list(inner)})"
            case 2:
                return f"{self.list(inner)}.filter(v0, {self.body('v0', inner)})"
            case 3:
                return f"{self.list(inner)}.map(v1, v1 + {self.string(inner)})"
            case _:
                return f"{self.list(inner)}.map(v0, {self.body('v0', inner)}, v0 + {self.string(inner)})"

    def doubles(self, depth: int) -> str:
        return f"[{self.double(depth - 1)}, {self.double(depth - 1)}]"

    def duration(self, depth: int) -> str:
        literal = f"{self.one(*UNITS)}({self.one('0', '1', '7', '59', '60')})"
        simple = self.one(literal, "author.age", 'duration("-90.5s")', 'duration("1h")')
        if depth <= 0:
            return simple
        match self.random.randrange(4):
            case 0:
                return f'(sent - timestamp("{self.random.choice(TIMES).isoformat()}"))'
            case 1:
                return f"({literal} {self.one('+', '-')} {self.one(*WINDOWS)})"
            case 2:
                return f"({self.bool(depth - 1)} ? {self.duration(depth - 1)} : {literal})"
            case _:
                return simple

    def timestamp(self, depth: int) -> str:
        del depth
        return self.one("sent", "sent", f'timestamp("{self.random.choice(TIMES).isoformat()}")')


@dataclass(frozen=True, slots=True)
class Case:
    """A version with the messages that its own literals suggest, and counts for each."""

    agreement: Agreement
    messages: tuple[tuple[Message, dict[Window, int | float]], ...]

    def __repr__(self) -> str:
        rules = {clause.id: clause.rule.source for clause in self.agreement.clauses if clause.rule}
        return f"Case({rules}, {self.messages})"


def agreement_of(rules: dict[ClauseId, str], lexicons: Mapping[str, Lexicon] = LEXICONS) -> Agreement:
    """An agreement of those rules; those that the checker refuses (unbounded sums, their own breaches) are left out."""
    checked = {}
    for own, source in rules.items():
        names = Names(
            lexicons={name: lexicon.kind for name, lexicon in lexicons.items()}, clauses=frozenset(rules), own=own
        )
        found = check_rule(source, names).expression
        if found is not None:
            checked[own] = found
    return _agreement(rules, checked, lexicons)


def _agreement(
    rules: dict[ClauseId, str], checked: dict[ClauseId, Expression], lexicons: Mapping[str, Lexicon]
) -> Agreement:
    month = Duration(count=1, unit=Unit.MONTH)
    return Agreement(
        digest=Digest("sha256:" + "0" * 64),
        title="Drawn",
        language="en",
        channels=CHANNELS,
        contact="",
        appeal_window=None,
        decide_within=month,
        review_within=month,
        points_expire=Never(),
        lateness=Duration(count=1, unit=Unit.HOUR),
        accepted_by_going_on=None,
        clauses=tuple(_clause(own, source, checked[own]) for own, source in rules.items() if own in checked),
        ladders={},
        lexicons=dict(lexicons),
        conditions={},
        translations={},
        files=(),
    )


def _clause(own: ClauseId, source: str, expression: Expression) -> Clause:
    return Clause(
        id=own,
        title=own,
        prose="",
        line=1,
        parent=None,
        rule=Rule(source=source, expression=expression, line=1, reads_history=False, is_conduct=False),
        decide=Decide.AUTO,
        points=1,
        expires=Never(),
        once=None,
        ladders=(),
        category=None,
        channels=frozenset(CHANNELS if own != "second" else CHANNELS[:1]),
        examples=(),
    )


def texts(random: Random) -> str:
    return "".join(
        random.choice(TRAPS) * random.choice((1, 1, 1, 1, 3)) for _ in range(random.choice((0, 1, 1, 2, 2, 3, 6)))
    )


def message(random: Random) -> Message:
    """A message of the literals that rules look for, in all of its fields."""
    sent, age = random.choice(TIMES), random.choice(AGES)

    def entries(*options: str) -> tuple[str, ...]:
        return tuple(random.choice(options) for _ in range(random.randint(0, 3)))

    def words() -> tuple[str, ...]:
        return entries(
            "a", "b", "free money", "ß", "", "Casino.Example:80", "x.casino.example", "notcasino.example", "#Tag"
        )

    def maybe(given: object) -> object:
        return given if random.random() < 0.3 else None

    numbers = ("", "1", "-2.5", "1e400", "nan", "x", "٣", " 7 ", "1_0", "aaa", "Ab\n\n\n")
    return msgspec.convert(
        {
            "id": "m",
            "author": "a",
            "channel": random.choice((*CHANNELS, *CHANNELS, Channel("elsewhere"))),
            "text": texts(random),
            "sent": sent,
            "subject": texts(random),
            "unquoted": maybe(texts(random)),
            "language": random.choice(("und", "de", "en-US", "en_us", "eng", "DE")),
            "links": maybe(entries("http://casino.example/", "a", "")),
            "domains": maybe(words()),
            "mentions": maybe(words()),
            "hashtags": maybe(words()),
            "to": words(),
            "hashes": words(),
            "reach": random.choice((0, 1, 2, 5, 2**31, 2**40, -1)),
            "is_reply": random.random() < 0.5,
            "edit_of": random.choice(("", "a")),
            "meta": {key: random.choice(numbers) for key in entries("k", "n")},
            "author_created": None if age is None or sent.year == 1 else sent - age,
            "author_roles": words(),
        },
        Message,
    )


def case(random: Random) -> Case:
    """A version of several rules, and messages with counts for all of its windows."""
    agreement = agreement_of({own: Grammar(random).rule() for own in IDS})
    needs = windows_of(agreement)
    drawn = [
        (message(random), {window: _count(random, window) for window in needs}) for _ in range(random.randint(1, 6))
    ]
    return Case(agreement, tuple(drawn))


def _count(random: Random, window: Window) -> int | float:
    if window.counted is Counted.TOTAL:
        return random.choice((0.0, 1.0, 0.1, -1.5, 1e308))
    return random.choice((0, 1, 2, 3, 5, 7, 23))
