"""Times: RFC 3339 or seconds since 1970, years 1 to 9999."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from comity.intake.problems import RecordError
from comity.intake.times import moment

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31 12:00:00+00:00",
        "2026-01-31T13:30:00+01:30",
        "2026-01-31T12:00:00.000000000Z",
        "1769860800",
        1769860800,
        1769860800.0,
        "1769860800.000",
    ],
)
def test_one_moment_can_be_written_in_many_ways(written: object) -> None:
    assert moment(written) == NOON
    assert moment(written).tzinfo is UTC


def test_a_time_without_an_offset_is_utc() -> None:
    assert moment("2026-01-31T12:00:00") == NOON


def test_fractions_of_a_second_count() -> None:
    assert moment("2026-01-31T12:00:00.25Z").microsecond == 250_000
    assert moment(1769860800.25).microsecond == 250_000


def test_a_leap_second_counts_as_the_second_before_it() -> None:
    assert moment("2016-12-31T23:59:60Z") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_the_years_1_and_9999_can_be_named() -> None:
    assert moment("0001-01-01T00:00:00Z").year == 1
    assert moment("9999-12-31T23:59:59Z").year == 9999
    assert moment(253402300799).year == 9999


@pytest.mark.parametrize(
    "written",
    [
        "10000-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-05:00",
        "0001-01-01T00:00:00+05:00",
        253402300800,
        1e300,
        -1e15,
        float("inf"),
        float("nan"),
        10**400,
        "2026-02-30T00:00:00Z",
        "2026-01-31",
        "2026-01-31T12:00Z",
        "2026-01-31T25:00:00Z",
        "2026-01-31T12:00:00+25:00",
        "2026-01-31T12:00:00 Europe/Berlin",
        "٢٠٢٦-01-31T12:00:00Z",
        "yesterday",
        "",
        "1e9",
        "nan",
        "9" * 5000,
        True,
        None,
        [],
        b"2026-01-31T12:00:00Z",
    ],
)
def test_what_names_no_such_time_is_refused(written: object) -> None:
    with pytest.raises(RecordError) as caught:
        moment(written)
    assert caught.value.mend
    assert len(caught.value.reason) < 200


def test_milliseconds_are_not_guessed_but_named() -> None:
    with pytest.raises(RecordError) as caught:
        moment(1769860800000)
    assert "milliseconds" in caught.value.mend
