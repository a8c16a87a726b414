"""The law: reference == single == batch == file, over drawn streams; and faults planted in each way are found.

`make fuzz` draws on for as long as one likes. What it found stands at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from engine_grammar import IDS, agreement_of
from engine_laws import Answers, Law, drawn, shown, smallest
from engine_streams import Stream, expected
from hypothesis import settings

from comity.engine.plan import plan
from comity.model.finding import Passage
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message

functions = import_module("comity.engine.functions")
batches = import_module("comity.engine.batch_history")
databases = import_module("comity.engine.databases")
folding = import_module("comity.engine.fold")
passages = import_module("comity.engine.passages")
plans = import_module("comity.engine.plan")
runs = import_module("comity.engine.runs")
sieves = import_module("comity.engine.sieve")
tallies = import_module("comity.engine.tallies")
words = import_module("comity.engine.words")

BUDGET = settings().max_examples
FAULT_BUDGET = 400
Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize("part", range(2))
def test_all_ways_of_judging_agree(part: int, tmp_path: Path) -> None:
    law = Law(tmp_path)
    for seed in range(part * BUDGET, (part + 1) * BUDGET):
        assert law.difference(drawn(seed)) is None, f"seed {seed}: tools/fuzz.py --seed {seed}"


def _regex(fault: Callable[[str], object]) -> Plant:
    """Another meaning for patterns, and no sieve that could hide it."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        kept = tuple(function for function in plans._FUNCTIONS if function.__name__ != "regex")
        fault.__name__ = "regex"
        patch.setattr(plans, "_FUNCTIONS", (*kept, fault))
        patch.setattr(sieves, "superset_of", lambda pattern: None)

    return plant


_exact = functions.regex


def _of(translate: Callable[[str], str]) -> Callable[[str], object]:
    """RE2's search after a change of the pattern."""
    return lambda pattern: _exact(translate(pattern))


def _spaced(search: Callable[[bytes], object]) -> Callable[[bytes], object]:
    return lambda raw: search(raw.replace(b"\n", b" "))


def _by_python(pattern: str) -> Callable[[bytes], object]:
    """Python's bounds of words, which are Unicode's."""
    if r"\b" not in pattern or re.search(r"\\[pPzC]|\[:|\(\?U|[*+?}][*+?{]|\\x\{", pattern):
        return _exact(pattern)
    return lambda raw: re.search(pattern, raw.decode())


def _other_fold(fault: Callable[[str], str]) -> Plant:
    """Another fold where rules are judged; the reference keeps the right one."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        for name in ("functions", "reading", "scan", "sieve"):
            patch.setattr(import_module(f"comity.engine.{name}"), "fold", fault, raising=False)
        patch.setattr(sieves, "words_in", lambda text, raw: None)

    return plant


def _last_first(sent: np.ndarray, floors: np.ndarray) -> object:
    made = PART(sent, floors)
    order = np.lexsort((-np.arange(len(sent)), sent))
    made.ranks[order] = np.arange(len(order))
    return made


def _untied(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(batches, "_Part", _last_first)
    patch.setattr(batches, "_crossed", lambda groups, places: places[:0])


PART = batches._Part
FOLD = folding.fold
SPANS = folding.fold_with_spans


def _shifted(text: str) -> object:
    folded = SPANS(text)
    return replace(folded, starts=[start + 1 for start in folded.starts], ends=[end + 1 for end in folded.ends])


FAULTS: dict[str, Plant] = {
    "a new line turned into a space": _regex(lambda pattern: _spaced(_exact(pattern))),
    "a new line that any character means": _regex(_of(lambda pattern: pattern.replace(".", "(?s:.)"))),
    "rows that run into each other": lambda patch: patch.setattr(sieves, "_BETWEEN", b"\n"),
    "a row's last match given to the next": lambda patch: patch.setattr(
        databases, "bisect_right", lambda starts, end: min(databases.bisect_left(starts, end) + 1, len(starts))
    ),
    "rows without lines of their own": lambda patch: patch.setattr(
        databases, "_FLAGS", {**databases._FLAGS, "joined": databases._LOOSE}
    ),
    "digits of all scripts": _regex(_of(lambda pattern: pattern.replace(r"\d", r"\pN"))),
    "words of all scripts": _regex(_by_python),
    "an end before the last new line": _regex(_of(lambda pattern: re.sub(r"\$$", r"\\n?\\z", pattern))),
    "case folding for lower case": _other_fold(lambda text: FOLD(text.casefold())),
    "zero-width characters that stay": _other_fold(
        lambda text: FOLD(text.replace("\u200b", "x").replace("\u00ad", "-"))
    ),
    "look-alikes that stay": _other_fold(lambda text: folding._folded(text)),
    "a map of places that is one off": lambda patch: patch.setattr(passages, "fold_with_spans", _shifted),
    "one match for all rows": lambda patch: patch.setattr(
        databases, "_FLAGS", {**databases._FLAGS, "joined": databases._FLAGS["once"] | databases._FLAGS["joined"]}
    ),
    "a window's edge that belongs to it": lambda patch: patch.setattr(tallies, "bisect_right", tallies.bisect_left),
    "a window's edge that belongs to it in batches": lambda patch: patch.setattr(runs, "_RIGHT", "left"),
    "ties in another order": _untied,
    "messages counted as if in order": lambda patch: patch.setattr(
        batches, "_crossed", lambda groups, places: places[:0]
    ),
    "a wrong clock that is believed": lambda patch: patch.setattr(
        batches, "reached", lambda newest, sent: np.maximum.accumulate(np.concatenate(([newest.at], sent)))
    ),
}


@lru_cache(maxsize=FAULT_BUDGET)
def judged(seed: int) -> tuple[Stream, Answers]:
    """A stream and what the reference says; no fault is planted there."""
    made = drawn(seed)
    return made, tuple(expected(made) or ())


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[name](monkeypatch)
    law, cases = Law(None), 0
    for seed in range(FAULT_BUDGET):
        made, answers = judged(seed)
        cases += made.cases
        if law.difference(made, answers):
            print(f"{name}: after {cases:,} cases")
            return
    pytest.fail(f"not found in {cases:,} cases")


def test_evidence_of_a_match_inside_a_character_points_to_where_it_is() -> None:
    found = plan(agreement_of({IDS[0]: r'text.matches("(?m)\\s*\\B")'})).judge(said("B𝐀 "), {})
    assert [(each.start, each.end) for each in found[0].evidence if isinstance(each, Passage)] == [(2, 3)]


def test_a_difference_is_made_small() -> None:
    made = drawn(3)
    small = smallest(made, lambda stream: any("a" in one.text for one in stream.messages))
    assert [one.text for one in small.messages] == ["a"]
    assert '"text":"a"' in shown(small)


def said(text: str) -> Message:
    sent = datetime(2026, 1, 1, tzinfo=UTC)
    return Message(id=MessageId("m"), author=AccountId("a"), channel=Channel("posts"), text=text, sent=sent)
