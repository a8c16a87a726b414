"""Small faults that were planted in the record and got past the tests there were: each test here catches one."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from test_casework_decide import LADDER, START, agreement, clause, days
from test_casework_people import ANN, MARA, NOOR, POSTS, Record, kinds
from test_flow_record import DAY, NOW, World
from test_flow_record import agreement as rules_with

from comity.agreement.ladders import read_choice
from comity.casework import amend, review
from comity.casework.facts import AppealOutcome, AppealsPutOff, ConditionMet, Decided, Joined, Party
from comity.casework.record import standing
from comity.casework.recorded import more_time
from comity.casework.refused import RefusedError, TookPartError
from comity.flow import amend as changing
from comity.flow import review as reviewing
from comity.model.clause import Kind
from comity.model.ids import Channel, ClauseId, Digest
from comity.model.measure import State

MAIL = Channel("mail")


def test_the_time_to_appeal_grows_by_no_more_than_what_was_left_of_putting_off_when_it_began() -> None:
    waits = AppealsPutOff(account=ANN, at=START, party=Party.ACCOUNT, until=START + days(10), by=MARA, why="Too many.")
    assert more_time([waits], START + days(8), Party.ACCOUNT) == days(2)
    assert more_time([waits], START + days(8), Party.NOTIFIER) == days(0)


def test_once_runs_from_the_first_message_of_a_decision_and_not_from_its_last() -> None:
    ann = Record(agreement(clause("spam", 'once="2 days"')))
    case, first = ann.reported(sent=START)
    _, second = ann.reported(sent=START + days(1.9))
    ann.confirm(case, first, second, at=START + days(1.95))
    assert any(isinstance(fact, Decided) for fact in ann.breach("spam", after=days(2.5)))


def test_a_point_counts_for_messages_decided_together_if_it_was_live_when_the_earliest_was_sent() -> None:
    ann = Record(agreement(clause("spam", 'expires="10 days"')))
    ann.breach("spam")
    case, first = ann.reported(sent=START + days(9))
    _, second = ann.reported(sent=START + days(11))
    made = ann.confirm(case, first, second, at=START + days(12))
    assert Kind.SUSPEND in kinds(made)


def test_the_table_is_that_of_the_newest_version_among_the_messages() -> None:
    ann = Record(agreement(clause("spam")))
    newer = agreement(clause("spam"), ladder=LADDER.replace("| 1 | warn", "| 1 | mark"))
    case, first = ann.reported(sent=START)
    _, second = ann.reported(sent=START + days(1))
    second = replace(second, clause=newer.clause(ClauseId("spam")), agreement=newer)
    made = ann.confirm(case, first, second, at=START + days(2))
    assert kinds(made) == [Kind.MARK]


def test_the_least_time_of_a_measure_that_was_exchanged_began_with_the_first() -> None:
    row = "| 1 | suspend | all | until acknowledged, at least 3 days |"
    ann = Record(agreement(clause("spam"), ladder=LADDER.replace("| 1 | warn | | |", row)))
    ann.breach("spam")
    milder = read_choice("suspend | posts | until acknowledged, at least 3 days", ann.rules)
    at, version_of = START + days(2), ann.version_of
    ann.keep(amend.correct(ann.record, ann.last.id, MARA, "Not mail.", at, rows=milder, version_of=version_of))
    at = START + days(2.5)
    ann.keep([ConditionMet(account=ANN, at=at, decision=ann.last.id, condition="acknowledged", by="account")])
    states = [standing(ann.record, POSTS, START + days(each)).state for each in (2.9, 3)]
    assert states == [State.CUT, State.OPEN]


def test_a_pause_ends_with_the_outcome_and_the_measure_goes_on() -> None:
    ann = Record(agreement(clause("threats", "points=2"), front="decide_within: 1 day\n"))
    ann.breach("threats")
    filed = ann.appealed(ann.last.id, START)
    ann.outcome(filed, AppealOutcome.UPHELD, at=START + days(3))
    states = [standing(ann.record, POSTS, START + days(each)).state for each in (0.9, 2, 3, 6.9, 7)]
    assert states == [State.CUT, State.OPEN, State.CUT, State.CUT, State.OPEN]


def test_an_appeal_that_was_omitted_is_not_decided_afterwards() -> None:
    ann = Record(agreement(clause("spam")))
    ann.breach("spam")
    filed = ann.appealed(ann.last.id, START + days(1))
    ann.outcome(filed, AppealOutcome.OMITTED, at=START + days(2))
    with pytest.raises(RefusedError, match="decided already: omitted"):
        ann.outcome(filed, AppealOutcome.REVERSED, at=START + days(3))


def test_16_who_added_a_breach_to_a_decision_does_not_decide_its_appeal() -> None:
    ann = Record(agreement(clause("spam")), delivery=None)
    ann.breach("spam")
    case, one = ann.reported(sent=START)
    assert any(isinstance(fact, Joined) for fact in ann.confirm(case, one, at=START + days(1)))
    filed = ann.appealed(ann.last.id, START + days(2))
    with pytest.raises(TookPartError):
        ann.outcome(filed, AppealOutcome.UPHELD, by=MARA, at=START + days(3))
    ann.outcome(filed, AppealOutcome.UPHELD, by=NOOR, at=START + days(3))


def test_only_whoever_holds_a_case_hands_it_over() -> None:
    ann = Record(agreement(clause("spam")))
    case, _ = ann.reported(sent=START)
    until = START + days(1)
    with pytest.raises(RefusedError, match="not claimed"):
        review.hand_over(ann.record, case, MARA, NOOR, START, until)
    ann.keep(review.claim(ann.record, case, MARA, START, until))
    ann.keep(review.hand_over(ann.record, case, MARA, NOOR, START, until))
    with pytest.raises(RefusedError, match="noor works on the case"):
        review.hand_over(ann.record, case, MARA, MARA, START, until)


def test_a_decision_that_takes_the_place_of_another_ends_its_measures() -> None:
    world = World(rules_with("| 1 | suspend | all | until reviewed |"), "live")
    world.say("spam")
    (case,) = world.proceedings.record(ANN).cases
    deciding = reviewing.Deciding(case=case.id, version=case.version, by=MARA, why="A day will do.")
    reviewing.confirm(world.proceedings, deciding, NOW, instead="suspend | posts | 1 day")
    record = world.proceedings.record(ANN)
    assert standing(record, MAIL, NOW).state is State.OPEN
    assert [standing(record, POSTS, NOW + each * DAY).state for each in (0.9, 1)] == [State.CUT, State.OPEN]


def test_data_are_not_erased_while_a_case_about_them_is_open() -> None:
    world = World(rules_with("| 1 | warn | | |", "decide=review"), "live")
    world.say("spam")
    with pytest.raises(RefusedError, match="a case is open"):
        changing.erase(world.proceedings, ANN, NOW, keep_hash=False)


def test_undoing_takes_what_that_version_led_to_since_that_time_and_nothing_else() -> None:
    rules = rules_with("| 1 | warn | | |")
    world = World(rules, "live")
    world.say("spam")
    spam, other = ClauseId("spam"), Digest("sha256:" + "0" * 64)
    assert len(changing.caused(world.proceedings, spam, rules.digest, NOW).alone) == 1
    assert changing.caused(world.proceedings, spam, rules.digest, NOW + DAY).alone == ()
    assert changing.caused(world.proceedings, spam, other, NOW).alone == ()
    assert changing.caused(world.proceedings, ClauseId("other"), rules.digest, NOW).alone == ()


def test_putting_off_notifiers_appeals_leaves_the_accounts_due_as_they_were() -> None:
    ann = Record(agreement(clause("spam")))
    ann.breach("spam")
    ann.appealed(ann.last.id, START + days(1))
    for party, waits in ((Party.NOTIFIER, 0), (Party.ACCOUNT, 10)):
        at = START + days(2)
        ann.keep([AppealsPutOff(account=ANN, at=at, party=party, until=at + days(10), by=MARA, why="Too many.")])
        (filed,) = ann.last.appeals
        assert filed.put_off == days(waits)


def test_15_the_last_day_to_appeal_counts_whole_where_it_ends_last() -> None:
    last = datetime(2026, 7, 5, 12, tzinfo=UTC)  # in UTC-12 the 4 July, 184 days after delivery, ends then
    for at, is_taken in ((last - timedelta(minutes=1), True), (last, False)):
        ann = Record(agreement(clause("spam")))
        ann.breach("spam")
        with nullcontext() if is_taken else pytest.raises(RefusedError, match="ended on 05 July 2026, 12:00 UTC"):
            ann.appealed(ann.last.id, at)


def test_16_who_corrected_a_decision_does_not_decide_its_appeal() -> None:
    ann = Record(agreement(clause("spam")))
    ann.breach("spam")
    at, version_of = START + days(1), ann.version_of
    ann.keep(amend.correct(ann.record, ann.last.id, MARA, "A word.", at, rows=None, version_of=version_of))
    filed = ann.appealed(ann.last.id, START + days(2))
    with pytest.raises(TookPartError):
        ann.outcome(filed, AppealOutcome.REVERSED, by=MARA, at=START + days(3))


def test_what_a_person_adds_to_a_decision_within_once_bears_their_name() -> None:
    ann = Record(agreement(clause("spam", 'once="2 days"')))
    ann.breach("spam")
    case, one = ann.reported(sent=START + days(1))
    added = [fact for fact in ann.confirm(case, one, at=START + days(1.5)) if isinstance(fact, Joined)]
    assert [fact.by for fact in added] == [MARA]
