"""Laws of the order of measures, and of what a person may choose, over random rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from comity.casework.ladder import at_most, measures_of, reached, rows_at
from comity.casework.severity import RISING, is_milder, level, mildest
from comity.model.clause import Act, Kind, Ladder, Range, Rate, Reaches, Row, Term, Until
from comity.model.duration import LATEST, Duration, Unit
from comity.model.ids import AccountId, Channel, ClauseId, DecisionId
from comity.model.measure import Measure

WITHIN = Duration(count=7, unit=Unit.DAY)
AT = datetime(2026, 1, 1, tzinfo=UTC)
CHANNELS = tuple(map(Channel, ("posts", "mail")))
CONDITIONS = ("attested", "acknowledged", "withdrawn", "reviewed")
ON_CHANNELS = (Kind.LIMIT_REACH, Kind.HOLD, Kind.SUSPEND, Kind.TERMINATE)
days = st.builds(Duration, count=st.integers(1, 6), unit=st.just(Unit.DAY))
acts = st.one_of(
    st.sampled_from((Kind.REMOVE, Kind.MARK, Kind.WARN, *ON_CHANNELS)).map(lambda kind: Act(kind=kind)),
    st.integers(1, 3).map(
        lambda count: Act(kind=Kind.LIMIT, rate=Rate(count=count, per=Duration(count=1, unit=Unit.HOUR)))
    ),
)
ranges = st.tuples(days, days).map(
    lambda two: Range(
        least=min(two, key=lambda each: each.nominal_seconds), most=max(two, key=lambda each: each.nominal_seconds)
    )
)
untils = st.builds(
    Until,
    conditions=st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=2, unique=True).map(tuple),
    at_least=st.none() | days,
)
terms = st.builds(Term, length=st.one_of(st.none(), days, ranges, untils), delay=st.none() | days)
undelayed = st.builds(Term, length=st.one_of(st.none(), days, ranges, untils))
plain = st.builds(Term, length=st.none() | days)


def rows(term: st.SearchStrategy[Term]) -> st.SearchStrategy[Row]:
    return st.builds(
        Row,
        points=st.integers(1, 6),
        acts=st.lists(acts, min_size=1, max_size=2, unique=True).map(tuple),
        channels=st.sampled_from([Reaches.ALL, Reaches.SAME, frozenset({Channel("mail")})]),
        term=term,
        line=st.just(1),
    )


def of(chosen: list[Row]) -> tuple[Measure, ...]:
    return measures_of(
        chosen,
        account=AccountId("ann"),
        decision=DecisionId("0" * 32),
        same={Channel("posts")},
        all_channels=CHANNELS,
        at=AT,
    )


groups = st.lists(rows(terms), max_size=3).map(of)
undelayed_groups = st.lists(rows(undelayed), max_size=3).map(of)
plain_groups = st.lists(rows(plain), max_size=3).map(of)


@given(groups)
def test_each_group_of_measures_is_as_mild_as_itself_and_nothing_is_the_mildest(one: tuple[Measure, ...]) -> None:
    assert is_milder(one, one)
    assert is_milder((), one)
    assert is_milder(one, ()) == (not one)


@given(groups, groups, groups)
def test_milder_is_transitive_and_what_is_milder_both_ways_is_the_same(
    one: tuple[Measure, ...], other: tuple[Measure, ...], third: tuple[Measure, ...]
) -> None:
    if is_milder(one, other) and is_milder(other, third):
        assert is_milder(one, third)
    if is_milder(one, other) and is_milder(other, one):
        assert is_milder(one, third) == is_milder(other, third)
        assert is_milder(third, one) == is_milder(third, other)


@given(undelayed_groups, undelayed_groups)
def test_the_mildest_is_at_most_both(one: tuple[Measure, ...], other: tuple[Measure, ...]) -> None:
    low = mildest(one, other)
    assert is_milder(low, one)
    assert is_milder(low, other)


@given(plain_groups, plain_groups)
def test_milder_is_what_every_channel_shows_at_every_time(one: tuple[Measure, ...], other: tuple[Measure, ...]) -> None:
    assert is_milder(one, other) == (seen(one, other) and warned(one) <= warned(other) and kept(one) <= kept(other))


def seen(one: tuple[Measure, ...], other: tuple[Measure, ...]) -> bool:
    times = {AT + timedelta(days=number, hours=-1) for number in range(9)} | {AT}
    return all(strictest(one, channel, at) <= strictest(other, channel, at) for channel in CHANNELS for at in times)


def strictest(measures: tuple[Measure, ...], channel: Channel, at: datetime) -> tuple[int, float]:
    active = [each for each in measures if each.kind in RISING and channel in each.channels]
    return max((level(each) for each in active if AT <= at < (each.end or LATEST)), default=(-1, 0.0))


def warned(measures: tuple[Measure, ...]) -> bool:
    return any(not each.kind.is_on_message for each in measures)


def kept(measures: tuple[Measure, ...]) -> int:
    kinds = {each.kind for each in measures}
    return 2 if Kind.REMOVE in kinds else int(Kind.MARK in kinds)


@given(st.lists(rows(st.builds(Term, length=ranges)), min_size=1, max_size=1), st.integers(0, 6))
def test_10_any_length_up_to_the_end_of_the_range_may_be_chosen_and_none_beyond(chosen: list[Row], count: int) -> None:
    (row,) = chosen
    assert isinstance(row.term.length, Range)
    foreseen = of(chosen)
    wanted = of([replaced(row, Duration(count=count + 1, unit=Unit.DAY))])
    is_within = count + 1 <= row.term.length.most.nominal_seconds // 86400
    restricts = any(each.kind in RISING and each.channels for each in foreseen)
    assert is_milder(wanted, at_most(foreseen, WITHIN)) == (is_within or not restricts)


def replaced(row: Row, length: Duration) -> Row:
    return Row(points=row.points, acts=row.acts, channels=row.channels, term=Term(length=length), line=1)


def ladders_of(term: st.SearchStrategy[Term]) -> st.SearchStrategy[Ladder]:
    return st.lists(rows(term), min_size=1, max_size=6).map(
        lambda some: Ladder(owner=ClauseId("measures"), rows=tuple(sorted(some, key=lambda row: row.points)))
    )


ladders, undelayed_ladders = ladders_of(terms), ladders_of(undelayed)


def test_10_for_good_is_harsher_than_until_a_condition_is_met() -> None:
    until, for_good = (
        of([Row(points=1, acts=(Act(kind=Kind.SUSPEND),), channels=Reaches.ALL, term=Term(length=length), line=1)])
        for length in (Until(conditions=("reviewed",)), None)
    )
    assert not is_milder(for_good, until)
    assert is_milder(until, for_good)


def test_10_until_a_condition_is_met_but_at_least_longer_is_harsher() -> None:
    short, long = (
        of([Row(points=1, acts=(Act(kind=Kind.SUSPEND),), channels=Reaches.ALL, term=Term(length=length), line=1)])
        for count in (3, 30)
        for length in (Until(conditions=("attested",), at_least=Duration(count=count, unit=Unit.DAY)),)
    )
    assert not is_milder(long, short)
    assert is_milder(short, long)


@given(ladders, st.integers(0, 9))
def test_9_no_rule_goes_to_where_a_ladder_terminates_and_a_person_may(ladder: Ladder, points: int) -> None:
    found, at = reached(ladder, points), rows_at(ladder, points)
    terminates = any(act.kind is Kind.TERMINATE for row in at for act in row.acts)
    assert all(act.kind is not Kind.TERMINATE for row in found.rows for act in row.acts)
    assert found.stopped_by_ceiling == terminates
    assert found.rows == at or terminates


@given(ladders, st.integers(0, 9))
def test_rows_that_share_a_number_all_apply_and_below_the_first_none(ladder: Ladder, points: int) -> None:
    highest = max((row.points for row in ladder.rows if row.points <= points), default=None)
    assert rows_at(ladder, points) == tuple(row for row in ladder.rows if row.points == highest)


@given(undelayed_ladders, st.integers(0, 9), st.integers(0, 9))
def test_14_what_is_recomputed_with_fewer_points_is_never_harsher(ladder: Ladder, points: int, fewer: int) -> None:
    before = of(list(rows_at(ladder, points)))
    again = mildest(before, of(list(rows_at(ladder, min(fewer, points)))))
    assert is_milder(again, before)
    assert is_milder(mildest(again, before), again)
