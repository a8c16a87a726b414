"""Streams of messages for drawn versions, each judged in every way there is and in a plain one, which must agree.

Rules are drawn over the whole language; texts are made of the rules' own literals with traps between them; times tie,
stand exactly at the edges of windows, come out of order, late, or from a wrong clock. A *case* is one rule, one message
and all ways of judging it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pyarrow as pa
from engine_grammar import IDS, LEXICONS, TRAPS, Grammar, agreement_of, message

from comity.engine.columns import Column
from comity.engine.fold import fold
from comity.engine.history import History
from comity.engine.lookalikes import ASCII, FOREIGN
from comity.engine.plan import plan
from comity.engine.reference import Reference
from comity.engine.trace import Tracer
from comity.engine.windows import Counted, Window, windows_of
from comity.engine.words import occurrences, phrase
from comity.flow.backtest import Backtest
from comity.flow.features import Columns
from comity.flow.finder import Finder
from comity.flow.judge import Judging
from comity.flow.rows import Rows, rows_of
from comity.intake.archives import read_archives
from comity.intake.columns import check
from comity.intake.plain import plain_rows
from comity.intake.records import Origin
from comity.model.agreement import Agreement, Lexicon, LexiconKind
from comity.model.clause import Decide
from comity.model.finding import Finding, Passage
from comity.model.ids import ClauseId
from comity.model.message import Message

SIZE: Final = 40
STARTS: Final = (datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(1969, 12, 31, 23, tzinfo=UTC))
LATENESS: Final = timedelta(hours=1)
MICROSECOND: Final = timedelta(microseconds=1)
LENGTHS: Final = (timedelta(seconds=1), timedelta(minutes=10), timedelta(hours=1), timedelta(days=1))
STEPS: Final = (timedelta(), *LENGTHS, *(s + MICROSECOND for s in LENGTHS), *(s - MICROSECOND for s in LENGTHS))
KEY: Final = b"0123456789abcdef"
_LITERAL: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')

_SAID: Final = re.compile(r'\.says\("([^"]*)"\)$')

_LOOKALIKES: Final = dict(zip(map(ord, FOREIGN), ASCII, strict=True))

Findings = tuple[Finding, ...]
Clauses = frozenset[ClauseId]


@dataclass(frozen=True, slots=True)
class Stream:
    """A version, and messages in intake order."""

    agreement: Agreement
    messages: tuple[Message, ...]

    @property
    def cases(self) -> int:
        return len(self.messages) * len(self.agreement.clauses)


def stream(random: Random, size: int = SIZE, *, has_alike: bool = False) -> Stream:
    """`has_alike`: three of the rules differ in their numbers alone."""
    agreement = _version(random, has_alike=has_alike)
    pieces = _pieces(agreement)
    texts = [_text(random, pieces) for _ in range(random.choice((2, 6, 20)))]
    sent = random.choice(STARTS)
    is_filed = random.random() < 0.5
    has_nul = random.random() < 0.05
    messages = []
    for number in range(size):
        sent += random.choice(STEPS)
        back = random.choice((timedelta(),) * 12 + STEPS)
        drawn = message(random)
        text = random.choice((*texts, drawn.text)) + ("\0" if has_nul and random.random() < 0.5 else "")
        drawn = _changed(
            drawn,
            id=str(number),
            author=random.choice("aaab"),
            text=text,
            sent=sent - back + (timedelta(days=3650) if random.random() < 0.01 else timedelta()),
            subject=random.choice((drawn.subject, *texts)),
        )
        messages.append(_storable(drawn) if is_filed else drawn)
    return Stream(agreement, tuple(messages))


def _changed(drawn: Message, **changes: object) -> Message:
    """With `author_created` as long before `sent` as drawn."""
    age = None if drawn.author_created is None else drawn.sent - drawn.author_created
    made = msgspec.structs.replace(drawn, **changes)
    return msgspec.structs.replace(made, author_created=None if age is None else made.sent - age)


def _storable(drawn: Message) -> Message:
    """What archives have columns for, as they give it back."""
    reach = min(max(drawn.reach, 0), 2**31)
    tags = None if drawn.hashtags is None else tuple(tag.removeprefix("#").lower() for tag in drawn.hashtags)
    names = None if drawn.mentions is None else tuple(name.removeprefix("@").lower() for name in drawn.mentions)
    return msgspec.structs.replace(
        drawn, source="f", unquoted=None, domains=None, reach=reach, hashtags=tags, mentions=names
    )


def _version(random: Random, *, has_alike: bool) -> Agreement:
    """Seven rules; lexicons of the usual entries or of others; now and then a clause that only counts."""
    slurs = tuple(random.choice(TRAPS) + random.choice((" ", "", "*")) + random.choice(TRAPS) for _ in range(6))
    phrases = Lexicon(name="slurs", kind=LexiconKind.PHRASES, entries=slurs)
    lexicons = LEXICONS if random.random() < 0.5 else {**LEXICONS, "slurs": phrases}
    rules = {own: Grammar(random).rule() for own in IDS}
    if has_alike:
        rules |= zip(IDS, Grammar(random).alike(3), strict=False)
    drawn = agreement_of(rules, lexicons)
    clauses = tuple(
        dataclasses.replace(clause, decide=random.choice((Decide.AUTO, Decide.AUTO, Decide.SHADOW)))
        for clause in drawn.clauses
    )
    return dataclasses.replace(drawn, clauses=clauses)


def _pieces(agreement: Agreement) -> tuple[str, ...]:
    """What the rules look for, and lexicons, in other cases and with what hides it."""
    sources = [clause.rule.source for clause in agreement.clauses if clause.rule]
    found = [literal for source in sources for literal in _LITERAL.findall(source)]
    literals = [part for literal in found for part in re.split(r"[\\\[\](){}|?+^$]+", literal) if part]
    literals += agreement.lexicons["slurs"].entries
    return tuple(dict.fromkeys(literals)) or ("a",)


def _text(random: Random, pieces: Sequence[str]) -> str:
    parts = [
        _disguised(random, random.choice(pieces)) if random.random() < 0.5 else random.choice(TRAPS)
        for _ in range(random.choice((1, 2, 3, 4, 8)))
    ]
    return random.choice(("", "", " ")).join(parts) + random.choice(("", "", "", "\n"))


def _disguised(random: Random, piece: str) -> str:
    match random.randrange(8):
        case 0:
            return piece.upper()
        case 1:
            return piece.title()
        case 2:
            cut = random.randrange(len(piece) + 1)
            return piece[:cut] + random.choice(("\u200b", "\n", " ", "\u00ad", "\u0301", ".", "\t ")) + piece[cut:]
        case 3:
            return piece.translate({ord("a"): "а", ord("o"): "ο", ord("e"): "е", ord("1"): "１", ord("s"): "ſ"})
        case 4:
            return piece * 2
        case _:
            return piece


def expected(made: Stream) -> list[frozenset[ClauseId]] | None:
    """What the reference says, with windows counted plainly; None where it cannot judge (NUL)."""
    if any("\0" in one.text or "\0" in one.subject for one in made.messages):
        return None
    reference, windows = Reference(made.agreement), windows_of(made.agreement)
    automatic = {clause.id for clause in made.agreement.clauses if clause.decide is Decide.AUTO}
    past, answers, newest = _Past(), list[frozenset[ClauseId]](), _Newest()
    for one in made.messages:
        newest.take(one.sent)
        floor = newest.at - max((w.within for w in windows), default=timedelta()) - LATENESS if newest.at else None
        past.begin(one)
        breached = reference.breached(one, {window: past.count(window, one, floor) for window in windows})
        past.breaches += [(one.author, clause, one.sent) for clause in breached & automatic]
        answers.append(breached)
    return answers


class _Newest:
    """How far time has come: one message that is dated ahead of the others says nothing until another agrees."""

    at: datetime | None = None
    claimed: datetime | None = None

    def take(self, sent: datetime) -> None:
        if self.at is not None and sent < self.at - LATENESS:
            return
        is_ahead = self.at is None or sent > self.at + LATENESS
        if is_ahead and self.claimed is not None and sent >= self.claimed - LATENESS:
            self.at = min(self.claimed, sent)
        if self.at is None or sent > self.at + LATENESS:
            self.claimed = sent
        else:
            self.at, self.claimed = max(self.at, sent), None


class _Past:
    """All that was taken in, looked through from the start for every count."""

    def __init__(self) -> None:
        self.messages: list[tuple[Message, str]] = []
        self.breaches: list[tuple[str, ClauseId, datetime]] = []

    def begin(self, one: Message) -> None:
        self.messages.append((one, fold(one.text)))

    def count(self, window: Window, one: Message, floor: datetime | None) -> int | float:
        after = one.sent - window.within
        after = after if floor is None else max(after, floor)
        if window.counted is Counted.BREACHES:
            own = [clause for author, clause, at in self.breaches if author == one.author and at > after]
            return sum(window.key in ("", clause) and clause != window.besides for clause in own)
        known = [pair for pair in self.messages[:-1] if after < pair[0].sent <= one.sent] + [self.messages[-1]]
        return self._tally(window, one, known)

    def _tally(self, window: Window, one: Message, known: Sequence[tuple[Message, str]]) -> int | float:
        own = [pair for pair in known if pair[0].author == one.author]
        folded, value = self.messages[-1][1], one.meta.get(window.key, "")
        match window.counted:
            case Counted.MESSAGES:
                return len(own)
            case Counted.COPIES:
                return sum(text == folded for _, text in own)
            case Counted.TEXT_COPIES:
                return sum(text == folded for _, text in known)
            case Counted.TEXT_COPIERS:
                return len({m.author for m, text in known if text == folded})
            case Counted.RECIPIENTS:
                return len({to for m, _ in own for to in m.to})
            case Counted.TOTAL:
                return _total(m.meta.get(window.key, "") for m, _ in own)
            case Counted.SAME:
                return sum(m.meta.get(window.key) == value for m, _ in own) if value else 0
            case Counted.AUTHORS_SAME:
                return len({m.author for m, _ in known if m.meta.get(window.key) == value}) if value else 0
            case _:
                return 0


_NUMBERS: Final[Mapping[str, Fraction]] = {"1": Fraction(1), "-2.5": Fraction(-5, 2), " 7 ": Fraction(7)}
"""What the drawn values of `meta` mean; the others mean 0."""


def _total(values: Iterator[str]) -> float:
    return float(sum((_NUMBERS.get(value, Fraction(0)) for value in values), Fraction(0)))


def single(made: Stream) -> list[Findings]:
    """Message by message, as `comity judge` does."""
    judging = Judging(made.agreement)
    return [judging.judge(one) for one in made.messages]


def batch(made: Stream) -> list[Findings]:
    """In two parts, with rows of counts; one by one where windows count breaches."""
    planned = plan(made.agreement)
    tracer, history = Tracer(planned.needs, key=KEY), History(planned.needs, lateness=LATENESS)
    automatic = {clause.id for clause in made.agreement.clauses if clause.decide is Decide.AUTO}
    is_alone = not all(window.counted.includes_this_message for window in planned.needs)
    found: list[Findings] = []
    for part in [[one] for one in made.messages] if is_alone else (made.messages[:13], made.messages[13:]):
        counted = [history.take(tracer.trace(one)) for one in part]
        found += planned.judge_batch(part, [counts for counts, _ in counted], [late for _, late in counted])
        for finding in found[-1] if is_alone else ():
            if finding.clause in automatic:
                history.breach(part[0].author, finding.clause, part[0].sent)
    return found


def in_turns(made: Stream) -> list[Findings]:
    """In parts, some of them of one message, by one and the same history, as `Agreement.judge_batch` does."""
    judging = Judging(made.agreement)
    found = [finding for part in (made.messages[:9], made.messages[9:10]) for finding in judging.judge_batch(part)]
    found += map(judging.judge, made.messages[10:13])
    return found + judging.judge_batch(made.messages[13:])


def through_file(made: Stream, write: Callable[[Path, Sequence[Message]], Path], folder: Path) -> list[Findings]:
    """Written to an archive, read through the intake, and judged in batches."""
    file = write(folder / "archive", made.messages)
    batches = list(read_archives([str(file)], source="f"))
    read = tuple(message for one in batches for message in one.messages)
    if len(read) != len(made.messages):
        raise AssertionError(f"not read: {[reject for one in batches for reject in one.rejects][:1]}")
    return batch(Stream(made.agreement, read))


class Part:
    """A part's columns in memory."""

    def __init__(self, found: Columns, size: int) -> None:
        self._columns = found
        self.size = size

    def __contains__(self, key: str) -> bool:
        return key in self._columns

    def __getitem__(self, key: str) -> Column:
        return self._columns[key]

    def keep(self, columns: Mapping[str, Column]) -> None:
        self._columns |= columns

    def forget(self) -> None:
        """All of it stays."""


Reading = Callable[[Sequence[Message], bool], Rows]
"""Messages as rows; whether their times are asked for."""


def as_they_are(messages: Sequence[Message], _: bool) -> Rows:
    return rows_of(messages)


def over_columns(made: Stream, read: Reading, parts: Sequence[slice] = (slice(13), slice(13, None))) -> list[Clauses]:
    """As `comity backtest` does, part by part; `CycleError` for versions that the checker refuses."""
    backtest = Backtest(made.agreement, None, archive="a")
    finder = Finder(backtest.asked, key=KEY)
    found: list[Clauses] = []
    for number, part in enumerate(parts):
        some = made.messages[part]
        columns = finder.find(read(some, finder.needs_times)) if some else finder.find(rows_of(()))
        judged = backtest.take(Part(columns, len(some)), number, lambda some=some: some)[0]
        breaches = [(clause, of.tolist()) for clause, of in judged.breaches.items()]
        found += [frozenset(clause for clause, of in breaches if of[row]) for row in range(len(some))]
    return found


def bare(one: Message) -> Message:
    """With those fields alone that quick reading of archives knows."""
    return Message(
        id=one.id,
        author=one.author,
        channel=one.channel,
        text=one.text,
        sent=one.sent,
        subject=one.subject,
        author_created=one.author_created,
    )


def from_arrow(messages: Sequence[Message], with_times: bool) -> Rows:
    """Bare messages as a batch of Parquet comes, each string in a dictionary once, and read quickly."""
    times = pa.timestamp("us", "UTC")
    kinds = {"sent": times, "author_created": times}
    names = ("id", "author", "channel", "text", "subject", "sent", "author_created")
    arrays = {name: pa.array([getattr(one, name) for one in messages], kinds.get(name, pa.string())) for name in names}
    batch = pa.record_batch({name: of if name in kinds else of.dictionary_encode() for name, of in arrays.items()})
    origin = Origin(source="f", name="f", columns=check({}))
    rows = plain_rows(batch, {name: name for name in names}, origin, with_times=with_times)
    if rows is None:
        raise AssertionError("not read quickly")
    return rows


def stray(one: Message, findings: Findings) -> bool:
    """Whether a passage points outside the message, or to where the phrase that it names does not stand."""
    passages = [each for finding in findings for each in finding.evidence if isinstance(each, Passage)]
    fields = {"text": one.text, "subject": one.subject, "unquoted": one.unquoted or ""}
    return any(_is_stray(each, fields[each.field]) for each in passages)


def _is_stray(passage: Passage, text: str) -> bool:
    if not 0 <= passage.start < passage.end <= len(text):
        return True
    said = _SAID.search(passage.why)
    wanted = phrase(_seen(said[1].replace("\\n", "\n"))) if said else None
    return wanted is not None and not any(occurrences(wanted, _seen(text[passage.start : passage.end])))


def _seen(text: str) -> str:
    """Folded, and all look-alikes mapped: which of them are depends on the whole word, and a passage may be a part."""
    return fold(fold(text).translate(_LOOKALIKES))
