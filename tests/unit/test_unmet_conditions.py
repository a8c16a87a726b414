"""A measure that waits for a condition which nobody meets is not forgotten: after 30 days a person is asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from test_flow_record import DAY, NOW, World, agreement

from comity.casework.case_facts import CaseKind
from comity.casework.cases import Case
from comity.casework.facts import How
from comity.casework.record import Record, standing
from comity.casework.recorded import Recorded
from comity.casework.review import Deciding
from comity.casework.settled import NOBODY
from comity.flow import amend, preview, retention, review
from comity.model.ids import AccountId, Channel, ClauseId, MessageId, ReviewerId
from comity.model.measure import State

ANN, MARA, POSTS = AccountId("ann"), ReviewerId("mara"), Channel("posts")
ROW = "| 1 | suspend | posts | until acknowledged |"


@pytest.fixture
def world() -> World:
    """Ann may not post until she has confirmed that she read why, which she does not."""
    made = World(agreement(ROW), "live")
    made.say("spam")
    return made


def record(world: World) -> Record:
    return world.proceedings.record(ANN)


def after(world: World, days: float) -> int:
    """How many cases the daily step opens then."""
    world.clock.at = NOW + days * DAY
    return retention.daily(world.proceedings, world.clock.at).opened


def asked(world: World) -> tuple[Case, Recorded]:
    assert after(world, 30) == 1
    (case,) = record(world).cases
    assert case.opened.about is not None
    about = record(world).decision(case.opened.about)
    assert about is not None
    return case, about


def deciding(case: Case) -> Deciding:
    return Deciding(case=case.id, version=case.version, by=MARA, why="Ann has not come back.")


def test_after_30_days_a_case_opens_once(world: World) -> None:
    assert after(world, 29.9) == 0
    case, about = asked(world)
    assert (case.opened.kind, case.opened.about) == (CaseKind.UNMET, about.id)
    assert case.opened.why == "Nobody has met a condition for 30 days: acknowledged."
    assert after(world, 90) == 0


def test_a_reviewer_lets_it_go_on_and_is_asked_again_30_days_later(world: World) -> None:
    case, about = asked(world)
    (choice,) = preview.choices(world.proceedings, deciding(case), world.clock.at, ())
    assert choice.said == "nothing changes: what was decided stays as it is"
    review.confirm(world.proceedings, deciding(case), world.clock.at)
    assert record(world).decisions == (about,)
    assert standing(record(world), POSTS, NOW + 400 * DAY).state is State.CUT
    assert [after(world, days) for days in (59.9, 60, 61)] == [0, 1, 0]


def test_of_what_was_decided_before_a_preview_says_that_it_stays(world: World) -> None:
    message = world.store.message("s", MessageId("1"))
    assert message is not None
    reported = review.Notice(message=message, where="", why="It is spam.", good_faith=True)
    noticed = review.notice(world.proceedings, reported, NOW)
    case = record(world).case(noticed.case)
    assert case is not None
    (choice,) = preview.choices(world.proceedings, deciding(case), NOW, [ClauseId("spam")])
    assert choice.said == "nothing changes: what was decided stays as it is"


def test_a_reviewer_takes_something_milder_in_its_place(world: World) -> None:
    case, about = asked(world)
    milder = "limit to 1 a day | posts | until acknowledged"
    review.confirm(world.proceedings, deciding(case), world.clock.at, instead=milder)
    assert record(world).decisions[0].replaced_by == record(world).decisions[1].id
    assert about.id == record(world).decisions[0].id
    assert standing(record(world), POSTS, world.clock.at).state is State.LIMITED
    assert record(world).open_cases == ()


def test_a_reviewer_who_dismisses_reverses_the_decision(world: World) -> None:
    case, _ = asked(world)
    review.dismiss(world.proceedings, deciding(case), world.clock.at)
    assert not record(world).decisions[0].is_live


@pytest.mark.parametrize("act", ["attested", "lifted"])
def test_the_case_closes_when_there_is_nothing_to_ask(world: World, act: str) -> None:
    case, about = asked(world)
    if act == "attested":
        amend.attest(world.proceedings, about.id, "acknowledged", "account", world.clock.at)
    else:
        amend.lift(world.proceedings, about.id, MARA, "Enough.", world.clock.at)
    closed = record(world).cases[0].closed
    assert closed is not None
    assert (closed.case, closed.by) == (case.id, NOBODY)
    assert after(world, 90) == 0


def test_nobody_is_asked_before_a_delayed_measure_has_run_for_30_days() -> None:
    world = World(agreement("| 1 | suspend | posts | after 3 days: until acknowledged |"), "live")
    world.say("spam")
    assert after(world, 60) == 0, "the statement was not delivered"
    (one,) = record(world).decisions
    amend.deliver(world.proceedings, one.id, How.LINK, world.clock.at)
    assert [after(world, 60 + days) for days in (32.9, 33)] == [0, 1]


def test_a_review_has_a_case_of_its_own_and_a_term_needs_none() -> None:
    for row in ("| 1 | suspend | posts | until reviewed, at least 4 days |", "| 1 | suspend | posts | 90 days |"):
        world = World(agreement(row), "live")
        world.say("spam")
        assert after(world, 40) == 0
        assert all(case.opened.kind is not CaseKind.UNMET for case in record(world).cases)


def test_the_daily_step_of_another_program_asks_no_second_time(world: World) -> None:
    asked(world)
    again = world.again()
    assert retention.daily(again, world.clock.at + timedelta(hours=1)).opened == 0
