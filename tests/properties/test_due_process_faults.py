"""Every invariant has a test by its number, and a fault planted against it that the lives catch."""

from __future__ import annotations

import re

import pytest
from due_process_faults import FAULTS, Plant, lives_until_caught
from test_due_process_kept import InvariantsInAFile

ALL = set(range(1, 27))


def test_each_of_the_26_invariants_is_asked_by_its_number() -> None:
    asked = (name for name in dir(InvariantsInAFile) if name.startswith("inv_"))
    assert {int(number) for name in asked for number in re.findall(r"_(\d\d)(?=_)", name)} == ALL


def test_each_of_the_26_invariants_has_a_fault_planted_against_it() -> None:
    assert {number for number, _ in FAULTS} == ALL


@pytest.mark.parametrize(("number", "plant"), FAULTS, ids=lambda each: getattr(each, "__name__", str(each)))
def test_a_planted_fault_is_caught(number: int, plant: Plant) -> None:
    assert lives_until_caught(number, plant) is not None
