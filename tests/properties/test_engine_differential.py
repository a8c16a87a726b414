"""The law: for every rule and message the plan says what CEL's own evaluator says. Faults planted in it are found."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from random import Random

import pytest
from engine_grammar import Case, case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.engine import clockface, frames, functions, links
from comity.engine.plan import plan
from comity.engine.reference import Reference
from comity.engine.words import Phrase, phrase

plans = import_module("comity.engine.plan")
BUDGET = settings().max_examples
FAULT_BUDGET = 2000
BULK = 2 * settings().max_examples
LENIENT = (HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large)


def differences(case: Case) -> list[str]:
    """Where the plan, alone or in batches, and the reference disagree; evidence is gathered too, it must not raise."""
    planned, reference = plan(case.agreement), Reference(case.agreement)
    messages, all_counts = [message for message, _ in case.messages], [counts for _, counts in case.messages]
    in_batch = planned.judge_batch(messages, all_counts)
    found = []
    for (message, counts), findings in zip(case.messages, in_batch, strict=True):
        judged = frozenset(finding.clause for finding in planned.judge(message, counts))
        if findings != planned.judge(message, counts):
            found.append(f"{message!r}: alone {sorted(judged)}, in the batch {findings}")
        expected = reference.breached(message, counts)
        if judged != expected:
            found.append(f"{message!r}: plan {sorted(judged)}, reference {sorted(expected)}")
    return found


@settings(max_examples=BUDGET, suppress_health_check=LENIENT)
@given(st.randoms(use_true_random=False))
def test_the_plan_says_what_the_reference_says(random: Random) -> None:
    assert differences(case(random)) == []


@pytest.mark.parametrize("part", range(4))
def test_it_says_so_in_bulk(part: int) -> None:
    """Without hypothesis, which draws ten times slower than it takes to judge; a difference names its seed."""
    for seed in range(part * BULK, (part + 1) * BULK):
        assert differences(case(Random(seed))) == [], f"seed {seed}"


def _frame(function: str, frame: str) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setitem(frames._PLAIN, function, (frame, 1.0))


def _function(name: str, fault: Callable[..., object]) -> Callable[[pytest.MonkeyPatch], None]:
    def plant(patch: pytest.MonkeyPatch) -> None:
        kept = tuple(function for function in plans._FUNCTIONS if function.__name__ != name)
        fault.__name__ = name
        patch.setattr(plans, "_FUNCTIONS", (*kept, fault))

    return plant


def _python_regex(pattern: str) -> Callable[[bytes], object]:
    return lambda text: re.search(re.sub(r"\\z|\\pL", "x", pattern), text.decode())


def _boundless(written: str) -> Phrase:
    return Phrase(pattern=phrase(written).pattern.strip(), has_words=phrase(written).has_words)


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "less or equal for less": _frame("_<_", "({0} <= {1})"),
    "negation left out": _frame("!_", "{0}"),
    "a size in bytes": _frame("size", "len({0}.encode() if isinstance({0}, str) else {0})"),
    "Python's regexes": _function("regex", _python_regex),
    "division that rounds down": _function("int_quotient", lambda a, b: a // b),
    "a remainder with the divisor's sign": _function("int_remainder", lambda a, b: a % b),
    "runs that stop at a new line": _function(
        "repeats", lambda value: max((len(run[0]) for run in re.finditer(r"(.)\1*", value)), default=0)
    ),
    "capitals among all characters": _function(
        "capitals", lambda value: sum(map(str.isupper, value)) / len(value) if value else 0.0
    ),
    "a language that begins alike": _function("speaks", lambda tag, wanted: tag.lower().startswith(wanted.lower())),
    "numbers as Python reads them": _function("number", lambda written: float(written) if written.isdigit() else 0.0),
    "a NaN that equals itself": _function("one_equals", lambda value, items: value in items),
    "words without their bounds": lambda patch: patch.setattr(functions, "phrase", _boundless),
    "domains by their ending": lambda patch: patch.setattr(
        links, "is_under", lambda host, parents: host.endswith(tuple(parents))
    ),
    "one for exactly one": lambda patch: patch.setitem(
        frames._MACROS, frames.Macro.EXISTS_ONE, "any({1} for $ in {0})"
    ),
    "the clock of another zone": _function("part", lambda name, at, zone="UTC": clockface.part(name, at)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[name](monkeypatch)

    assert any(_is_found(case(Random(seed))) for seed in range(FAULT_BUDGET))


def _is_found(drawn: Case) -> bool:
    """Whether the fault makes a difference, or makes the plan fail."""
    try:
        return differences(drawn) != []
    except (TypeError, ValueError, re.error):
        return True
