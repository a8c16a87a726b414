"""The law for columns: what a backtest finds over columns is what judging message by message finds, in any parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from graphlib import CycleError
from itertools import pairwise
from random import Random

import msgspec
import numpy as np
import pytest
from engine_grammar import IDS, Grammar, agreement_of, message
from engine_streams import Part
from hypothesis import settings

from comity.engine import columns, leaves
from comity.flow.backtest import Backtest
from comity.flow.finder import Finder
from comity.flow.judge import Judging
from comity.flow.rows import rows_of
from comity.model.agreement import Agreement
from comity.model.clause import Decide
from comity.model.message import Message

START = datetime(2026, 1, 1, tzinfo=UTC)
KEY = b"0123456789abcdef"
BULK = settings().max_examples


def stream(random: Random, count: int) -> list[Message]:
    """Messages of a few accounts, close together in time, now and then out of order or late."""
    sent, messages = START, []
    for number in range(count):
        sent += timedelta(seconds=random.choice((0, 0, 1, 30, 600)))
        back = timedelta(hours=random.choice((0,) * 8 + (1, 2, 40)), microseconds=random.choice((0, 1)))
        drawn = messages[-1] if messages and random.random() < 0.3 else message(random)
        changes = {"id": str(number), "author": random.choice("abc"), "sent": sent - back}
        messages.append(msgspec.structs.replace(drawn, **changes))
    return messages


def version(random: Random) -> Agreement:
    """A drawn version; sometimes one of its clauses is shadowed, so that it counts for nobody."""
    drawn = agreement_of({own: Grammar(random).rule() for own in IDS})
    clauses = tuple(
        dataclasses.replace(clause, decide=random.choice((Decide.AUTO, Decide.AUTO, Decide.SHADOW)))
        for clause in drawn.clauses
    )
    return dataclasses.replace(drawn, clauses=clauses)


def found_one_by_one(agreement: Agreement, messages: Sequence[Message]) -> list[set[str]]:
    judging = Judging(agreement)
    return [{finding.clause for finding in judging.judge(message)} for message in messages]


def found_over_columns(
    agreement: Agreement, messages: Sequence[Message], cuts: Sequence[int], other: Agreement | None = None
) -> list[set[str]]:
    backtest = Backtest(agreement, other, archive="a")
    finder = Finder(backtest.asked, key=KEY)
    found: list[set[str]] = []
    for number, (start, end) in enumerate(pairwise(cuts)):
        some = messages[start:end]
        judged = backtest.take(Part(finder.find(rows_of(some)), len(some)), number, lambda some=some: some)[0]
        found += [{c for c, breached in judged.breaches.items() if breached[row]} for row in range(len(some))]
    return found


def differences(seed: int) -> list[str]:
    random = Random(seed)
    agreement, other, messages = version(random), version(random), stream(random, 24)
    inner = sorted(random.sample(range(len(messages)), random.randint(0, 3)))
    try:
        by_columns = found_over_columns(agreement, messages, [0, *inner, len(messages)], random.choice((None, other)))
    except CycleError:
        return []  # the checker refuses such versions
    pairs = zip(messages, found_one_by_one(agreement, messages), by_columns, strict=True)
    return [f"{message!r}: {one} but {other}" for message, one, other in pairs if one != other]


@pytest.mark.parametrize("part", range(2))
def test_columns_say_what_judging_says(part: int) -> None:
    for seed in range(part * BULK, (part + 1) * BULK):
        assert differences(seed) == [], f"seed {seed}"


def test_the_law_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, fault in (("_<=_", np.less), ("_>_", np.greater_equal), ("!_", np.logical_and)):
        with monkeypatch.context() as patch:
            patch.setitem(columns._OPERATORS, name, fault if name != "!_" else (lambda value: value))
            assert any(differences(seed) for seed in range(300)), name


def test_a_leaf_is_known_by_its_meaning() -> None:
    one = leaves.take_apart(agreement_of({IDS[0]: "links.size() > 3 && text.says('a')"}))[0]
    other = leaves.take_apart(agreement_of({IDS[1]: "text.says('a') || links.size() <   2 || text.says('b')"}))[0]
    assert {leaf.key for leaf in one.leaves} < {leaf.key for leaf in other.leaves}
