"""What a source has to take down or put back, until it says that it has done so."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from test_flow_record import NOW, World, agreement

from comity.casework.facts import AppealOutcome, How, Treatment
from comity.casework.printing import as_text
from comity.casework.refused import RefusedError
from comity.casework.removals import Due
from comity.casework.wording import sections
from comity.flow import amend, appeal, preview, removals, review
from comity.flow.review import Deciding, Notice
from comity.model.ids import AccountId, Channel, ClauseId, DecisionId, MessageId, ReviewerId
from comity.model.message import Message
from comity.ports import Outcome

ANN, MARA, NOOR = AccountId("ann"), ReviewerId("mara"), ReviewerId("noor")
KEY = ("s", MessageId("m"))


@pytest.fixture
def world() -> World:
    return World(agreement("| 1 | remove | | |"), "live")


def reported(world: World, instead: str | None = None) -> DecisionId:
    """A message that everybody could see, until a person confirmed a notice of it."""
    said = Message(id=KEY[1], author=ANN, channel=Channel("posts"), text="Boo.", sent=NOW, source=KEY[0])
    noticed = review.notice(world.proceedings, Notice(message=said, where="", why="Rude.", good_faith=True), NOW)
    known = world.proceedings.record(ANN).case(noticed.case)
    assert known is not None
    deciding = Deciding(case=noticed.case, version=known.version, by=MARA, why="It is rude.")
    review.confirm(world.proceedings, deciding, NOW, clauses=[ClauseId("other")], instead=instead)
    last = world.proceedings.record(ANN).last
    assert last is not None
    return last.id


def due(world: World) -> list[tuple[Treatment, tuple[str, ...]]]:
    return [(each.treatment, each.territory) for each in removals.due(world.store, world.clock.at)]


def done(world: World, treatment: Treatment) -> None:
    removals.acknowledge(world.proceedings, ANN, KEY, treatment, NOW)


def reverse(world: World, decision: DecisionId) -> None:
    filed = appeal.file(world.proceedings, appeal.Complaint(decision=decision, text="No."), NOW)
    appeal.give_outcome(world.proceedings, filed.appeal, AppealOutcome.REVERSED, NOOR, "Right.", NOW)


def test_a_message_that_a_person_removes_is_to_be_withheld_until_its_source_says_so(world: World) -> None:
    decision = reported(world)
    (asked,) = removals.due(world.store, NOW)
    assert asked == Due(
        account=ANN,
        source="s",
        message=KEY[1],
        treatment=Treatment.WITHHELD,
        territory=(),
        statement=decision,
    )
    assert list(removals.due(world.store, NOW, source="another")) == []
    done(world, Treatment.WITHHELD)
    assert due(world) == []


def test_after_a_reversal_it_is_to_be_restored(world: World) -> None:
    decision = reported(world)
    done(world, Treatment.WITHHELD)
    reverse(world, decision)
    assert due(world) == [(Treatment.RESTORED, ())]
    done(world, Treatment.RESTORED)
    assert due(world) == []


def test_what_was_never_taken_down_is_not_to_be_restored(world: World) -> None:
    reverse(world, reported(world))
    assert due(world) == []


def test_what_was_refused_when_it_was_sent_is_only_to_be_restored(world: World) -> None:
    world.say("spam")
    assert due(world) == []
    last = world.proceedings.record(ANN).last
    assert last is not None
    reverse(world, last.id)
    assert due(world) == [(Treatment.RESTORED, ())]


def test_when_the_countries_become_fewer_the_source_is_told_again(world: World) -> None:
    decision = reported(world, "remove in AT DE")
    assert due(world) == [(Treatment.WITHHELD, ("AT", "DE"))]
    done(world, Treatment.WITHHELD)
    amend.correct(world.proceedings, decision, MARA, "Less.", NOW, instead="remove in AT")
    assert due(world) == [(Treatment.WITHHELD, ("AT",))]
    done(world, Treatment.WITHHELD)
    assert due(world) == []


def test_what_is_not_due_cannot_be_acknowledged(world: World) -> None:
    reported(world)
    with pytest.raises(RefusedError, match="to be withheld, not restored"):
        done(world, Treatment.RESTORED)
    done(world, Treatment.WITHHELD)
    with pytest.raises(RefusedError, match="nothing is left"):
        done(world, Treatment.WITHHELD)
    with pytest.raises(RefusedError, match="nothing is left"):
        removals.account_of(world.store, KEY, NOW)


def test_a_removal_that_is_delayed_begins_with_its_time_and_not_with_the_answer() -> None:
    world = World(agreement("| 1 | remove | | after 3 days |"), "live")
    answers = [world.say("spam"), world.say("spam")]  # the second joins
    assert [each.outcome for each in answers] == [Outcome.ALLOWED, Outcome.ALLOWED]
    (one,) = world.proceedings.record(AccountId("ann")).decisions
    (quoted,) = one.decided.statement.messages
    assert not quoted.removed
    amend.deliver(world.proceedings, one.id, How.LINK, NOW)
    states = []
    for hours in (71, 73):
        world.clock.at = NOW + timedelta(hours=hours)
        states.append(due(world))
    assert states == [[], [(Treatment.WITHHELD, ())] * 2]
    (one,) = world.proceedings.record(AccountId("ann")).decisions
    told = as_text("", sections(one, zone=ZoneInfo("UTC"), appeal_window=None)).replace("\n", " ")
    assert "Your message is removed 3 days after you get this statement." in told
    assert "and is removed when the first one is" in told
    assert "was removed" not in told


def test_an_appeal_holds_a_removal_that_has_not_begun() -> None:
    world = World(agreement("| 1 | remove | | after 3 days |"), "live")
    decision = world.say("spam").statement
    assert decision is not None
    amend.deliver(world.proceedings, decision, How.LINK, NOW)
    filed = appeal.file(world.proceedings, appeal.Complaint(decision=decision, text="No."), NOW)
    world.clock.at = NOW + timedelta(days=9)
    assert due(world) == []
    by = ReviewerId("noor")
    appeal.give_outcome(world.proceedings, filed.appeal, AppealOutcome.UPHELD, by, "So.", world.clock.at)
    assert due(world) == [(Treatment.WITHHELD, ())]


def test_a_message_that_joined_is_put_back_when_the_decision_is_reversed() -> None:
    world = World(agreement("| 1 | remove | | |"), "live")
    decision = world.say("spam").statement
    assert decision is not None
    assert world.say("spam").outcome is Outcome.REMOVED
    reverse(world, decision)
    assert due(world) == [(Treatment.RESTORED, ()), (Treatment.RESTORED, ())]


def test_lifting_frees_the_account_and_leaves_the_message_removed() -> None:
    world = World(agreement("| 1 | remove, suspend | all | 7 days |"), "live")
    decision = world.say("spam").statement
    assert decision is not None
    amend.lift(world.proceedings, decision, ReviewerId("mara"), "Enough.", NOW)
    assert due(world) == []


def test_a_reviewer_is_offered_a_removal_that_begins_later_as_something_milder() -> None:
    rows = "| 1 | remove | | after 3 days |\n| 3 | remove | | |"
    world = World(agreement(rows, "decide=review points=3"), "live")
    world.say("spam")
    (case,) = world.proceedings.record(ANN).cases
    deciding = Deciding(case=case.id, version=case.version, by=MARA, why="It is spam.")
    choices = preview.choices(world.proceedings, deciding, NOW, [ClauseId("spam")])
    assert [each.said for each in choices] == ["remove", "remove (3 days after delivery)"]


def test_what_joins_a_removal_that_has_begun_is_removed_at_once() -> None:
    world = World(agreement("| 1 | remove | | after 1 day |", 'once="1 hour"'), "live")
    first = world.say("spam").statement
    assert first is not None
    amend.deliver(world.proceedings, first, How.LINK, NOW)
    outcomes = []
    for hours in (23, 24):
        world.clock.at = NOW + timedelta(hours=hours)
        outcomes.append(world.say("spam", after=timedelta(minutes=hours)).outcome)
    assert outcomes == [Outcome.ALLOWED, Outcome.REMOVED]
    assert [each.message for each in removals.due(world.store, world.clock.at)] == ["1", "2"]
    one = world.proceedings.record(ANN).decisions[0]
    text = as_text("", sections(one, zone=ZoneInfo("UTC"), appeal_window=None)).replace("\n", " ")
    assert "and is removed when the first one is" in text
    assert "and was removed too" in text
