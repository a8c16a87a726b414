"""A history restored from its snapshot goes on as the one that wrote it; what is no such snapshot is refused."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine_history import KEY, LATENESS, WINDOWS, Counts, Event, Step, steps

from comity.engine import snapshots
from comity.engine.history import History
from comity.engine.snapshots import SnapshotError
from comity.engine.trace import Tracer
from comity.engine.windows import Counted
from comity.model.message import Message

TRACER = Tracer(WINDOWS, key=KEY)


def history() -> History:
    return History(WINDOWS, lateness=LATENESS)


def taken(running: History, one: Step) -> tuple[Counts, bool] | None:
    match one:
        case Message():
            counts, late = running.take(TRACER.trace(one))
            return dict(counts), late
        case Event(counted=Counted.BREACHES):
            running.breach(one.account, one.clause, one.at)
        case Event():
            running.notice(one.account, one.clause, one.at)
    return None


def goes_on(random: Random, count: int) -> None:
    stream, cut = steps(random, count), random.randrange(count + 1)
    first, second = history(), history()
    for one in stream[:cut]:
        taken(first, one)
    second.restore(first.snapshot())
    assert [taken(second, one) for one in stream[cut:]] == [taken(first, one) for one in stream[cut:]]


@given(st.randoms(use_true_random=False), st.integers(1, 14))
def test_a_restored_history_goes_on_as_the_one_that_was_saved(random: Random, count: int) -> None:
    goes_on(random, count)


def test_it_does_in_long_runs() -> None:
    for seed in range(settings().max_examples):
        goes_on(Random(seed), 120)


def saved() -> bytes:
    running = history()
    for one in steps(Random(1), 60):
        taken(running, one)
    return running.snapshot()


def test_what_was_cut_off_or_changed_is_refused() -> None:
    content, random = saved(), Random(2)
    for _ in range(300):
        place = random.randrange(len(content))
        for broken in (content[:place], content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]):
            with pytest.raises(SnapshotError, match="rebuild the history"):
                history().restore(broken)


def test_a_snapshot_of_other_windows_is_refused_and_changes_nothing() -> None:
    other = History(WINDOWS[:3], lateness=LATENESS)
    before = other.snapshot()
    with pytest.raises(SnapshotError, match="other windows"):
        other.restore(saved())
    with pytest.raises(SnapshotError, match="other windows"):
        History(WINDOWS, lateness=LATENESS + timedelta(seconds=1)).restore(saved())
    assert other.snapshot() == before


@pytest.mark.parametrize(
    "series",
    [
        [],
        [b"junk"],
        [b"\x91\x92\xc4\x01a\x91\xa1x"],  # a text for a time
        [b"\x91\x92\xc4\x01a\x91\xcf\xff\xff\xff\xff\xff\xff\xff\xff"],  # a time beyond all times
        [b"\x91\x92\x01\x91\x01"],  # a number for a group
    ],
)
def test_what_was_made_by_somebody_else_is_refused(series: list[bytes]) -> None:
    only = History(WINDOWS[:1], lateness=LATENESS)
    windows = snapshots.digest_of(WINDOWS[:1], LATENESS // timedelta(microseconds=1))
    forged = snapshots.written(snapshots.Snapshot(windows=windows, newest=0, claimed=None, series=series))
    with pytest.raises(SnapshotError, match="does not hold what it should"):
        only.restore(forged)
