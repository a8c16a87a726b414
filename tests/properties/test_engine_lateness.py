"""What comes out of order within the lateness is counted as if in order; one wrong clock makes nobody late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from test_engine_history import KEY, LATENESS, SPANS, START, WINDOWS, Counts, step

from comity.engine.history import History
from comity.engine.lateness import Newest, believed
from comity.engine.trace import Tracer
from comity.model.ids import MessageId
from comity.model.message import Message

seeds = st.integers(0, 2**32).map(Random)
ONLY = tuple(window for window in WINDOWS if window.counted.includes_this_message)
FAR = timedelta(days=30_000)


def message(random: Random) -> Message:
    while not isinstance(drawn := step(random), Message):
        pass
    return drawn


def stream(random: Random, count: int) -> list[Message]:
    """In order of time, a second or so apart, never two at one moment."""
    at, messages = START, list[Message]()
    for number in range(count):
        at += timedelta(milliseconds=random.choice((1, 400, 1000, 2500)))
        messages.append(msgspec.structs.replace(message(random), id=MessageId(str(number)), sent=at))
    return messages


def counted(taken: Sequence[Message]) -> dict[str, tuple[Counts, bool]]:
    tracer, history = Tracer(ONLY, key=KEY), History(ONLY, lateness=LATENESS)
    answers = {}
    for one in taken:
        counts, late = history.take(tracer.trace(one))
        answers[one.id] = (dict(counts), late)
    return answers


@given(seeds, st.integers(2, 40))
def test_what_comes_last_counts_all_that_came_before_in_any_order_within_the_lateness(
    random: Random, count: int
) -> None:
    messages = stream(random, count)
    shuffled = sorted(messages[:-1], key=lambda one: one.sent + LATENESS * random.random())
    assert counted([*shuffled, messages[-1]])[messages[-1].id] == counted(messages)[messages[-1].id]


@given(seeds, st.integers(2, 40))
def test_out_of_order_within_the_lateness_nothing_is_late(random: Random, count: int) -> None:
    messages = stream(random, count)
    shuffled = sorted(messages, key=lambda one: one.sent + LATENESS * random.random())
    assert not any(late for _, late in counted(shuffled).values())


@given(seeds, st.integers(1, 60))
def test_what_is_not_late_has_whole_windows(random: Random, count: int) -> None:
    """Though of what was forgotten nothing is known: the windows are those of a history that forgets nothing."""
    taken = [msgspec.structs.replace(message(random), id=MessageId(str(number))) for number in range(count)]
    tracer, patient = Tracer(ONLY, key=KEY), History(ONLY, lateness=FAR)
    for one, (counts, late) in zip(taken, counted(taken).values(), strict=True):
        whole, _ = patient.take(tracer.trace(one))
        assert late or counts == whole


@given(seeds, st.integers(3, 40))
def test_one_message_from_a_wrong_clock_makes_no_other_late_and_empties_no_window(random: Random, count: int) -> None:
    messages = stream(random, count)
    place = random.randrange(1, count)
    wrong = msgspec.structs.replace(messages[0], id=MessageId("wrong"), sent=START + FAR)
    found = counted([*messages[:place], wrong, *messages[place:]])
    del found["wrong"]
    assert found == counted(messages)


def test_two_that_agree_on_a_later_time_are_believed() -> None:
    newest = Newest(lateness=10)
    assert [(newest.take(at), newest.at) for at in (100, 105, 1000, 106, 1001, 1002, 500)] == [
        (False, -(2**61)),
        (False, 105),
        (False, 105),
        (False, 106),
        (False, 106),
        (False, 1002),
        (True, 1002),
    ]


def test_a_clock_is_believed_as_far_ahead_as_the_lateness() -> None:
    taken, lateness = START, SPANS[2]
    assert believed(taken - FAR, taken, lateness) == taken - FAR
    assert believed(taken + lateness, taken, lateness) == taken + lateness
    assert believed(taken + lateness + timedelta(microseconds=1), taken, lateness) == taken


def test_a_trace_is_dated_as_its_message_unless_its_clock_is_not_believed() -> None:
    tracer, one = Tracer(ONLY, key=KEY), message(Random(1))
    assert tracer.trace(one).sent == one.sent
    assert tracer.trace(one, sent=START).sent == START
