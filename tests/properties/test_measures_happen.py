"""What counts as milder turns out milder: at every time, whenever statements arrive and conditions are met.

The order of measures is decided beforehand; here it is held against what the record makes of them afterwards.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from test_measures_order import AT, CHANNELS, CONDITIONS, Row, groups, of, rows, terms

from comity.casework.facts import ConditionMet, Delivered, Fact, How
from comity.casework.record import fold
from comity.casework.severity import RISING, is_milder, level, mildest
from comity.model.clause import Act, Kind, Reaches, Term, Until
from comity.model.duration import Duration, Unit
from comity.model.ids import AccountId, Channel
from comity.model.measure import Measure
from comity.testing.store_values import decided

Measures = tuple[Measure, ...]
Happens = dict[str, int]
"""After how many days the statement is `delivered`, and conditions are met; what is missing never happens."""

HOUR = timedelta(hours=1)
happenings = st.dictionaries(st.sampled_from(["delivered", *CONDITIONS]), st.integers(0, 9))
one_row = st.lists(rows(terms), min_size=1, max_size=1).map(of)


def settled(measures: Measures, happens: Happens) -> Measures:
    """The measures with the times that the record gives them."""
    taken = replace(decided("ann", "0" * 32), at=AT, measures=measures, review_within=days(7))
    facts: list[Fact] = [taken]
    for what, day in happens.items():
        at = AT + timedelta(days=day)
        if what == "delivered":
            facts.append(Delivered(account=taken.account, at=at, decision=taken.decision, how=How.LINK))
        else:
            facts.append(ConditionMet(account=taken.account, at=at, decision=taken.decision, condition=what, by="m"))
    return fold(AccountId("ann"), facts).decisions[0].measures


def days(count: int) -> Duration:
    return Duration(count=count, unit=Unit.DAY)


def harsher(one: Measures, other: Measures, happens: Happens) -> list[tuple[Channel, datetime]]:
    """When and where the first turns out stricter than the second."""
    first, second = settled(one, happens), settled(other, happens)
    times = [AT + timedelta(days=day) - shift for day in range(25) for shift in (timedelta(), HOUR)]
    return [
        (channel, at)
        for channel in CHANNELS
        for at in times
        if strictest(first, channel, at) > strictest(second, channel, at)
    ]


def strictest(measures: Measures, channel: Channel, at: datetime) -> tuple[int, float]:
    rising = [each for each in measures if each.kind in RISING and channel in each.channels and each.is_active(at)]
    return max(map(level, rising), default=(-1, 0.0))


@given(one_row | groups, one_row | groups, happenings)
def test_10_what_is_milder_is_nowhere_more_whatever_happens(one: Measures, other: Measures, happens: Happens) -> None:
    if is_milder(one, other):
        assert harsher(one, other, happens) == []


@given(one_row | groups, one_row | groups, happenings)
def test_14_the_mildest_of_two_is_nowhere_more_than_either(one: Measures, other: Measures, happens: Happens) -> None:
    low = mildest(one, other)
    for each in (one, other):
        assert is_milder(low, each)
        assert harsher(low, each, happens) == []


def suspended(term: Term) -> Measures:
    return of([Row(points=1, acts=(Act(kind=Kind.SUSPEND),), channels=Reaches.ALL, term=term, line=1)])


def until(*conditions: str) -> Term:
    return Term(length=Until(conditions=conditions))


def test_10_a_delayed_measure_is_milder_than_one_that_holds_for_good_at_once() -> None:
    assert is_milder(suspended(Term(delay=days(2))), suspended(Term()))
    assert not is_milder(suspended(Term()), suspended(Term(delay=days(2))))


def test_10_a_delayed_measure_is_not_milder_than_one_that_ends_since_it_may_come_after_it() -> None:
    assert not is_milder(suspended(Term(length=days(1), delay=days(2))), suspended(Term(length=days(7))))


def test_10_a_longer_delay_is_milder_only_without_an_end() -> None:
    assert is_milder(suspended(Term(delay=days(5))), suspended(Term(delay=days(2))))
    assert not is_milder(suspended(Term(length=days(3), delay=days(5))), suspended(Term(length=days(3), delay=days(2))))
    assert is_milder(suspended(Term(length=days(1), delay=days(3))), suspended(Term(length=days(3), delay=days(2))))


def test_10_fewer_conditions_are_milder_and_others_are_not() -> None:
    both, one, other = until("attested", "acknowledged"), until("attested"), until("withdrawn")
    assert is_milder(suspended(one), suspended(both))
    assert not is_milder(suspended(both), suspended(one))
    assert not is_milder(suspended(other), suspended(both))


def test_10_a_fixed_time_is_milder_than_a_condition_only_up_to_its_floor() -> None:
    floored = suspended(Term(length=Until(conditions=("acknowledged",), at_least=days(3))))
    assert is_milder(suspended(Term(length=days(3))), floored)
    assert not is_milder(suspended(Term(length=days(4))), floored)


def test_14_of_two_conditions_that_are_not_the_same_only_what_both_surely_last_is_left() -> None:
    floored = [
        suspended(Term(length=Until(conditions=(name,), at_least=days(count))))
        for name, count in (("attested", 3), ("withdrawn", 5))
    ]
    assert mildest(*floored) == suspended(Term(length=days(3)))
    assert mildest(suspended(until("attested")), suspended(until("withdrawn"))) == ()
