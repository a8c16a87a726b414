"""Cases that rules opened about a decision end by themselves when there is nothing left to ask."""

from __future__ import annotations

import pytest
from test_flow_record import DAY, NOW, World, agreement

from comity.casework.case_facts import CaseKind
from comity.casework.cases import Case
from comity.casework.record import Record
from comity.casework.refused import RefusedError
from comity.casework.review import Deciding
from comity.casework.settled import NOBODY
from comity.flow import amend, retention, review
from comity.model.ids import AccountId, ReviewerId

ANN = AccountId("ann")
MARA = ReviewerId("mara")


@pytest.fixture
def world() -> World:
    """Ann may not post until somebody has looked, or five days have passed."""
    made = World(agreement("| 1 | suspend | posts | until reviewed |"), "live")
    made.say("spam")
    return made


def record(world: World) -> Record:
    return world.proceedings.record(ANN)


def case(world: World) -> Case:
    (only,) = record(world).cases
    return only


def test_a_case_about_a_measure_that_time_ended_does_not_keep_anybodys_data(world: World) -> None:
    with pytest.raises(RefusedError, match="measure"):
        amend.erase(world.proceedings, ANN, NOW + 4 * DAY, keep_hash=False)
    amend.erase(world.proceedings, ANN, NOW + 5 * DAY, keep_hash=False)
    assert list(world.store.waiting()) == []


def test_the_daily_step_closes_it_when_its_measure_has_ended(world: World) -> None:
    assert retention.daily(world.proceedings, world.clock.at).closed == 0
    world.clock.at = NOW + 5 * DAY
    assert retention.daily(world.proceedings, world.clock.at).closed == 1
    assert retention.daily(world.proceedings, world.clock.at).closed == 0
    closed = case(world).closed
    assert closed is not None
    assert closed.by == NOBODY
    assert list(world.store.waiting()) == []


def test_it_can_still_be_decided_before_the_daily_step(world: World) -> None:
    world.clock.at = NOW + 6 * DAY
    deciding = Deciding(case=case(world).id, version=case(world).version, by=MARA, why="It was a quotation.")
    review.dismiss(world.proceedings, deciding, world.clock.at)
    assert record(world).last is None
    closed = case(world).closed
    assert closed is not None
    assert closed.by == MARA


@pytest.mark.parametrize("act", ["lifted", "corrected", "undone"])
def test_the_act_that_ends_the_measure_closes_it(world: World, act: str) -> None:
    (one,) = record(world).decisions
    match act:
        case "lifted":
            amend.lift(world.proceedings, one.id, MARA, "Enough.", NOW)
        case "corrected":
            amend.correct(world.proceedings, one.id, MARA, "Milder.", NOW, instead="suspend | posts | 2 days")
        case _:
            found = amend.caused(world.proceedings, one.clauses[0], one.decided.statement.agreement, NOW)
            amend.undo(world.proceedings, found, MARA, "Wrong.", NOW)
    closed = case(world).closed
    assert closed is not None
    assert closed.by == NOBODY


def test_an_act_that_ends_nothing_leaves_it_open(world: World) -> None:
    (one,) = record(world).decisions
    amend.correct(world.proceedings, one.id, MARA, "A word.", NOW, instead=None)
    assert case(world).closed is None


def test_a_case_about_termination_ends_when_the_decision_is_reversed() -> None:
    world = World(agreement("| 1 | terminate | all | |"), "live")
    world.say("spam")
    assert case(world).opened.kind is CaseKind.CEILING
    (one,) = record(world).decisions
    found = amend.caused(world.proceedings, one.clauses[0], one.decided.statement.agreement, NOW)
    amend.undo(world.proceedings, found, MARA, "Wrong.", NOW)
    assert case(world).closed is not None
