"""Twenty clauses, message by message and in batches, beside a function written by hand and beside other rule engines.

All sides give the same answers on every message, or the benchmark stops. Sides take turns, several times over, and the
best time of each counts: processor time, since other programs may run. What a side remembers is made anew each time,
and the garbage collector rests meanwhile.
The closing line is the ratio for one message at a time, windows left out.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module

import by_hand
import engines
import twenty
from comity.engine import History, Plan, Tracer, plan
from comity.engine.batch import Batch
from comity.model.message import Message
from common import expect, part, report

COUNT = 4_000
SLOW_COUNT = 1_000
BATCH = 1_024
RUNS = 7
LATENESS = timedelta(hours=1)

Answers = list[int]
Side = Callable[[Sequence[Message]], Answers]


def forget() -> None:
    """What folding remembers of texts."""
    names = {
        "fold": ("_known_fold", "_known_piece", "_known_chunk", "_known_seen"),
        "folded": ("folded_piece",),
        "words": ("_known_words_alone", "_known_words_folded", "_known_among", "_words_of_piece"),
    }
    for module, caches in names.items():
        for cache in caches:
            getattr(import_module(f"comity.engine.{module}"), cache).cache_clear()


def microseconds(sides: Mapping[str, Side], messages: Sequence[Message]) -> dict[str, float]:
    """For one message, on each side; stops the benchmark where answers differ."""
    best = dict.fromkeys(sides, float("inf"))
    expected: Answers | None = None
    for _ in range(RUNS):
        for name, side in sides.items():
            forget()
            with without_garbage():
                start = time.process_time()
                answers = side(messages)
                best[name] = min(best[name], time.process_time() - start)
            expected = answers if expected is None else expected
            expect(answers == expected, name)
    return {name: took / len(messages) * 1e6 for name, took in best.items()}


@contextmanager
def without_garbage() -> Iterator[None]:
    """As `timeit` measures: the collector comes by chance, to this side or that, and goes through what others left."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def by_hand_all(messages: Sequence[Message]) -> Answers:
    return [by_hand.judge(message) for message in messages]


def by_hand_with_windows(messages: Sequence[Message]) -> Answers:
    return list(map(by_hand.judge_with_windows(), messages))


def one_by_one(made: Plan) -> Side:
    return lambda messages: [made.breached_bits(message, {}) for message in messages]


def in_batches(made: Plan) -> Side:
    return lambda messages: [bits for some in batches(messages) for bits in made.breached_batch(some)]


def with_evidence(made: Plan) -> Side:
    numbers = {clause: number for number, clause in enumerate(made.rules)}
    return lambda messages: [
        sum(1 << numbers[finding.clause] for finding in findings)
        for some in batches(messages)
        for findings in made.judge_batch(some)
    ]


def one_by_one_with_windows(made: Plan) -> Side:
    def judge(messages: Sequence[Message]) -> Answers:
        tracer, history = Tracer(made.needs, key=None), History(made.needs, lateness=LATENESS)
        return [made.breached_bits(message, history.take(tracer.trace(message))[0]) for message in messages]

    return judge


def in_batches_with_windows(made: Plan) -> Side:
    def judge(messages: Sequence[Message]) -> Answers:
        tracer, history = Tracer(made.needs, key=None), History(made.needs, lateness=LATENESS)
        return [
            bits
            for some in map(Batch, batches(messages))
            for bits in made.breached_batch(some, history.take_all(tracer.traces(some))[0])
        ]

    return judge


def batches(messages: Sequence[Message]) -> list[Sequence[Message]]:
    return [messages[start : start + BATCH] for start in range(0, len(messages), BATCH)]


def compare(name: str, messages: Sequence[Message], sides: Mapping[str, Side]) -> list[float]:
    """How many times as fast as the first side each of the others is."""
    took = microseconds(sides, messages)
    for side, of in took.items():
        part(f"{name}, {side}", of, "us a message")
    first, *others = took.values()
    return [first / of for of in others]


def others(made: Plan) -> None:
    """Other engines, each beside the plan one by one."""
    messages = twenty.messages(SLOW_COUNT)
    for name, make in (
        ("CEL's own evaluator", engines.cel_evaluator),
        ("rule-engine", engines.rule_engine),
        ("cedarpy", engines.cedar),
        ("regopy", engines.rego),
    ):
        try:
            judge = make()
        except ImportError as error:
            print(f"{name}: left out, {error}")
            continue
        sides = {"one by one": one_by_one(made), name: lambda some, judge=judge: list(map(judge, some))}
        took = microseconds({"by hand": by_hand_all, **sides}, messages)
        part(name, took[name], "us a message")
        part(f"{name} : one by one", took[name] / took["one by one"], "x")


plain = plan(twenty.agreement())
sides = {"by hand": by_hand_all, "one by one": one_by_one(plain), "in batches": in_batches(plain)}
for kind, name in ((twenty.CHAT, "chat"), (twenty.MAILS, "mails")):
    single, batched = compare(name, twenty.messages(COUNT // 2, kind=kind), sides)
    part(f"{name}, by hand : one by one", single, "x")
    part(f"{name}, by hand : in batches", batched, "x")
windowed = plan(twenty.agreement(twenty.WITH_WINDOWS))
breaching = sum(map(bool, by_hand_with_windows(twenty.messages(COUNT)))) / COUNT
print(f"posts with two windows: {breaching:.1%} of the messages breach, most of them by how often their author writes")
single, batched = compare(
    "posts with two windows",
    twenty.messages(COUNT),
    {
        "by hand": by_hand_with_windows,
        "one by one": one_by_one_with_windows(windowed),
        "in batches": in_batches_with_windows(windowed),
    },
)
part("posts with two windows, by hand : one by one", single, "x", target=">= 10 x")
part("posts with two windows, by hand : in batches", batched, "x", target=">= 20 x")
posts = twenty.messages(COUNT)
size = statistics.mean(len(message.text) for message in posts)
breaching = sum(map(bool, by_hand_all(posts))) / COUNT
print(f"posts: {size:.0f} characters on average, {breaching:.1%} of the messages breach")
single, batched, _ = compare("posts", posts, {**sides, "in batches with evidence": with_evidence(plain)})
part("posts, by hand : in batches", batched, "x", target=">= 20 x")
others(plain)  # last, since what they leave in memory would slow down what comes after them
report(single, "x", target=">= 10 x")
