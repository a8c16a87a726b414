"""Faults that can be planted in the ways of judging, and how many cases it takes until the law finds one."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from engine_laws import Answers, Law, drawn
from engine_streams import Stream, expected

from comity.engine.joined import Joined
from comity.engine.words import Among

functions = import_module("comity.engine.functions")
batches = import_module("comity.engine.batch_history")
databases = import_module("comity.engine.databases")
folding = import_module("comity.engine.fold")
one_piece = import_module("comity.engine.folded")
generating = import_module("comity.engine.generate")
joins = import_module("comity.engine.joined")
loosening = import_module("comity.engine.loosest")
flows = import_module("comity.flow.texts")
passages = import_module("comity.engine.passages")
rows = import_module("comity.flow.rows")
plains = import_module("comity.intake.plain")
plans = import_module("comity.engine.plan")
series = import_module("comity.engine.series")
sieves = import_module("comity.engine.sieve")
tallies = import_module("comity.engine.tallies")

FAULT_BUDGET = 400
Plant = Callable[[pytest.MonkeyPatch], None]


class Tried(NamedTuple):
    """How many streams and cases were judged, and whether the fault was found in the last of them."""

    streams: int
    cases: int
    is_found: bool


def tried(name: str, *, first: int = 0) -> Tried:
    """Plants the fault and judges drawn streams until the law is broken; all of them, beginning with `first`."""
    with pytest.MonkeyPatch.context() as patch:
        FAULTS[name](patch)
        law, cases = Law(None), 0
        for streams, seed in enumerate((*range(first, FAULT_BUDGET), *range(first)), start=1):
            made, answers = judged(seed)
            cases += made.cases
            if law.difference(made, answers):
                return Tried(streams, cases, is_found=True)
    return Tried(FAULT_BUDGET, cases, is_found=False)


@lru_cache(maxsize=FAULT_BUDGET)
def judged(seed: int) -> tuple[Stream, Answers]:
    """A stream and what the reference says; no fault is planted there."""
    made = drawn(seed)
    return made, tuple(expected(made) or ())


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
        patch.setattr(sieves, "words_in", lambda raw, foreign: None)

    return plant


def _last_first(sent: np.ndarray, floors: np.ndarray) -> object:
    made = PART(sent, floors)
    made.order = np.lexsort((-np.arange(len(sent)), sent))
    made.ranks[made.order] = np.arange(len(sent))
    return made


def _untied(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(batches, "_Part", _last_first)
    patch.setattr(batches, "_crossed", lambda groups, places: places[:0])


GUARD_OF = generating.guard_of
PART = batches._Part
FOLD = folding.fold
SPREAD = rows.Texts.spread
SPANS = folding.fold_with_spans


def _shifted(text: str) -> object:
    folded = SPANS(text)
    return msgspec.structs.replace(
        folded, starts=[start + 1 for start in folded.starts], ends=[end + 1 for end in folded.ends]
    )


def _taken_for_its_rule(*asked: object) -> object:
    guard = GUARD_OF(*asked)
    return guard._replace(sure=guard.code)


def _into_each_other(patch: pytest.MonkeyPatch) -> None:
    for module in (joins, flows, plains):
        patch.setattr(module, "BETWEEN", b"\n")


def _to_the_next(texts: Joined, at: np.ndarray) -> np.ndarray:
    return np.searchsorted(texts.starts, at, "right") % max(len(texts), 1)


FAULTS: dict[str, Plant] = {
    "a new line turned into a space": _regex(lambda pattern: _spaced(_exact(pattern))),
    "a new line that any character means": _regex(_of(lambda pattern: pattern.replace(".", "(?s:.)"))),
    "rows that run into each other": _into_each_other,
    "a row's last match given to the next": lambda patch: patch.setattr(
        databases, "bisect_right", lambda starts, end: min(databases.bisect_left(starts, end) + 1, len(starts))
    ),
    "rows without lines of their own": lambda patch: patch.setattr(
        databases, "_FLAGS", {**databases._FLAGS, "joined": databases._LOOSE}
    ),
    "a row without a line of its own": lambda patch: patch.setattr(sieves, "_ROW", b"%b"),
    "a quick look taken for the rule": lambda patch: patch.setattr(generating, "guard_of", _taken_for_its_rule),
    "the strictest of rules that are alike asked first": lambda patch: patch.setattr(
        loosening, "_LOOSEST", {"_>_": max, "_>=_": max, "_<_": min, "_<=_": min}
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
        databases, "_FLAGS", {**databases._FLAGS, "joined": databases._FLAGS["row"] | databases._FLAGS["joined"]}
    ),
    "a window's edge that belongs to it": lambda patch: patch.setattr(tallies, "bisect_right", tallies.bisect_left),
    "a window's edge that belongs to it in turns": lambda patch: patch.setattr(
        series, "bisect_right", tallies.bisect_left
    ),
    "ties in another order": _untied,
    "a text in columns taken for ASCII": lambda patch: patch.setattr(joins, "MOST_ASCII", 255),
    "letters beyond ASCII taken for what stands between words": lambda patch: patch.setattr(
        sieves, "among_ascii", lambda foreign: Among.APART
    ),
    "letters that fold to ASCII taken for letters of their own": lambda patch: patch.setattr(
        sieves, "among_ascii", lambda foreign: Among.FOREIGN
    ),
    "letters of ASCII next to others taken for another word": lambda patch: patch.setattr(
        one_piece, "_EDGES", (b"", *(bytes([code]) for code in range(256)))
    ),
    "a find in columns given to the next text": lambda patch: patch.setattr(joins.Joined, "places_of", _to_the_next),
    "a text's answer given to the next message": lambda patch: patch.setattr(
        rows.Texts, "spread", lambda texts, column: np.roll(SPREAD(texts, column), 1)
    ),
    "messages counted as if in order": lambda patch: patch.setattr(
        batches, "_crossed", lambda groups, places: places[:0]
    ),
    "a wrong clock that is believed": lambda patch: patch.setattr(
        batches, "reached", lambda newest, sent: np.maximum.accumulate(np.concatenate(([newest.at], sent)))
    ),
}
