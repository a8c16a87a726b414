"""What follows from findings: steps, ladders, `once`, expiry, automation's ceiling."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from comity.agreement.load import load
from comity.casework.case_facts import CaseOpened, Found
from comity.casework.decide import Judged, decide
from comity.casework.facts import Decided, Delivered, Fact, How, Joined
from comity.casework.points import live_points
from comity.casework.record import Record, fold, standing
from comity.casework.step import Circumstances
from comity.model.agreement import Agreement
from comity.model.clause import Decide, Kind
from comity.model.duration import Duration, Unit
from comity.model.finding import Finding
from comity.model.ids import AccountId, CaseId, Channel, ClauseId, DecisionId, MessageId
from comity.model.measure import State
from comity.model.message import Message

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = Duration(count=1, unit=Unit.MINUTE)

LADDER = """
| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
| 2 | remove, suspend | same | 7 days |
| 4 | remove, suspend | all | until reviewed |
| 6 | terminate | all | |
"""


def agreement(clauses: str, *, ladder: str = LADDER, front: str = "") -> Agreement:
    head = f"---\ncomity: 1\ntitle: Rules\nchannels: [posts, mail]\n{front}---\n\n# Rules\n\n"
    text = f"{head}{clauses}\n## M {{#measures}}\n{ladder}"
    checked = load("rules.md", text.encode(), lambda _: None)
    assert checked.agreement is not None, checked.diagnostics
    return checked.agreement


def clause(name: str, attributes: str = "", rule: str = 'text.says("x")', values: str = "") -> str:
    fences = f"```rule {attributes}\n{rule}\n```\n\n```examples\nbreach: x\n{values}fine: y\n```\n\n"
    return f"## {name} {{#{name}}}\n\nDo not {name}.\n\n{fences}"


class Case:
    """One account's record under one agreement, fed with breaches."""

    def __init__(self, rules: Agreement, *, delivery: Duration | None = MINUTE) -> None:
        self.rules, self.delivery = rules, delivery
        self.facts: list[Fact] = []
        self._ids = count(1)

    @property
    def record(self) -> Record:
        return fold(AccountId("ann"), self.facts)

    def breach(self, *clauses: str, after: timedelta = timedelta(), channel: str = "posts") -> tuple[Fact, ...]:
        number = next(self._ids)
        message = Message(
            id=MessageId(f"m{number}"), author=AccountId("ann"), channel=Channel(channel), text="x", sent=START + after
        )
        findings = tuple(Finding(clause=ClauseId(each)) for each in clauses)
        given = Circumstances(
            at=START + after,
            decision=DecisionId(f"{number:032x}"),
            case=CaseId(f"{number:032x}"),
            delivery=self.delivery,
        )
        facts = decide(self.record, Judged(message=message, findings=findings, agreement=self.rules), given)
        self.facts += facts
        return facts

    def kinds(self, *clauses: str, after: timedelta = timedelta(), channel: str = "posts") -> list[str]:
        facts = self.breach(*clauses, after=after, channel=channel)
        return [str(measure.kind) for fact in facts if isinstance(fact, Decided) for measure in fact.measures]


def days(number: float) -> timedelta:
    return timedelta(days=number)


def test_each_step_climbs_one_row() -> None:
    case = Case(agreement(clause("spam")))
    assert case.kinds("spam") == ["warn"]
    assert case.kinds("spam", after=days(1)) == ["remove", "suspend"]
    assert live_points(case.record, ClauseId("measures"), START + days(1)) == 2


def test_11_nobody_climbs_for_what_they_did_before_they_could_know() -> None:
    case = Case(agreement(clause("spam")))
    case.breach("spam")
    burst = [case.breach("spam", after=timedelta(milliseconds=each)) for each in range(1, 100)]
    assert all(isinstance(fact, Joined) for facts in burst for fact in facts)
    assert live_points(case.record, ClauseId("measures"), START + days(1)) == 1


def test_a_message_sent_at_the_moment_of_delivery_belongs_to_the_step() -> None:
    case = Case(agreement(clause("spam")))
    case.breach("spam")
    (joined,) = case.breach("spam", after=timedelta(minutes=1))
    assert isinstance(joined, Joined)
    assert case.kinds("spam", after=timedelta(minutes=1, microseconds=1)) == ["remove", "suspend"]


def test_an_undelivered_statement_keeps_its_step_open() -> None:
    case = Case(agreement(clause("spam")), delivery=None)
    case.breach("spam")
    (joined,) = case.breach("spam", after=days(30))
    assert isinstance(joined, Joined)
    case.facts.append(
        Delivered(account=AccountId("ann"), at=START + days(31), decision=DecisionId(f"{1:032x}"), how=How.SOURCE)
    )
    assert case.kinds("spam", after=days(32)) == ["remove", "suspend"]


def test_14_expired_points_of_a_step_that_was_never_told_do_not_count() -> None:
    rules = clause("spam", 'expires="30 days"') + clause("threats", 'points=2 expires="30 days"')
    ladder = "\n| points | measure | channels | for |\n|---|---|---|---|\n| 1 | mark | | |\n| 2 | remove | | |\n"
    case = Case(agreement(rules, ladder=ladder), delivery=None)
    assert case.kinds("threats") == ["remove"]
    assert case.kinds("spam", after=days(31)) == ["mark"]


def test_a_graver_breach_of_the_same_step_adds_only_what_makes_it_graver() -> None:
    case = Case(agreement(clause("spam") + clause("threats", "points=2")))
    case.breach("spam")
    facts = case.breach("threats", after=timedelta(seconds=1))
    decided = next(fact for fact in facts if isinstance(fact, Decided))
    assert decided.step == 1
    assert [points.count for points in decided.points] == [1]
    assert {measure.kind for measure in decided.measures} == {Kind.REMOVE, Kind.SUSPEND}


def test_several_clauses_in_one_message_add_the_points_of_the_gravest() -> None:
    case = Case(agreement(clause("spam") + clause("threats", "points=2")))
    assert case.kinds("spam", "threats") == ["remove", "suspend"]
    assert live_points(case.record, ClauseId("measures"), START) == 2


def test_9_automation_never_terminates_and_asks_a_person() -> None:
    case = Case(agreement(clause("worst", "points=8")))
    facts = case.breach("worst")
    decided = next(fact for fact in facts if isinstance(fact, Decided))
    assert Kind.TERMINATE not in {measure.kind for measure in decided.measures}
    assert {measure.kind for measure in decided.measures} == {Kind.REMOVE, Kind.SUSPEND}
    assert any(isinstance(fact, CaseOpened) for fact in facts)


def test_where_every_row_terminates_only_the_message_is_removed() -> None:
    ladder = "\n| points | measure | channels | for |\n|---|---|---|---|\n| 1 | remove, terminate | all | |\n"
    case = Case(agreement(clause("spam"), ladder=ladder))
    assert case.kinds("spam") == ["remove"]


def test_points_expire_but_never_before_their_measure_ends() -> None:
    case = Case(agreement(clause("spam", 'points=2 expires="3 days"')))
    assert case.kinds("spam") == ["remove", "suspend"]
    measures = ClauseId("measures")
    assert live_points(case.record, measures, START + days(6.9)) == 2
    assert live_points(case.record, measures, START + days(7)) == 0


def test_clean_points_end_together_after_a_time_without_a_breach() -> None:
    case = Case(agreement(clause("spam"), front="points_expire: 10 days clean\n"))
    case.breach("spam")
    case.breach("spam", after=days(9))
    measures = ClauseId("measures")
    assert live_points(case.record, measures, START + days(18.9)) == 2
    assert live_points(case.record, measures, START + days(19)) == 0


def test_once_joins_without_a_point_and_without_extending_itself() -> None:
    case = Case(agreement(clause("spam", 'once="1 day"')))
    case.breach("spam")
    (joined,) = case.breach("spam", after=timedelta(hours=23))
    assert isinstance(joined, Joined)
    assert case.kinds("spam", after=timedelta(hours=25)) == ["remove", "suspend"]


def test_conduct_is_never_removed() -> None:
    flood = clause("flood", "points=2", "author.messages(minutes(1)) > 5", "  author.messages: 6\n")
    case = Case(agreement(flood))
    assert case.kinds("flood") == ["suspend"]


def test_below_the_first_row_there_is_no_measure_but_a_statement() -> None:
    ladder = "\n| points | measure | channels | for |\n|---|---|---|---|\n| 2 | warn | | |\n"
    case = Case(agreement(clause("spam"), ladder=ladder))
    (decided, _delivered) = case.breach("spam")
    assert isinstance(decided, Decided)
    assert decided.measures == ()
    assert decided.statement.id == decided.decision


def test_rows_that_share_a_number_all_apply() -> None:
    ladder = (
        "\n| points | measure | channels | for |\n|---|---|---|---|\n"
        "| 1 | suspend | posts | 1 day |\n| 1 | limit to 5 an hour | mail | 2 days |\n"
    )
    case = Case(agreement(clause("spam"), ladder=ladder))
    case.breach("spam")
    assert standing(case.record, Channel("posts"), START).state is State.CUT
    assert standing(case.record, Channel("mail"), START).state is State.LIMITED
    assert standing(case.record, Channel("posts"), START + days(1)).state is State.OPEN
    assert standing(case.record, Channel("mail"), START + days(1)).state is State.LIMITED


def test_a_clause_with_no_points_takes_row_0_whatever_is_live() -> None:
    ladder = LADDER.replace("| 1 | warn", "| 0 | mark | | |\n| 1 | warn")
    case = Case(agreement(clause("spam") + clause("typo", "points=0"), ladder=ladder))
    case.breach("spam")
    assert case.kinds("typo", after=days(1)) == ["mark"]


def test_a_delayed_measure_starts_after_its_statement_is_delivered() -> None:
    ladder = (
        "\n| points | measure | channels | for |\n|---|---|---|---|\n| 1 | suspend | all | after 3 days: 2 days |\n"
    )
    case = Case(agreement(clause("spam"), ladder=ladder), delivery=None)
    case.breach("spam")
    posts = Channel("posts")
    assert standing(case.record, posts, START + days(30)).state is State.OPEN
    case.facts.append(
        Delivered(account=AccountId("ann"), at=START + days(40), decision=DecisionId(f"{1:032x}"), how=How.SOURCE)
    )
    states = [standing(case.record, posts, START + days(each)).state for each in (42.9, 43, 44.9, 45)]
    assert states == [State.OPEN, State.CUT, State.CUT, State.OPEN]


def test_a_measure_until_reviewed_ends_by_itself_after_the_time_for_reviews() -> None:
    case = Case(agreement(clause("worst", "points=4"), front="review_within: 5 days\n"))
    facts = case.breach("worst")
    assert any(isinstance(fact, CaseOpened) for fact in facts)
    posts = Channel("posts")
    assert standing(case.record, posts, START + days(4.9)).state is State.CUT
    assert standing(case.record, posts, START + days(5)).state is State.OPEN


@pytest.mark.parametrize("decided_as", ["review", "hold", "shadow"])
def test_what_a_rule_may_not_decide_is_only_found(decided_as: str) -> None:
    case = Case(agreement(clause("spam", f"decide={decided_as}")))
    facts = case.breach("spam")
    found = next(fact for fact in facts if isinstance(fact, Found))
    assert found.decide is Decide(decided_as)
    assert not any(isinstance(fact, Decided) for fact in facts)
    assert any(isinstance(fact, CaseOpened) for fact in facts) == (decided_as != "shadow")


def test_findings_for_a_person_join_the_open_case() -> None:
    case = Case(agreement(clause("spam", "decide=review")))
    opened, _ = case.breach("spam")
    (found,) = case.breach("spam", after=days(1))
    assert isinstance(found, Found)
    assert isinstance(opened, CaseOpened)
    assert found.case == opened.case


def test_a_message_that_joins_is_treated_as_the_row_says_for_its_own_clause() -> None:
    ladder = "\n| points | measure | channels | for |\n|---|---|---|---|\n| 0 | mark | | |\n| 1 | remove, warn | | |\n"
    flood = clause("flood", "", "author.messages(minutes(1)) > 5", "  author.messages: 6\n")
    case = Case(agreement(clause("spam") + clause("typo", "points=0") + flood, ladder=ladder))
    assert case.kinds("flood") == ["warn"]
    (spam,) = case.breach("spam", after=timedelta(seconds=1))
    assert isinstance(spam, Joined)
    assert (spam.removed, spam.marked) == (True, False)
    (typo,) = case.breach("typo", after=timedelta(seconds=2))
    assert isinstance(typo, Joined)
    assert (typo.removed, typo.marked) == (False, True)
    (again,) = case.breach("flood", after=timedelta(seconds=3))
    assert isinstance(again, Joined)
    assert not again.removed


def test_a_row_that_warns_and_restricts_does_both() -> None:
    ladder = "\n| points | measure | channels | for |\n|---|---|---|---|\n| 1 | warn, suspend | all | 1 day |\n"
    assert Case(agreement(clause("spam"), ladder=ladder)).kinds("spam") == ["warn", "suspend"]


def test_within_a_step_a_ladder_to_which_nothing_is_added_takes_no_new_measure() -> None:
    head = "\n| points | measure | channels | for |\n|---|---|---|---|\n"
    own = clause("abuse") + f"{head}| 1 | remove, suspend | mail | 2 days |\n\n"
    case = Case(agreement(clause("spam") + own, ladder=f"{head}| 1 | remove, suspend | posts | 1 day |\n"))
    assert case.kinds("spam") == ["remove", "suspend"]
    facts = case.breach("spam", "abuse", after=timedelta(seconds=1))
    decided = next(fact for fact in facts if isinstance(fact, Decided))
    assert {(str(each.kind), each.channels) for each in decided.measures} == {("remove", ()), ("suspend", ("mail",))}
