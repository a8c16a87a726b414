"""One rule's findings decided together: only those, only after a sample was read, each with its own statement."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_flow_record import KEY, NOW, World, agreement

from comity.casework.facts import Decided, Dismissed
from comity.casework.refused import RefusedError
from comity.flow import bulk, review
from comity.flow.bulk import Bulk, Decision
from comity.flow.review import Notice
from comity.ledger.verify import verify
from comity.model.ids import AccountId, CaseId, Channel, ClauseId, MessageId, ReviewerId
from comity.model.message import Message

SPAM, MARA, NOOR = ClauseId("spam"), ReviewerId("mara"), ReviewerId("noor")
SAID = Decision(by=MARA, why="The same advertisement.", confirms=True)


@pytest.fixture
def world() -> World:
    """Thirty accounts, each with a finding that a person must decide."""
    made = World(agreement("| 1 | warn | | |", "decide=review"), "live")
    for number in range(30):
        made.say("spam", author=f"a{number}")
    return made


def found(world: World, lot: str = "lot") -> Bulk:
    return bulk.found_by(world.store, SPAM, lot, MARA, NOW)


def read(asked: Bulk) -> list[CaseId]:
    return [case.id for case in asked.sample]


def test_all_are_decided_each_with_its_own_statement(world: World) -> None:
    asked = found(world)
    facts = bulk.decide(world.proceedings, asked, read(asked), SAID, NOW)
    decided = [fact for fact in facts if isinstance(fact, Decided)]
    assert len({fact.statement.id for fact in decided}) == len({fact.account for fact in decided}) == 30
    assert found(world).cases == ()
    assert verify(world.log.read, str(KEY.verifier)).problems == ()


def test_nothing_is_decided_before_the_whole_sample_was_read(world: World) -> None:
    asked = found(world)
    assert len(asked.sample) == bulk.LEAST_READ
    with pytest.raises(RefusedError, match="read the sample first; 1 of it is not read"):
        bulk.decide(world.proceedings, asked, read(asked)[1:], SAID, NOW)
    assert len(found(world).cases) == 30


def test_the_lot_draws_the_sample_and_the_same_one_again(world: World) -> None:
    assert read(found(world)) == read(found(world))
    assert len({tuple(read(found(world, f"{lot}"))) for lot in range(20)}) > 10


def test_what_is_unlike_the_others_is_left_to_a_decision_of_its_own(world: World) -> None:
    reported, claimed, escalated = found(world).cases[:3]
    said = Message(
        id=MessageId("m"), author=reported.opened.account, channel=Channel("posts"), text="x", sent=NOW, source="s"
    )
    review.notice(world.proceedings, Notice(message=said, where="", why="Rude.", good_faith=True), NOW)
    review.claim(world.proceedings, claimed.id, NOOR, NOW)
    review.escalate(world.proceedings, escalated.id, MARA, "Hard.", NOW)
    left = {case.id for case in found(world).cases}
    assert left.isdisjoint({reported.id, claimed.id, escalated.id})
    assert len(left) == 27


def test_a_case_that_changed_meanwhile_keeps_all_from_being_decided(world: World) -> None:
    asked = found(world)
    world.say("spam", author="a7")
    with pytest.raises(RefusedError, match="changed"):
        bulk.decide(world.proceedings, asked, read(asked), SAID, NOW)
    assert not any(world.store.facts([Decided]))


def test_all_can_be_dismissed_with_one_reason(world: World) -> None:
    asked = found(world)
    facts = bulk.decide(world.proceedings, asked, read(asked), replace(SAID, confirms=False), NOW)
    assert sum(isinstance(fact, Dismissed) for fact in facts) == 30
    assert world.proceedings.record(AccountId("a1")).decisions == ()


def test_where_nothing_waits_nothing_is_decided(world: World) -> None:
    nothing = bulk.found_by(world.store, ClauseId("other"), "lot", MARA, NOW)
    with pytest.raises(RefusedError, match="no case waits"):
        bulk.decide(world.proceedings, nothing, [], SAID, NOW)
