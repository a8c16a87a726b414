"""The law of `comity diff`: no message contradicts what was proved of a change, and each witness is one.

Faults planted in the encoding are found by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
import z3
from hypothesis import settings
from proof_pairs import OWN, judged, pair

from comity.engine.plan import plan
from comity.engine.proof import compare as comparing
from comity.engine.proof import languages, lists, numbers, sets, traits
from comity.engine.proof import symbols as symbols_
from comity.engine.proof.candidates import with_all
from comity.engine.proof.compare import Compared, Judge, Proved, Witness, compare
from comity.engine.proof.lists import Listed
from comity.engine.proof.patterns import ANYTHING, Sequence, Side, literal
from comity.engine.proof.settle import Effort
from comity.engine.proof.symbols import Symbols
from comity.engine.reference import Reference
from comity.model.agreement import Agreement

PAIRS = 2 * settings().max_examples
FAULT_BUDGET = 20_000
MESSAGES = 25
EFFORT = 20_000_000


def contradictions(seed: int, about: str = "") -> list[str]:
    """What messages or the reference say against the comparison of the pair that the seed draws."""
    random = Random(seed)
    drawn = pair(random, about)
    if drawn is None:
        return []
    found = compare(*map(Judge, drawn), OWN, Effort(left=EFFORT))
    return [*_by_messages(random, *drawn, found), *(() if about else _by_reference(*drawn, found))]


def _by_messages(random: Random, old: Agreement, new: Agreement, found: Compared) -> list[str]:
    if not isinstance(found.only_old, Proved) and not isinstance(found.only_new, Proved):
        return []
    plans = plan(old), plan(new)
    windows = tuple(dict.fromkeys((*plans[0].needs, *plans[1].needs)))
    against = []
    for message, counts in judged(random, windows, MESSAGES):
        was, now = (OWN in each.breached(message, counts) for each in plans)
        if (was and not now and isinstance(found.only_old, Proved)) or (
            now and not was and isinstance(found.only_new, Proved)
        ):
            against.append(f"{_rules(old, new)}: {found.verdict}, but {was} and {now} for {message!r}, {counts}")
    return against


def _by_reference(old: Agreement, new: Agreement, found: Compared) -> list[str]:
    """A witness must be one to CEL's own evaluator too."""
    against = []
    for witness, expected in ((found.only_old, (True, False)), (found.only_new, (False, True))):
        if isinstance(witness, Witness) and "\0" not in repr(witness.message):
            answers = tuple(
                OWN in Reference(one).breached(witness.message, with_all(plan(one).needs, witness.counts))
                for one in (old, new)
            )
            if answers != expected:
                against.append(f"{_rules(old, new)}: {witness.message!r} is no witness: {answers}")
    return against


def _rules(*versions: Agreement) -> list[str]:
    return [rule.source for version in versions if (rule := version.clause(OWN).rule)]


@pytest.mark.parametrize("part", range(3))
def test_no_message_contradicts_a_comparison(part: int) -> None:
    for seed in range(part * PAIRS // 3, (part + 1) * PAIRS // 3):
        assert contradictions(seed) == [], f"seed {seed}"


def _replaced(module: object, name: str, fault: object) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(module, name, fault)


def _compared(
    function: str, fault: Callable[[z3.ArithRef, z3.ArithRef], z3.BoolRef]
) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setitem(numbers._COMPARED, function, fault)


def _one_entry_for_all(symbols: Symbols, listed: Listed, name: str) -> None:
    """As if what exists in a list were always the same entry."""
    present, entry = symbols.truth(f"{listed.key}[0] is there"), symbols.subject(f"{listed.key}[0]")
    listed.slots[name] = present, entry
    truth, test = listed.tests[name]
    symbols.facts.append(truth == z3.And(present, test(entry)))


def _guessed(patch: pytest.MonkeyPatch) -> None:
    """As if a choice that no message was found for were impossible."""
    tried = comparing._Proof._tried

    def guess(proof: comparing._Proof, model: z3.ModelRef, *args: object) -> object:
        return tried(proof, model, *args) or (proof._other_than(model),)

    patch.setattr(comparing._Proof, "_tried", guess)


def _is_at_a_newline_too(side: Side, before: int, after: int) -> bool:
    loose = {Side.BEGIN: Side.LINE_BEGIN, Side.END: Side.LINE_END}
    return IS_AT(loose.get(side, side), before, after)


IS_AT = languages._is_at
SPEAKS = traits.speaks

FAULTS: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "less or equal for less": (r" < -?\d", _compared("_<_", lambda a, b: a <= b)),
    "greater for greater or equal": (r" >= -?\d", _compared("_>=_", lambda a, b: a > b)),
    "division that rounds down": (
        r"size.. / (2|-3)",
        _replaced(numbers, "_truncated", lambda a, b: a / b if b > 0 else (-a) / -b),
    ),
    "a wider window that counts the same": (
        "messages",
        _replaced(symbols_, "_between", lambda less, fewer, more, others: [fewer == others]),
    ),
    "phrases without their bounds": (
        r'says\("mon',
        _replaced(sets, "_brings_phrase", lambda one, others: any(each.strip() in one for each in others)),
    ),
    "a pattern that must begin the text": (
        "matches",
        _replaced(traits, "anywhere", lambda tree: Sequence((tree, ANYTHING))),
    ),
    "edges at every line": (r'matches\("(\(\?m\)|\^)', _replaced(languages, "_is_at", _is_at_a_newline_too)),
    "no number that is none": (
        r"10\.0\) [<>]",
        _replaced(numbers, "compared_doubles", lambda _, f, a, b: numbers._COMPARED[f](a.value, b.value)),
    ),
    "one entry for all tests of a list": ("exists\\(", _replaced(lists, "_give_entry", _one_entry_for_all)),
    "a language without its subtags": (
        "speaks",
        _replaced(traits, "speaks", lambda tag: replace(SPEAKS(tag), tree=literal(tag.lower()))),
    ),
    "what was not found is impossible": ("filter", _guessed),
}
"""A word or two of the rules that the fault is about, and the fault."""


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    about, plant = FAULTS[name]
    plant(monkeypatch)

    assert any(contradictions(seed, about) for seed in range(FAULT_BUDGET))
