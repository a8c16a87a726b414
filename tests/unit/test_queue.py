"""The queue: severity of the clause, then reach, then age, then confidence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_flow_record import NOW, World, agreement

from comity.casework.facts import Decided, Dismissed
from comity.casework.queue import Urgency, votes
from comity.flow import appeal, review
from comity.flow.appeal import Complaint
from comity.flow.queue import Queue, Waiting, waiting_in
from comity.flow.review import Deciding, Notice
from comity.model.ids import AccountId, Channel, ClauseId, MessageId, ReviewerId
from comity.model.message import Message
from comity.model.statement import Origin

HOUR = timedelta(hours=1)
Urgencies = st.builds(
    Urgency,
    severity=st.integers(0, 3),
    reach=st.sampled_from([0, 7, 12, 4_000, 5_000]),
    since=st.sampled_from([NOW, NOW - HOUR, NOW - 30 * HOUR]),
    confidence=st.sampled_from([0.2, 0.5, 1.0]),
)


@given(Urgencies, Urgencies)
def test_each_measure_only_counts_where_those_before_it_are_equal(one: Urgency, other: Urgency) -> None:
    if one.severity != other.severity:
        is_first = one.severity > other.severity
    elif len(str(one.reach)) != len(str(other.reach)):
        is_first = one.reach > other.reach
    elif (NOW - one.since).days != (NOW - other.since).days:
        is_first = one.since < other.since
    elif one.confidence != other.confidence:
        is_first = one.confidence > other.confidence
    else:
        is_first = one.since <= other.since
    assert (one.order(NOW) <= other.order(NOW)) == is_first


def notice(world: World, author: str, *, reach: int = 0, clause: str = "other", origin: Origin = Origin.USER) -> None:
    said = Message(
        id=MessageId(author), author=AccountId(author), channel=Channel("posts"), text="Boo.", sent=NOW, reach=reach
    )
    given = Notice(message=said, where="", why="Rude.", good_faith=True, clause=ClauseId(clause), origin=origin)
    review.notice(world.proceedings, given, world.clock.at)


@pytest.fixture
def world() -> World:
    return World(agreement("| 1 | warn | | |", "points=3 decide=review"), "live")


def test_the_gravest_then_the_widest_then_the_surest_is_first(world: World) -> None:
    notice(world, "mild")
    notice(world, "sure", origin=Origin.TRUSTED_FLAGGER)
    notice(world, "wide", reach=10_000)
    notice(world, "grave", clause="spam")
    assert [each.account for each in waiting_in(world.store, NOW)] == ["grave", "wide", "sure", "mild"]


def test_what_people_confirm_of_a_rule_makes_its_next_finding_surer(world: World) -> None:
    world.say("spam")
    (waits,) = waiting_in(world.store, world.clock.at)
    assert waits.urgency.confidence == 0.5
    case = world.proceedings.record(waits.account).open_cases[0]
    deciding = Deciding(case=case.id, version=case.version, by=ReviewerId("mara"), why="It is.")
    review.confirm(world.proceedings, deciding, world.clock.at)
    world.say("spam")
    (again,) = waiting_in(world.store, world.clock.at)
    assert again.urgency.confidence == pytest.approx(2 / 3)
    assert again.urgency.severity == 3


def test_what_a_rule_decided_by_itself_says_nothing_of_how_sure_it_is() -> None:
    world = World(agreement("| 1 | warn | | |"), "live")
    assert world.say("spam").statement is not None
    assert list(votes(world.store.facts([Decided, Dismissed]))) == []


STEPS = ("say", "say", "notice", "confirm", "dismiss", "claim", "appeal", "publish", "erase", "a month passes")


@given(st.lists(st.sampled_from(STEPS), max_size=12), st.sets(st.integers(0, 12)))
@settings(max_examples=25)
def test_a_queue_kept_at_hand_is_the_one_that_is_made_anew(steps: list[str], looks: set[int]) -> None:
    world, kept = World(agreement("| 1 | warn | | |", "points=3 decide=review"), "live"), Queue()
    for number, step in enumerate(steps):
        one_step(world, step, f"a{number % 3}", number)
        if number in looks:
            assert seen(kept.look(world.store, world.clock.at)) == seen(waiting_in(world.store, world.clock.at))
    assert seen(kept.look(world.store, world.clock.at)) == seen(waiting_in(world.store, world.clock.at))


def seen(waiting: list[Waiting]) -> list[tuple[object, ...]]:
    return [(each.id, each.account, each.urgency, each.what, each.breaches, each.message) for each in waiting]


def one_step(world: World, step: str, author: str, number: int) -> None:
    at, account = world.clock.at, AccountId(author)
    case = next(iter(world.proceedings.record(account).open_cases), None)
    match step:
        case "say":
            world.say("spam", author=author, after=at - NOW)
        case "notice":
            notice(world, author, reach=number)
        case "confirm" | "dismiss" if case is not None:
            deciding = Deciding(case=case.id, version=case.version, by=ReviewerId("mara"), why="So.")
            (review.confirm if step == "confirm" else review.dismiss)(world.proceedings, deciding, at)
        case "claim" if case is not None:
            review.claim(world.proceedings, case.id, ReviewerId("mara"), at)
        case "appeal":
            one = world.proceedings.record(account).last
            if one is not None and not one.appeals:
                appeal.file(world.proceedings, Complaint(decision=one.id, text="No."), at)
        case "publish":
            world.publish(agreement(f"| {number + 2} | warn | | |", f"points={number % 4} decide=review"), at)
            world.proceedings = world.again()
        case "erase":
            world.proceedings.erase(account, keep_hash=False)
            world.proceedings = world.again()
        case "a month passes":
            world.clock.at += timedelta(days=31)
