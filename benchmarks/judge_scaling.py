"""How the time for a message grows: with clauses, with the length of a lexicon, with the message, and with cores.

Messages are the posts of `twenty`; times are processor time, the best of several runs, taken in turns.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import twenty
from comity.engine import Plan, plan
from comity.model.message import Message
from common import part, report

COUNT = 3_000
RUNS = 5
LISTS = ("scams", "insults", "drugs")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def times(made: dict[str, Plan], messages: Sequence[Message]) -> dict[str, tuple[float, float]]:
    """Microseconds a message, one by one and in batches."""
    best = {name: (float("inf"), float("inf")) for name in made}
    for each in made.values():
        each.breached_batch(messages[:10])  # databases are made on first use
        each.breached_bits(messages[0], {})
    for _ in range(RUNS):
        for name, each in made.items():
            start = time.process_time()
            for message in messages:
                each.breached_bits(message, {})
            middle = time.process_time()
            each.breached_batch(messages)
            end = time.process_time()
            best[name] = min(best[name][0], middle - start), min(best[name][1], end - middle)
    return {name: tuple(took / len(messages) * 1e6 for took in both) for name, both in best.items()}  # type: ignore[misc]


def invented(chance: random.Random) -> str:
    return "".join(chance.choices(LETTERS, k=chance.randint(5, 10)))


def clauses(count: int) -> tuple[str, ...]:
    """The twenty, and as many more of the same kinds with other words, numbers and patterns."""
    chance = random.Random(count)
    kinds = (
        lambda: f'text.says("{invented(chance)} {invented(chance)}") && links.size() > 0',
        lambda: (
            f'text.saysAny("{chance.choice(("scams", "insults", "drugs"))}") && text.size() > {chance.randrange(500)}'
        ),
        lambda: f'text.matches("{invented(chance)}[0-9]+") && author.age < days({chance.randint(1, 90)})',
        lambda: f"links.size() > {chance.randint(3, 30)} && author.age < days({chance.randint(1, 90)})",
        lambda: f"text.capitals() > 0.{chance.randint(70, 99)} && text.size() > {chance.randint(20, 90)}",
        lambda: f"hashtags.size() > {chance.randint(3, 30)} || text.size() > {chance.randint(3_000, 9_000)}",
        lambda: f'"{invented(chance)}" in author.labels && mentions.size() > {chance.randint(1, 9)}',
        lambda: f'text.says("{invented(chance)}") || text.says("{invented(chance)} {invented(chance)}")',
    )
    return (*twenty.RULES, *(kinds[number % len(kinds)]() for number in range(count - len(twenty.RULES))))


def with_lexicon(count: int) -> Plan:
    chance = random.Random(1)
    entries = [
        invented(chance) if chance.random() < 0.6 else f"{invented(chance)} {invented(chance)}" for _ in range(count)
    ]
    twenty.LEXICONS["many"] = tuple(entries)
    made = plan(twenty.agreement(('text.saysAny("many")',)))
    del twenty.LEXICONS["many"]
    return made


def of_cores(messages: list[Message], workers: int) -> float:
    """Messages a second in all processes together, each with the whole work."""
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(judged, [messages[:10]] * workers))
        start = time.perf_counter()
        list(pool.map(judged, [messages] * workers))
        return workers * len(messages) / (time.perf_counter() - start)


PLANS: dict[str, Plan] = {}


def judged(messages: list[Message]) -> int:
    made = PLANS.setdefault("twenty", plan(twenty.agreement())) if "twenty" not in PLANS else PLANS["twenty"]
    return sum(1 for bits in made.breached_batch(messages) if bits)


def grown(name: str, took: dict[str, tuple[float, float]], target: str) -> tuple[float, float]:
    for size, (single, batched) in took.items():
        part(f"{name} {size}, one by one", single, "us a message")
        part(f"{name} {size}, in batches", batched, "us a message")
    (first, first_batched), *_, (last, last_batched) = took.values()
    part(f"growth with {name}, one by one", last / first, "x", target=target)
    part(f"growth with {name}, in batches", last_batched / first_batched, "x", target=target)
    return last / first, last_batched / first_batched


def main() -> None:
    posts = twenty.messages(COUNT)
    for words in (10, 40, 160, 640):
        kind = twenty.Kind(median=words, spread=0.0)
        messages = twenty.messages(COUNT // 4, kind=kind)
        single, batched = times({"": plan(twenty.agreement())}, messages)[""]
        part(f"messages of {words} words, one by one", single, "us a message")
        part(f"messages of {words} words, in batches", batched, "us a message")
    for workers in sorted({1, os.cpu_count() or 1}):
        part(f"processes {workers}", of_cores(posts * 10, workers) / 1000, "k messages/s")
    grown("phrases", times({str(count): with_lexicon(count) for count in (100, 1_000, 10_000)}, posts), "<= 2 x")
    made = {str(count): plan(twenty.agreement(clauses(count))) for count in (20, 100, 500)}
    worst = max(grown("clauses", times(made, posts), "<= 3 x"))
    report(worst, "x", target="<= 3 x")


if __name__ == "__main__":
    main()
