"""The columns of a gate hold what was put into them, whatever came and went before: compared with plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from comity.gates.records import Records
from comity.ledger.canonical import CanonicalError, Json, canonical_json
from comity.ledger.plan_digest import plan_digest
from comity.model.ids import AccountId, Channel, DecisionId
from comity.model.measure import State
from comity.model.plan import Called, Planned, Span

START = datetime(2026, 3, 1, tzinfo=UTC)
TIMES = [START + timedelta(hours=hour) for hour in range(10)]
SPAN = Span(state=State.CUT, start=START, statement=DecisionId("0" * 32), reason="“Spam”")
NAMES = st.sampled_from(["", "a", "ann", "bob", "\x00", "é" * 40, "\udcff", "x" * 1024, "ann\n"])
CHANNELS = st.sampled_from([Channel("posts"), Channel("mail")])


@st.composite
def plans(draw: st.DrawFn) -> tuple[Span, ...]:
    bounds = sorted(draw(st.sets(st.integers(0, 9), max_size=5)))
    return tuple(
        Span(
            state=draw(st.sampled_from([State.LIMITED, State.CUT])),
            start=TIMES[start],
            until=None if until is None else TIMES[until],
            limit=draw(st.sampled_from(["hold", "3 an hour"])),
            statement=DecisionId(f"{draw(st.integers(0, 2**128 - 1)):032x}"),
            reason=draw(st.sampled_from(["“Spam”", "“Insults”"])),
        )
        for start, until in zip(bounds, [*bounds[1:], None], strict=False)
        if draw(st.booleans())
    )


@st.composite
def called(draw: st.DrawFn) -> Called:
    start = draw(st.integers(0, 8))
    until = draw(st.none() | st.integers(start + 1, 9))
    return Called(handle=draw(NAMES), start=TIMES[start], until=None if until is None else TIMES[until])


ENTRIES = st.builds(
    Planned,
    account=NAMES.map(AccountId),
    channel=CHANNELS,
    handles=st.lists(called(), max_size=2).map(tuple),
    plan=plans(),
)
STEPS = st.lists(st.tuples(st.integers(1, 8), ENTRIES), max_size=40)


def strictest(held: dict[int, Planned], channel: str, handle: str, at: datetime) -> set[Span]:
    """Every span that holds then for whoever is called so: the cuts if there are any."""
    spans = {
        span
        for one in held.values()
        if one.channel == channel
        and (
            any(
                each.handle == handle and each.start <= at and (each.until is None or at < each.until)
                for each in one.handles
            )
            if one.handles
            else one.account == handle
        )
        for span in one.plan
        if span.covers(at)
    }
    return {span for span in spans if span.state is State.CUT} or spans


@given(STEPS, NAMES, CHANNELS)
def test_columns_answer_as_plain_values_do(steps: list[tuple[int, Planned]], name: str, channel: str) -> None:
    """However often and in whatever order it is asked: some answers are remembered."""
    records, held = Records(), dict[int, Planned]()
    for row, planned in steps:
        records.put(row, planned)
        held.pop(row, None)
        if planned.plan:
            held[row] = planned
        assert len(records) == len(held)
        for at in (*TIMES, *TIMES, *reversed(TIMES)):
            place, expected = records.holding(channel, name, at), strictest(held, channel, name, at)
            assert (records.span(place) in expected) if place else not expected
            if place:
                records.answer(place)
    assert {row: records.planned(row) for row in records.rows()} == held


def test_who_is_asked_about_again_and_again_is_answered_by_what_was_told_last() -> None:
    records, limited = Records(), replace(SPAN, state=State.LIMITED, limit="hold")

    def asked(at: datetime = START) -> State | None:
        for _ in range(3):
            if place := records.holding("posts", "ann", at):
                records.answer(place)
        return records.span(place).state if place else None

    records.put(1, Planned(account=AccountId("ann"), channel=Channel("posts"), plan=(limited,)))
    assert asked() is State.LIMITED
    called = Called(handle="ann", start=START)
    later = Planned(
        account=AccountId("b"), channel=Channel("posts"), handles=(called,), plan=(replace(SPAN, start=TIMES[1]),)
    )
    records.put(2, later)
    assert [asked(), asked(TIMES[1]), asked()] == [State.LIMITED, State.CUT, State.LIMITED]
    records.put(2, replace(later, plan=(SPAN,)))
    assert asked() is State.CUT
    records.drop(2)
    assert asked() is State.LIMITED
    records.drop(1)
    assert asked() is None


@given(STEPS)
def test_what_changes_often_uses_no_more_memory(steps: list[tuple[int, Planned]]) -> None:
    records = Records()
    for _ in range(3):
        for row, planned in steps:
            records.put(row, planned)
    names, places = len(records.names), len(records.what)
    for _ in range(20):
        for row, planned in steps:
            records.put(row, planned)
    assert len(records.what) == places
    assert len(records.names) <= max(3 * names, places * 3 * 1024 * 2)


def test_a_table_survives_ten_thousand_accounts_coming_and_going() -> None:
    records = Records()
    for number in range(10_000):
        planned = Planned(account=AccountId(f"account-{number}"), channel=Channel("posts"), plan=(SPAN,))
        records.put(1 + number % 500, planned)
    found = [number for number in range(10_000) if records.holding("posts", f"account-{number}", START)]
    assert found == list(range(9_500, 10_000))
    assert len(records.what) <= 502


@given(ENTRIES, st.text(max_size=20), st.text(max_size=20))
def test_the_digest_of_a_plan_is_over_its_canonical_json(planned: Planned, name: str, limit: str) -> None:
    spans = tuple(replace(each, limit=limit, condition=(name,), reason=name) for each in planned.plan)
    planned = replace(planned, account=AccountId(planned.account + name), plan=spans)
    try:
        content = canonical_json(as_json(planned))
    except CanonicalError:
        if planned.plan:
            with pytest.raises(UnicodeEncodeError):
                plan_digest(planned)
        return
    digest = int.from_bytes(sha256(content).digest(), "big")
    assert plan_digest(planned) == (digest if planned.plan else 0)


def as_json(planned: Planned) -> Json:
    """As docs and other implementations write it."""
    return {
        "account": planned.account,
        "channel": planned.channel,
        "handles": [[each.handle, time(each.start), time(each.until)] for each in planned.handles],
        "plan": [
            {
                "state": span.state.value,
                "start": time(span.start),
                "until": time(span.until),
                "limit": span.limit,
                "condition": list(span.condition),
                "statement": span.statement,
                "reason": span.reason,
            }
            for span in planned.plan
        ],
    }


def time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
