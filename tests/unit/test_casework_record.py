"""What follows from a record at a time: points that were there by then, measures that still hold."""

from __future__ import annotations

from test_casework_decide import START, Case, agreement, clause, days

from comity.casework.facts import Delivered, How
from comity.casework.points import known_points, live_points
from comity.casework.record import measures, standing
from comity.model.ids import AccountId, Channel, ClauseId, DecisionId
from comity.model.measure import State

MAIN = ClauseId("measures")
POSTS = Channel("posts")
HEAD = "\n| points | measure | channels | for |\n|---|---|---|---|\n"


def delivered(case: Case, number: int, *, after: float) -> None:
    decision = DecisionId(f"{number:032x}")
    case.facts.append(Delivered(account=AccountId("ann"), at=START + days(after), decision=decision, how=How.SOURCE))


def test_points_are_not_live_before_they_were_decided() -> None:
    case = Case(agreement(clause("spam")))
    case.breach("spam", after=days(5))
    assert live_points(case.record, MAIN, START + days(4)) == 0
    assert live_points(case.record, MAIN, START + days(5)) == 1


def test_points_are_kept_until_a_delayed_measure_has_ended() -> None:
    case = Case(
        agreement(clause("spam", 'expires="3 days"'), ladder=f"{HEAD}| 1 | suspend | all | after 5 days: 2 days |\n"),
        delivery=None,
    )
    case.breach("spam")
    delivered(case, 1, after=1)
    assert live_points(case.record, MAIN, START + days(4)) == 1
    assert live_points(case.record, MAIN, START + days(7.9)) == 1
    assert live_points(case.record, MAIN, START + days(8)) == 0


def test_a_pause_ends_the_points_before_it_and_none_after_it() -> None:
    case = Case(agreement(clause("spam"), front="points_expire: 10 days clean\n", ladder=f"{HEAD}| 1 | warn | | |\n"))
    for each in (0, 9, 19, 28):
        case.breach("spam", after=days(each))
    assert [live_points(case.record, MAIN, START + days(each)) for each in (18.9, 19, 28, 37.9, 38)] == [2, 1, 2, 2, 0]
    assert known_points(case.record, MAIN, START + days(30), besides=4) == 1


def test_a_long_measure_holds_behind_many_short_ones() -> None:
    ladder = f"{HEAD}| 1 | suspend | same | 300 days |\n| 2 | suspend | same | 1 day |\n"
    case = Case(agreement(clause("spam", "points=1 expires=never"), ladder=ladder))
    case.breach("spam", channel="posts")
    for each in range(1, 20):
        case.breach("spam", after=days(2 * each), channel="mail")
    for at in (START + days(each / 2) for each in range(620)):
        found = standing(case.record, POSTS, at)
        assert (found.state is State.CUT) == (at < START + days(300))
        assert found.by in (None, *measures(case.record))


def test_a_measure_without_a_known_end_holds_behind_others_that_have_ended() -> None:
    ladder = f"{HEAD}| 1 | suspend | posts | until acknowledged |\n| 2 | suspend | mail | 1 day |\n"
    case = Case(agreement(clause("spam"), ladder=ladder))
    case.breach("spam")
    case.breach("spam", after=days(1))
    assert standing(case.record, POSTS, START + days(1000)).state is State.CUT
    assert standing(case.record, Channel("mail"), START + days(1000)).state is State.OPEN
