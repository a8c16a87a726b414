"""How long the text of a message is kept: as long as somebody needs it, and 30 days more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from test_flow_record import DAY, NOW, World, agreement

from comity.casework.facts import Appealed, Delivered, HoldSet, How
from comity.flow import appeal, retention
from comity.model.ids import AccountId, DecisionId, MessageId, ReviewerId

ANN = AccountId("ann")


@pytest.fixture
def world() -> World:
    """Ann has been warned for her first message; her second breached nothing, so that its text was never kept."""
    made = World(agreement("| 1 | warn | | |", 'expires="14 days"'), "live")
    made.say("spam")
    made.say("hello")
    return made


def decision(world: World) -> DecisionId:
    one = world.proceedings.record(ANN).last
    assert one is not None
    return one.id


def kept(world: World, at: timedelta) -> bool:
    """Whether the text is there after what was not needed at `at` was deleted."""
    retention.forget(world.proceedings, NOW + at)
    assert world.store.message("s", MessageId("2")) is None
    return world.store.message("s", MessageId("1")) is not None


def delivered(world: World) -> None:
    world.proceedings.note(Delivered(account=ANN, at=NOW, decision=decision(world), how=How.SOURCE))


def test_it_is_kept_until_the_time_to_appeal_and_30_days_have_passed(world: World) -> None:
    delivered(world)
    assert kept(world, 214 * DAY)
    assert not kept(world, 216 * DAY)


def test_it_is_kept_while_the_statement_was_not_delivered(world: World) -> None:
    assert kept(world, 3_000 * DAY)


def test_it_is_kept_while_an_appeal_waits(world: World) -> None:
    delivered(world)
    filed = appeal.file(world.proceedings, appeal.Complaint(decision=decision(world), text="No."), NOW)
    assert isinstance(filed, Appealed)
    assert kept(world, 3_000 * DAY)


def test_a_legal_hold_keeps_it(world: World) -> None:
    delivered(world)
    world.proceedings.note(HoldSet(account=ANN, at=NOW, by=ReviewerId("mara"), why="A court asks."))
    assert kept(world, 3_000 * DAY)


def test_it_is_kept_while_its_points_are_live() -> None:
    made = World(agreement("| 1 | warn | | |", "expires=never"), "live")
    made.say("spam")
    delivered(made)
    assert kept(made, 3_000 * DAY)


def test_the_daily_step_tells_in_the_ledger_what_was_erased_though_nothing_else_happens(world: World) -> None:
    world.store.erase(ANN)
    assert retention.daily(world.proceedings, NOW).told == 0, "the day has an entry already"
    assert retention.daily(world.proceedings, NOW + DAY).told == 1
    assert retention.daily(world.proceedings, NOW + 2 * DAY).told == 0
