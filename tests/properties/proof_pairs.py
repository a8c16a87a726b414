"""Pairs of rules, one the other with something changed, and messages with the counts of a history that happened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

import msgspec
from engine_grammar import IDS, ORDER, PATTERNS, PHRASES, Grammar, agreement_of, message

from comity.engine.history import History
from comity.engine.trace import Tracer
from comity.engine.windows import Window
from comity.model.agreement import Agreement
from comity.model.ids import AccountId, ClauseId
from comity.model.message import Message

OWN = IDS[0]
WINDOWS = ("seconds(1)", "minutes(10)", "days(1)")
PARTS = ("a", "ab", "b", "aa", "x", "free", "fre", "")
NEAR = {
    "says": ("free money", "money", "free", "mon", "mon*", "money*", "fre*", "x", "x1", "pa", "cock", "ree"),
    "matches": (
        *("^a", "(?m)^a") * 12,
        *(
            "^a",
            "a$",
            "a",
            "ab",
            "^ab$",
            "(?m)^a",
            "(?m)a$",
            "^a$",
            "(?m)^a$",
            r"\\ba",
            r"a\\b",
            "a.b",
            "(?s)a.b",
            "[ab]+",
        ),
        *("a{2}", "aa", "^$", r"\\s", r"\\S", r"\\d", "[0-9]", "(?i)k", "k", "(?i)free", "free|money", "^[^a]*$"),
    ),
    "contains": PARTS,
    "startsWith": PARTS,
    "endsWith": PARTS,
}
"""Words of calls that say something about each other."""
NUMBER = re.compile(r"(?<![\w.\"])-?\d+(?![\w.\"])")
WORDS = (
    "a",
    "b",
    "ab",
    "aa",
    "free",
    "fre",
    "money",
    "mon",
    "x",
    "x1",
    "k",
    "K",
    "1",
    " ",
    " ",
    "\n",
    "free money",
    "é",
)
LITERAL = re.compile(r'"[^"\\]*"')
COMPARISON = re.compile(r" (<=|>=|==|!=|<|>) ")
LATENESS = timedelta(hours=1)


def pair(random: Random, about: str = "") -> tuple[Agreement, Agreement] | None:
    """Two versions of one clause that the checker accepts; None if it refuses one.

    With `about`, rules near each other that both have a match of that pattern; None if those drawn have not.
    """
    old, new = _near(random) if about or random.random() < 0.5 else _far(random)
    if about and len(re.findall(about, f"{old} {new}")) < 2:
        return None
    rules = ({**dict.fromkeys(IDS[1:], "true"), OWN: rule} for rule in (old, new))
    versions = tuple(map(agreement_of, rules))
    if any(ClauseId(OWN) not in {clause.id for clause in version.clauses} for version in versions):
        return None
    return versions[0], versions[1]


def _near(random: Random) -> tuple[str, str]:
    """Rules of two atoms about the same, one of which may follow from the other."""
    alike = partial(_of_texts, call=random.choice(tuple(NEAR)))
    family = random.choice((alike, alike, _of_texts, _of_numbers, _of_windows, _of_lists, _of_languages, _of_doubles))
    subject = random.choice(("text", "subject", 'meta.get("k")'))
    one, other = family(random, subject), family(random, subject)
    forms = (
        (one, other),
        (f"!({one})", other),
        (f"{one} && !({other})", "false"),
        (f"{one} && {other}", one),
        (one, f"{one} || {other}"),
    )
    return random.choice(forms)


def _of_texts(random: Random, subject: str, call: str = "") -> str:
    call = call or random.choice(tuple(NEAR))
    made = f'{subject}.{call}("{random.choice(NEAR[call])}")'
    others = (
        f'{subject}.saysAny("slurs")',
        f'{subject} == "{random.choice(PARTS)}"',
        f'{subject} < "{random.choice(PARTS)}"',
    )
    return random.choice((made, made, made, random.choice(others), _of_numbers(random, subject)))


def _of_numbers(random: Random, subject: str) -> str:
    value = random.choice((f"{subject}.size()", f"({subject}.size() - 5)", f"{subject}.repeats()", "(-reach)"))
    divided = random.choice(("", "", " / 2", " / -3", " % 3", " % -2"))
    return f"{value}{divided} {random.choice(ORDER)} {random.randint(-2, 5)}"


def _of_windows(random: Random, subject: str) -> str:
    del subject
    window, clause = random.choice(WINDOWS), random.choice(IDS[1:3])
    calls = (
        *(f"{name}({window})" for name in ("author.messages", "author.copies", "text.copies", "text.copiers")),
        *(f"{name}({window})" for name in ("author.recipients", "author.breaches", "author.notices")),
        *(f'{name}("k", {window})' for name in ("author.same", "authors.same")),
        *(f'{name}("{clause}", {window})' for name in ("author.breaches", "author.notices")),
    )
    return f"{random.choice(calls)} {random.choice(ORDER)} {random.randint(0, 3)}"


def _of_lists(random: Random, subject: str) -> str:
    del subject
    test = random.choice(('v == "a"', 'v != "a"', 'v.startsWith("b")', "v.size() > 1", 'v.contains("a")', 'v < "b"'))
    made = f"to.{random.choice(('exists', 'exists', 'all', 'exists_one'))}(v, {test})"
    filtered = f"to.filter(v, {test}).size() {random.choice(ORDER)} {random.randint(0, 2)}"
    others = (
        '"a" in to',
        'to.anyIn("known")',
        'to.under("bad")',
        f"to.size() {random.choice(ORDER)} {random.randint(0, 2)}",
    )
    return random.choice((made, made, filtered, random.choice(others)))


def _of_languages(random: Random, subject: str) -> str:
    del subject
    tag = random.choice(("de", "en", "en-US", "EN", "und"))
    return random.choice((f'language.speaks("{tag}")', f'language.speaks("{tag}")', f'language == "{tag}"'))


def _of_doubles(random: Random, subject: str) -> str:
    number, beyond = 'meta.number("n")', 'meta.number("n") * 1e308 * 10.0'
    values = (
        *(number, *(f"({beyond} - {beyond})",) * 3, f"({beyond})", f"-{number}", f"{subject}.capitals()"),
        *(f"share({subject}.size(), 3)", "share(reach, to.size())"),
    )
    return f"{random.choice(values)} {random.choice(ORDER)} {random.choice(('0.0', '0.5', '1.0', '-2.5', '0.3'))}"


def _far(random: Random) -> tuple[str, str]:
    """A rule from the whole language, and what an author might have made of it."""
    old = _conjoined(random, Grammar(random).rule())
    return old, changed(random, old)


def _conjoined(random: Random, rule: str) -> str:
    """Often a rule of two parts: they may say something about each other."""
    sign = random.choice(("&&", "||", ""))
    return f"({rule}) {sign} ({Grammar(random).atom()})" if sign else rule


def changed(random: Random, rule: str) -> str:
    """The rule with one thing changed, as an author would change it, or a part more or less."""
    match random.randrange(9):
        case 0 | 1:
            return _with_one(random, NUMBER, rule, lambda found: str(int(found) + random.choice((-1, 1, 2, 7))))
        case 2 | 3:
            return _with_one(random, COMPARISON, rule, lambda _: f" {random.choice(ORDER)} ")
        case 4:
            words = (*PHRASES, *PATTERNS, "a", "ab", "free", "money", "x", "casino.example", "")
            return _with_one(random, LITERAL, rule, lambda _: f'"{random.choice(words)}"')
        case 5:
            return rule.replace("&&", "||", 1) if "&&" in rule else rule.replace("||", "&&", 1)
        case 6:
            return f"{rule} {random.choice(('&&', '||'))} {Grammar(random).atom()}"
        case 7:
            swaps = (("exists(", "all("), ("exists_one(", "exists("), ("contains", "startsWith"), ("minutes", "days"))
            one, other = random.choice(swaps)
            return rule.replace(one, other, 1) if one in rule else rule.replace(other, one, 1)
        case _:
            return Grammar(random).rule()


def _with_one(random: Random, what: re.Pattern[str], rule: str, new: object) -> str:
    places = list(what.finditer(rule))
    if not places or not callable(new):
        return rule
    place = random.choice(places)
    return f"{rule[: place.start()]}{new(place[0].strip())}{rule[place.end() :]}"


def judged(
    random: Random, windows: tuple[Window, ...], times: int
) -> Iterator[tuple[Message, dict[Window, int | float]]]:
    """Messages in the order in which they came, each with what its windows count."""
    history, tracer = History(windows, lateness=LATENESS), Tracer(windows, key=b"0" * 32)
    texts = [message(random).text for _ in range(2)]
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for _ in range(times):
        drawn = _in_few_words(random, message(random))
        if windows:
            at += random.choice(
                (timedelta(), timedelta(seconds=1), timedelta(minutes=9), -timedelta(hours=2), timedelta(days=1))
            )
            text = random.choice((*texts, drawn.text))
            drawn = msgspec.structs.replace(drawn, author=AccountId(random.choice("aab")), sent=at, text=text)
            _something_happened(random, history, at)
        counts, _ = history.take(tracer.trace(drawn))
        yield drawn, dict(counts)


def _in_few_words(random: Random, drawn: Message) -> Message:
    """Often the message with short texts of what rules near each other look for."""
    if random.random() < 0.3:
        return drawn

    def words() -> str:
        return "".join(random.choice(WORDS) for _ in range(random.choice((0, 1, 1, 2, 2, 3))))

    language = random.choice(("de", "de-AT", "en", "en_us", "und", drawn.language))
    to = tuple(random.choice(("a", "b", "ab", "ba", "")) for _ in range(random.choice((0, 1, 1, 2, 2, 3))))
    fields = {"text": words(), "subject": words(), "language": language, "to": to, "meta": {**drawn.meta, "k": words()}}
    return msgspec.structs.replace(drawn, **fields)


def _something_happened(random: Random, history: History, at: datetime) -> None:
    if random.random() < 0.5:
        happened = random.choice((history.breach, history.notice))
        happened(
            AccountId(random.choice("ab")), random.choice(IDS), at - random.choice((timedelta(), timedelta(hours=1)))
        )
