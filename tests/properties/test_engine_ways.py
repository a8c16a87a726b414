"""The law: reference == single == batch == file, over drawn streams; and faults planted in each way are found.

`make fuzz` draws on for as long as one likes. What it found stands at the end.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from engine_faults import FAULTS, tried
from engine_grammar import IDS, agreement_of
from engine_laws import Law, drawn, shown, smallest
from hypothesis import settings

from comity.engine.plan import plan
from comity.model.finding import Passage
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message

BUDGET = settings().max_examples
FIRST = {
    "a new line turned into a space": 285,
    "rows without lines of their own": 56,
    "words of all scripts": 182,
    "a quick look taken for the rule": 386,
}
"""Where faults that few streams show are looked for first: where they were found. If not there, then in all others."""


@pytest.mark.parametrize("part", range(2))
def test_all_ways_of_judging_agree(part: int, tmp_path: Path) -> None:
    law = Law(tmp_path)
    for seed in range(part * BUDGET, (part + 1) * BUDGET):
        assert law.difference(drawn(seed)) is None, f"seed {seed}: tools/fuzz.py --seed {seed}"


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str) -> None:
    found = tried(name, first=FIRST.get(name, 0))
    assert found.is_found, f"not found in {found.cases:,} cases"


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


def test_many_recipients_are_counted_once_each_over_columns() -> None:
    """Once there were more than a few, those known from before counted twice."""
    assert Law(None).difference(drawn(770744)) is None
