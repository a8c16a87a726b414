"""Decisions that a person takes anew: their points live on in the new one, and what counted them follows it down."""

from __future__ import annotations

import pytest
from due_process_lives import PEOPLE, Lives

from comity.casework.case_facts import CaseKind
from comity.casework.recorded import Recorded
from comity.casework.refused import RefusedError
from comity.casework.review import Deciding
from comity.flow import amend, review
from comity.model.clause import Kind
from comity.model.ids import ClauseId


@pytest.fixture
def lives() -> Lives:
    made = Lives()
    made.begin()
    return made


def confirm_a_report(lives: Lives, clause: str) -> None:
    lives.report(clause)
    case = lives.record.open_case(CaseKind.REVIEW)
    assert case is not None
    deciding = Deciding(case=case.id, version=case.version, by=PEOPLE[0], why="So.")
    review.confirm(lives.proceedings, deciding, lives.clock.at)


def decide_anew(lives: Lives, *, clauses: tuple[str, ...], about: Recorded | None = None) -> None:
    """A measure that lasts until it is reviewed, by a person who finds `clauses` in it; a milder one."""
    asked = [each for each in lives.record.open_cases if each.opened.kind is CaseKind.UNTIL_REVIEWED]
    case = next(each for each in asked if about is None or each.opened.about == about.id)
    deciding = Deciding(case=case.id, version=case.version, by=PEOPLE[1], why="Because.")
    named = [ClauseId(each) for each in clauses]
    review.confirm(lives.proceedings, deciding, lives.clock.at, clauses=named, instead="suspend | posts | 2 days")


def terminated_after_one_to_review(lives: Lives) -> Recorded:
    """At 6 points, two of them of a decision that lasts until it is reviewed."""
    for text in ("spam", "threat", "spam threat"):
        lives.offend_and_know(text, 1)
    confirm_a_report(lives, "spam")
    last = lives.record.decisions[-1]
    assert Kind.TERMINATE in {each.kind for each in last.foreseen}
    return last


def kinds(lives: Lives, of: Recorded) -> set[Kind]:
    now = lives.record.decision(of.id)
    assert now is not None
    return {each.kind for each in now.foreseen}


def test_14_what_counted_a_decision_follows_it_down_when_it_is_taken_anew_with_fewer_points(lives: Lives) -> None:
    last = terminated_after_one_to_review(lives)
    decide_anew(lives, clauses=("spam",))
    assert kinds(lives, last) == {Kind.SUSPEND}


def test_14_what_counted_a_decision_stays_when_it_is_taken_anew_with_the_same_points(lives: Lives) -> None:
    last = terminated_after_one_to_review(lives)
    decide_anew(lives, clauses=("threats",))
    assert kinds(lives, last) == {Kind.TERMINATE}


def test_14_a_decision_in_anothers_place_that_is_reversed_takes_its_points_along(lives: Lives) -> None:
    last = terminated_after_one_to_review(lives)
    decide_anew(lives, clauses=("threats",))
    lives.deliver_all()
    lives.appeal_and_reverse(len(lives.record.decisions) - 1, PEOPLE[2])
    assert kinds(lives, last) == {Kind.SUSPEND}


def test_14_what_came_later_in_a_step_does_not_take_over_the_points_of_what_is_taken_anew(lives: Lives) -> None:
    for text in ("threat", "spam"):
        lives.offend_and_know(text, 1)
    confirm_a_report(lives, "spam")
    confirm_a_report(lives, "threats")
    first, later = lives.record.decisions[-2:]
    assert first.decided.step == later.decided.step
    decide_anew(lives, clauses=("spam",), about=first)
    assert [each.count for each in lives.record.decisions[-1].decided.points] == [1]


def test_05_what_would_be_over_by_now_is_no_milder_than_a_warning_that_took_its_place(lives: Lives) -> None:
    """The ledger tells each version of a statement, also one whose measure holds no more."""
    lives.know_only_the_last()
    lives.deliver_all()
    lives.climb_and_lift()
    lives.undo()
    warned = lives.record.decisions[1]
    assert (kinds(lives, warned), warned.since) == ({Kind.WARN}, lives.clock.at)
    with pytest.raises(RefusedError, match="harsher than the decision"):
        amend.correct(lives.proceedings, warned.id, PEOPLE[0], "So.", lives.clock.at, instead="suspend | all | 9 days")
