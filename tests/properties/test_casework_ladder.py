"""Laws of the ladder, over random ladders and random lives: who climbs, how far, and when it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from comity.agreement.load import load
from comity.casework.decide import Judged, decide
from comity.casework.facts import Decided, Fact, Joined, decode, encode
from comity.casework.points import counted, known, known_points
from comity.casework.record import Record, after, fold, measures, standing
from comity.casework.step import Circumstances
from comity.model.agreement import Agreement
from comity.model.clause import Kind
from comity.model.duration import Duration, Unit
from comity.model.finding import Finding
from comity.model.ids import AccountId, CaseId, Channel, ClauseId, DecisionId, MessageId
from comity.model.measure import State
from comity.model.message import Message

START = datetime(2026, 1, 1, tzinfo=UTC)
POSTS = Channel("posts")
MAIN = ClauseId("measures")
ROWS = ("warn | |", "limit to 9 an hour | all | 2 days", "suspend | same | 3 days", "suspend | all | 5 days")
LAST = "terminate | all |"
RANKS = {kind: rank for rank, kind in enumerate(Kind)}

Life = list[tuple[int, int]]
"""Hours since the breach before, and which clause."""


@st.composite
def agreements(draw: st.DrawFn) -> Agreement:
    """Ladders whose rows get graver, three clauses of different points, sometimes with `once` or another expiry."""
    numbers = sorted(draw(st.sets(st.integers(1, 9), min_size=len(ROWS) + 1, max_size=len(ROWS) + 1)))
    rows = "".join(f"| {points} | {row} |\n" for points, row in zip(numbers, (*ROWS, LAST), strict=True))
    expiry = draw(st.sampled_from(["90 days", "3 days", "never", "4 days clean"]))
    clauses = "".join(_clause(number, draw) for number in range(3))
    text = (
        f"---\ncomity: 1\ntitle: Rules\nchannels: [posts, mail]\npoints_expire: {expiry}\n---\n\n# Rules\n\n{clauses}"
        f"## Measures {{#measures}}\n\n| points | measure | channels | for |\n|---|---|---|---|\n{rows}"
    )
    agreement = load("rules.md", text.encode(), lambda _: None).agreement
    assert agreement is not None
    return agreement


def _clause(number: int, draw: st.DrawFn) -> str:
    attributes = f"points={draw(st.integers(1, 4))}" + draw(st.sampled_from(["", ' once="1 day"']))
    return f"## C {{#c{number}}}\n\nDo not.\n\n```rule {attributes}\ntext.says('x')\n```\n\n"


def lived(agreement: Agreement, life: Life, *, start: datetime = START) -> list[Fact]:
    """The facts of one account that breached, each statement delivered a minute later."""
    facts: list[Fact] = []
    ids, sent = count(int((start - START).total_seconds())), start
    for hours, clause in life:
        sent += timedelta(hours=hours)
        facts += breached(agreement, fold(AccountId("ann"), facts), sent, clause, next(ids))
    return facts


def breached(agreement: Agreement, record: Record, sent: datetime, clause: int, number: int) -> tuple[Fact, ...]:
    message = Message(id=MessageId(f"m{number}"), author=AccountId("ann"), channel=POSTS, text="x", sent=sent)
    findings = (Finding(clause=ClauseId(f"c{clause}")),)
    given_ = Circumstances(
        at=sent,
        decision=DecisionId(f"{number % 2**64:032x}"),
        case=CaseId(f"{number % 2**64:032x}"),
        delivery=Duration(count=1, unit=Unit.MINUTE),
    )
    return decide(record, Judged(message=message, findings=findings, agreement=agreement), given_)


lives = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), max_size=8)


def gravity(facts: tuple[Fact, ...]) -> int:
    return max((RANKS[each.kind] for one in facts if isinstance(one, Decided) for each in one.measures), default=-1)


@given(agreements(), lives, lives, st.integers(0, 2))
def test_10_a_longer_record_never_earns_a_milder_measure(
    agreement: Agreement, earlier: Life, life: Life, clause: int
) -> None:
    before = lived(agreement, earlier, start=START - timedelta(days=30))
    short = lived(agreement, life)
    end = START + timedelta(hours=sum(hours for hours, _ in life), days=2)
    long = fold(AccountId("ann"), before)
    for number, (at, which) in enumerate(_times(life)):
        for fact in breached(agreement, long, at, which, 10**6 + number):
            long = after(long, fact)
    one = breached(agreement, fold(AccountId("ann"), short), end, clause, 10**7)
    other = breached(agreement, long, end, clause, 10**7)
    assert gravity(other) >= gravity(one)


def _times(life: Life) -> list[tuple[datetime, int]]:
    sent, times = START, []
    for hours, which in life:
        sent += timedelta(hours=hours)
        times.append((sent, which))
    return times


@given(agreements(), lives)
def test_9_automation_never_terminates(agreement: Agreement, life: Life) -> None:
    kinds = {each.kind for one in lived(agreement, life) if isinstance(one, Decided) for each in one.measures}
    assert Kind.TERMINATE not in kinds


@given(agreements(), lives)
def test_1_every_decision_carries_its_statement_and_the_statement_its_measures(
    agreement: Agreement, life: Life
) -> None:
    for fact in lived(agreement, life):
        if isinstance(fact, Decided):
            assert fact.statement.id == fact.decision
            assert fact.statement.measures == fact.measures
            assert fact.statement.breaches == fact.breaches


@given(agreements(), lives)
def test_11_no_step_counts_a_point_whose_statement_was_not_delivered(agreement: Agreement, life: Life) -> None:
    facts = lived(agreement, life)
    for number, fact in enumerate(facts):
        if isinstance(fact, Decided):
            record = fold(AccountId("ann"), facts[:number])
            same_step = sum(
                points.count
                for one in record.decisions
                if one.decided.step == fact.step
                for points in one.decided.points
            )
            known = known_points(record, MAIN, fact.breaches[0].sent, besides=fact.step)
            assert dict(fact.statement.live)[MAIN] == known + same_step + sum(each.count for each in fact.points)


@given(agreements(), st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_a_burst_before_the_statement_arrives_is_one_step(agreement: Agreement, seconds: list[int]) -> None:
    record, facts = Record(account=AccountId("ann")), []
    for number, second in enumerate(sorted(seconds)):
        for fact in breached(agreement, record, START + timedelta(seconds=second), 0, number):
            facts.append(fact)
            record = after(record, fact)
    assert sum(isinstance(fact, Decided) for fact in facts) == 1
    assert sum(isinstance(fact, Joined) for fact in facts) == len(seconds) - 1


@given(agreements(), lives, st.integers(0, 2000))
def test_12_standing_is_the_strictest_active_measure_and_ends_with_it(
    agreement: Agreement, life: Life, hours: int
) -> None:
    record = fold(AccountId("ann"), lived(agreement, life))
    at = START + timedelta(hours=hours)
    active = [each for each in measures(record) if POSTS in each.channels and each.is_active(at)]
    found = standing(record, POSTS, at)
    assert (found.state is State.OPEN) == (not active)
    assert found.state is State.CUT or not any(each.kind is Kind.SUSPEND for each in active)
    for each in active:
        assert each.end is not None
        assert not each.is_active(each.end)


@given(agreements(), lives)
def test_20_facts_survive_being_written_and_the_fold_does_not_depend_on_batches(
    agreement: Agreement, life: Life
) -> None:
    facts = lived(agreement, life)
    again = [decode(encode(fact)) for fact in facts]
    assert again == facts
    middle = len(facts) // 2
    record = fold(AccountId("ann"), facts[:middle])
    for fact in facts[middle:]:
        record = after(record, fact)
    assert record == fold(AccountId("ann"), again)


@given(agreements(), lives)
def test_14_points_that_are_not_asked_any_more_would_not_count(agreement: Agreement, life: Life) -> None:
    record = fold(AccountId("ann"), lived(agreement, life))
    ends = [one.forgotten for one in record.decisions if one.forgotten is not None]
    for at in (end - before for end in ends for before in (timedelta(days=1), timedelta(seconds=1), timedelta())):
        every = [one for one in record.decisions if one.is_live and one.delivered is not None and one.delivered < at]
        assert counted(record, known(record, at, besides=None), MAIN, at) == counted(record, every, MAIN, at)
