"""What stands at a text's edge is found, and nothing is found across it in the next text: in every way of judging.

A word is asked for in all the ways in which an edge matters. Texts begin or end with it, are it, or have a part of it
at an edge whose rest stands at the next text's beginning.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from random import Random

import numpy as np
import pytest
from engine_grammar import IDS, LEXICONS, agreement_of
from engine_laws import Law, shown
from engine_streams import Stream
from hypothesis import settings

from comity.engine.joined import BETWEEN, Joined
from comity.engine.sieve import Sieve
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message

finders = import_module("comity.flow.finder")
frames = import_module("comity.engine.frames")
patterns = import_module("comity.engine.sieve_patterns")
sieves = import_module("comity.engine.sieve")

BUDGET = 2 * settings().max_examples
FAULT_BUDGET = 200
START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = (
    "ab",
    "a b",
    "ab cd ef",
    "a",
    "aba",
    "1",
    "\n",
    "a\n",
    "\nb",
    "a\n\nb",
    "é",
    "éa",
    "aß",
    "爱",
    "爱b",
    "💩",
    ".",
    "a.",
)
RULES = (
    'text.contains("{0}")',
    'text.startsWith("{0}")',
    'text.endsWith("{0}")',
    'text.says("{0}")',
    'text.saysAny("slurs")',
    'text.matches("^{1}")',
    'text.matches("{1}$")',
    'text.matches("\\\\b{1}\\\\b")',
    'text.matches("\\\\B{1}")',
    'text.matches("(?i)\\\\s{1}\\\\s")',
)
APART = ("x", " ", "\n", "", "é", "и", "-")


def stream(random: Random) -> Stream:
    word = random.choice(WORDS)
    written = word.replace("\n", "\\n")
    rules = [rule.format(written, written.replace(".", "\\\\.")) for rule in random.sample(RULES, len(IDS))]
    lexicons = {**LEXICONS, "slurs": replace(LEXICONS["slurs"], entries=(word.strip() or "ab", "nothing else"))}
    agreement = agreement_of(dict(zip(IDS, rules, strict=True)), lexicons)
    return Stream(agreement, tuple(_messages([text for _ in range(6) for text in _pair(random, word)])))


def _pair(random: Random, word: str) -> tuple[str, str]:
    """Two texts beside each other."""
    before, after = random.choice(APART), random.choice(APART)
    if random.random() < 0.4:
        cut = random.randrange(len(word) + 1)
        return before + word[:cut], word[cut:] + after
    return tuple(random.choice((word, word + after, before + word, before + word + after, before)) for _ in range(2))  # type: ignore[return-value]


def _messages(texts: list[str]) -> Iterator[Message]:
    for number, text in enumerate(texts):
        sent = START + timedelta(seconds=number)
        yield Message(id=MessageId(str(number)), author=AccountId("a"), channel=Channel("posts"), text=text, sent=sent)


def test_every_way_of_judging_sees_the_edges() -> None:
    for seed in range(BUDGET):
        made = stream(Random(seed))
        assert Law(None).difference(made) is None, f"seed {seed}: {shown(made)}"


def _contains(find: Callable[[Joined, bytes], Iterator[int]]) -> Callable[[pytest.MonkeyPatch], None]:
    """Another search of joined texts for a string: the places of the texts that have it."""

    def contains(wanted: str) -> Callable[[Joined], np.ndarray]:
        def found(texts: Joined) -> np.ndarray:
            has = np.full(len(texts), not wanted)
            for place in find(texts, wanted.encode()) if wanted else ():
                has[place] = True
            return has

        return found

    return lambda patch: patch.setattr(finders.texts, "contains", contains)


def _at(texts: Joined, raw: bytes) -> Iterator[int]:
    at = texts.raw.find(raw)
    while at >= 0:
        yield at
        at = texts.raw.find(raw, at + 1)


def _right(texts: Joined, raw: bytes) -> Iterator[int]:
    for at in _at(texts, raw):
        place = bisect_right(texts.starts, at) - 1
        if place >= 0 and at + len(raw) <= texts.ends[place]:
            yield place


def _over_the_end(texts: Joined, raw: bytes) -> Iterator[int]:
    return (place for at in _at(texts, raw) if (place := bisect_right(texts.starts, at) - 1) >= 0)


def _not_at_the_end(texts: Joined, raw: bytes) -> Iterator[int]:
    places = ((at, bisect_right(texts.starts, at) - 1) for at in _at(texts, raw))
    return (place for at, place in places if place >= 0 and at + len(raw) < texts.ends[place])


def _not_at_the_beginning(texts: Joined, raw: bytes) -> Iterator[int]:
    places = ((at, bisect_left(texts.starts, at) - 1) for at in _at(texts, raw))
    return (place for at, place in places if place >= 0 and at + len(raw) <= texts.ends[place])


def _not_right_after_a_find(texts: Joined, raw: bytes) -> Iterator[int]:
    """The search goes on behind the first character of the next text."""
    last = -1
    for at in _at(texts, raw):
        place = bisect_right(texts.starts, at) - 1
        is_skipped = last >= 0 and at <= texts.ends[last] + len(BETWEEN)
        if place >= 0 and not is_skipped and at + len(raw) <= texts.ends[place]:
            last = place
            yield place


def _frame(function: str, frame: str) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setitem(frames._PLAIN, function, (frame, 1.0))


def _among(sieve: Sieve, words: bytes) -> int:
    return sieve._words.bits_in(words)


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "what a text contains may go on in the next": _contains(_over_the_end),
    "what a text contains may not be its end": _contains(_not_at_the_end),
    "what a text contains may not be its beginning": _contains(_not_at_the_beginning),
    "after a find the next text begins too late": _contains(_not_right_after_a_find),
    "no space before the first word and after the last": lambda patch: patch.setattr(Sieve, "_among", _among),
    "a phrase goes on in the next text": lambda patch: patch.setattr(patterns, "_APART", "[^0-9a-z]+"),
    "a row without a line of its own": lambda patch: patch.setattr(sieves, "_ROW", b"%b"),
    "what a text begins with may stand anywhere": _frame("startsWith", "({1} in {0})"),
    "what a text ends with may stand before a new line": _frame("endsWith", r"{0}.rstrip('\n').endswith({1})"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[name](monkeypatch)
    assert any(Law(None).difference(stream(Random(seed))) for seed in range(FAULT_BUDGET))


def test_the_search_that_faults_are_planted_in_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    _contains(_right)(monkeypatch)
    assert not any(Law(None).difference(stream(Random(seed))) for seed in range(10))
