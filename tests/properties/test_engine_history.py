"""Windows are exact: whatever the order, ties and lateness, they count what a slow and plain oracle counts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from importlib import import_module
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.engine.history import History
from comity.engine.trace import Trace, Tracer
from comity.engine.windows import Counted, Window
from comity.model.ids import AccountId, Channel, ClauseId, MessageId
from comity.model.message import Message

tallies = import_module("comity.engine.tallies")
START = datetime(2026, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(1971, 1, 1, tzinfo=UTC)
KEY = b"0123456789abcdef"
SPANS = tuple(timedelta(seconds=seconds) for seconds in (1, 3, 10))
LATENESS = timedelta(seconds=4)
WINDOWS = tuple(
    Window(counted=counted, within=within, key=key, besides=besides)
    for within in SPANS
    for counted, key, besides in (
        (Counted.MESSAGES, "", ""),
        (Counted.COPIES, "", ""),
        (Counted.TEXT_COPIES, "", ""),
        (Counted.TEXT_COPIERS, "", ""),
        (Counted.RECIPIENTS, "", ""),
        (Counted.TOTAL, "n", ""),
        (Counted.SAME, "k", ""),
        (Counted.AUTHORS_SAME, "k", ""),
        (Counted.BREACHES, "", "spam"),
        (Counted.BREACHES, "spam", ""),
        (Counted.NOTICES, "", ""),
        (Counted.NOTICES, "spam", ""),
    )
)


@dataclass(frozen=True, slots=True)
class Event:
    """A breach or a notice."""

    counted: Counted
    account: AccountId
    clause: ClauseId
    at: datetime


Step = Message | Event
Counts = dict[Window, int | float]


def step(random: Random) -> Step:
    at = START + timedelta(seconds=random.choice((0, 1, 1, 2, 3, 4, 5, 9, 10, 11, 15)) + random.choice((0, 0, 60)))
    at += timedelta(microseconds=random.choice((0, 0, 0, 1)))
    account = AccountId(random.choice("abc"))
    if random.random() < 0.2:
        counted = random.choice((Counted.BREACHES, Counted.NOTICES))
        return Event(counted, account, ClauseId(random.choice(("spam", "slurs"))), at)
    return Message(
        id=MessageId("m"),
        author=account,
        channel=Channel("posts"),
        text=random.choice(("hello", "HELLO ", "other", "")),
        sent=at,
        to=tuple(random.choice("xyz") for _ in range(random.randint(0, 3))),
        meta={"k": random.choice(("", "1", "2")), "n": random.choice(("0.1", "0.2", "-1e300", "1e300", "1e308", "x"))},
    )


def steps(random: Random, count: int) -> list[Step]:
    return [step(random) for _ in range(count)]


def counted_by_history(taken: Sequence[Step]) -> list[tuple[Counts, bool]]:
    tracer, history, answers = Tracer(WINDOWS, key=KEY), History(WINDOWS, lateness=LATENESS), []
    for one in taken:
        match one:
            case Message():
                counts, late = history.take(tracer.decode(tracer.encode(tracer.trace(one))))
                answers.append((dict(counts), late))
            case Event(counted=Counted.BREACHES):
                history.breach(one.account, one.clause, one.at)
            case Event():
                history.notice(one.account, one.clause, one.at)
    return answers


def counted_plainly(taken: Sequence[Step]) -> list[tuple[Counts, bool]]:
    answers = []
    for index, one in enumerate(taken):
        if isinstance(one, Message):
            sent = [each.sent for each in taken[: index + 1] if isinstance(each, Message)]
            before, newest = plain_newest(sent[:-1]), plain_newest(sent)
            floor = (newest or LONG_AGO) - max(SPANS) - LATENESS
            counts = {window: plain_count(window, one, taken[:index], floor) for window in WINDOWS}
            answers.append((counts, before is not None and one.sent < before - LATENESS))
    return answers


def plain_newest(sent: Sequence[datetime]) -> datetime | None:
    """How far time has come: one message that is dated ahead of the others says nothing until another agrees."""
    newest, claimed = None, None
    for at in sent:
        if newest is not None and at < newest - LATENESS:
            continue
        if (newest is None or at > newest + LATENESS) and claimed is not None and at >= claimed - LATENESS:
            newest = min(claimed, at)
        if newest is None or at > newest + LATENESS:
            claimed = at
        else:
            newest, claimed = max(newest, at), None
    return newest


def plain_count(window: Window, one: Message, before: Sequence[Step], floor: datetime) -> int | float:
    after = max(one.sent - window.within, floor)
    if window.counted in (Counted.BREACHES, Counted.NOTICES):
        events = [e for e in before if isinstance(e, Event) and e.counted is window.counted and e.account == one.author]
        return sum(
            e.at > after and window.key in ("", e.clause) and e.clause != (window.besides or None) for e in events
        )
    known = [m for m in before if isinstance(m, Message) and after < m.sent <= one.sent]
    return plain_tally(window, one, [*known, one])


def plain_tally(window: Window, one: Message, known: Sequence[Message]) -> int | float:
    own = [m for m in known if m.author == one.author]
    alike = [m for m in known if m.text.lower().split() == one.text.lower().split() and len(m.text) == len(one.text)]
    value = one.meta.get(window.key)
    match window.counted:
        case Counted.MESSAGES:
            return len(own)
        case Counted.COPIES:
            return len([m for m in alike if m.author == one.author])
        case Counted.TEXT_COPIES:
            return len(alike)
        case Counted.TEXT_COPIERS:
            return len({m.author for m in alike})
        case Counted.RECIPIENTS:
            return len({to for m in own for to in m.to})
        case Counted.TOTAL:
            return total(m.meta[window.key] for m in own)
        case Counted.SAME:
            return len([m for m in own if m.meta[window.key] == value]) if value else 0
        case _:
            return len({m.author for m in known if m.meta[window.key] == value}) if value else 0


def total(written: Iterable[str]) -> float:
    """The correctly rounded sum; infinite where no double can hold it."""
    exact = sum((Fraction(float(number)) for number in written if number != "x"), Fraction())
    try:
        return float(exact)
    except OverflowError:
        return float("inf") if exact > 0 else float("-inf")


@settings(max_examples=2 * settings().max_examples)
@given(st.randoms(use_true_random=False), st.integers(1, 14))
def test_windows_count_what_the_oracle_counts(random: Random, count: int) -> None:
    taken = steps(random, count)
    assert counted_by_history(taken) == counted_plainly(taken)


def test_windows_count_what_the_oracle_counts_in_long_runs() -> None:
    for seed in range(2 * settings().max_examples):
        taken = steps(Random(seed), 60)
        assert counted_by_history(taken) == counted_plainly(taken), f"seed {seed}"


@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_what_a_message_would_count_is_what_it_then_counts_and_asking_changes_nothing(random: Random, n: int) -> None:
    tracer, history = Tracer(WINDOWS, key=KEY), History(WINDOWS, lateness=LATENESS)
    for one in steps(random, n):
        match one:
            case Message():
                trace, before = tracer.trace(one), history.snapshot()
                told = history.would_take(trace)
                assert history.snapshot() == before
                assert told == history.take(trace)
            case Event():
                history.breach(one.account, one.clause, one.at)


def counted_in_turns(random: Random, taken: Sequence[Step]) -> list[tuple[Counts, bool]]:
    """Messages in a row, between events, are sometimes taken together."""
    tracer, history = Tracer(WINDOWS, key=KEY), History(WINDOWS, lateness=LATENESS)
    answers: list[tuple[Counts, bool]] = []
    for is_message, some in itertools.groupby(taken, lambda one: isinstance(one, Message)):
        if not is_message:
            for event in some:
                tell = history.breach if event.counted is Counted.BREACHES else history.notice
                tell(event.account, event.clause, event.at)
            continue
        messages = list(some)
        alone = random.randrange(len(messages) + 1)
        answers += [(dict(counts), late) for counts, late in map(history.take, map(tracer.trace, messages[:alone]))]
        columns, late = history.take_all(tracer.traces(messages[alone:]))
        rows = [{window: of[row] for window, of in columns.items()} for row in range(len(late))]
        answers += zip(rows, late, strict=True)
    return answers


@given(st.randoms(use_true_random=False), st.integers(1, 14))
def test_many_at_once_count_what_they_count_in_turn(random: Random, count: int) -> None:
    taken = steps(random, count)
    assert counted_in_turns(random, taken) == counted_by_history(taken)


def test_they_do_in_long_runs() -> None:
    for seed in range(settings().max_examples):
        taken = steps(Random(seed), 60)
        assert counted_in_turns(Random(seed), taken) == counted_by_history(taken), f"seed {seed}"


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "an edge that belongs to both sides": lambda patch: patch.setattr(tallies, "bisect_right", tallies.bisect_left),
    "sums that round on the way": lambda patch: patch.setattr(tallies, "_SCALE", 2**20),
    "entries put at the end": lambda patch: patch.setattr(tallies, "_insert", lambda times, at: times.append(at)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[name](monkeypatch)
    runs = (steps(Random(seed), 60) for seed in range(50))
    assert any(counted_by_history(taken) != counted_plainly(taken) for taken in runs)


@pytest.mark.parametrize("together", [1, 50])
def test_memory_holds_no_more_than_the_widest_window_and_the_lateness(together: int) -> None:
    tracer, history = Tracer(WINDOWS, key=KEY), History(WINDOWS, lateness=LATENESS)
    sizes = []
    for first in range(0, 4000, together):
        messages = list(map(_message, range(first, first + together)))
        if together == 1:
            history.take(tracer.trace(messages[0]))
        else:
            history.take_all(tracer.traces(messages))
        for message in messages:
            history.breach(message.author, ClauseId("spam"), message.sent)
        sizes.append(len(history))
    half = len(sizes) // 2
    assert max(sizes[half:]) <= 1.05 * max(sizes[:half])
    assert max(sizes) < 1000


def _message(number: int) -> Message:
    return Message(
        id=MessageId(str(number)),
        author=AccountId(f"a{number % 7 if number % 2 else number}"),
        channel=Channel("posts"),
        text=f"text {number}",
        sent=START + timedelta(seconds=number),
        to=(f"to {number}",),
        meta={"k": str(number), "n": "1"},
    )


def test_a_trace_tells_nothing_that_can_be_read() -> None:
    message = Message(
        id=MessageId("m"),
        author=AccountId("a"),
        channel=Channel("posts"),
        text="a secret text",
        sent=START,
        to=("somebody@example.org",),
        meta={"k": "a secret value", "other": "never asked for"},
    )
    tracer = Tracer(WINDOWS, key=KEY)
    kept = tracer.encode(tracer.trace(message))
    assert not any(word in kept for word in (b"secret", b"somebody", b"never", b"other"))
    assert tracer.decode(kept) == tracer.trace(message)
    assert Tracer(WINDOWS, key=b"another key, 16+").trace(message).text != tracer.trace(message).text


def test_a_trace_keeps_nothing_that_no_window_needs() -> None:
    message = Message(
        id=MessageId("m"), author=AccountId("a"), channel=Channel("posts"), text="x", sent=START, to=("y",)
    )
    only = [Window(counted=Counted.MESSAGES, within=SPANS[0])]
    assert Tracer(only, key=KEY).trace(message) == Trace(author=AccountId("a"), sent=START)


def test_texts_stand_for_the_same_alone_and_together() -> None:
    """Also where a hash ends in zeros, as a few of so many do."""
    some = [
        Message(id=MessageId("m"), author=AccountId("a"), channel=Channel("posts"), text=f"é{n}  B", sent=START)
        for n in range(2000)
    ]
    for key in (KEY, None):
        tracer = Tracer(WINDOWS, key=key)
        assert tracer.traces(some).texts == [tracer.trace(one).text for one in some]
