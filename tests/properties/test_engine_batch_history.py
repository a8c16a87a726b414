"""Windows counted for many messages at once count what the online history counts, however the stream is cut."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from hashlib import blake2b
from importlib import import_module
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine_history import KEY, LATENESS, START, WINDOWS, Counts, Step, steps

from comity.engine.batch_history import BatchHistory
from comity.engine.hashed import Hashed, Numbers
from comity.engine.history import History
from comity.engine.trace import Tracer, Traces
from comity.engine.windows import Counted, Window
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message

batches = import_module("comity.engine.batch_history")
runs = import_module("comity.engine.runs")
hashes = import_module("comity.engine.hashed")


WITHOUT_EVENTS = tuple(window for window in WINDOWS if window.counted.includes_this_message)


def messages_of(taken: Sequence[Step]) -> list[Message]:
    return [one for one in taken if isinstance(one, Message)]


def parts(random: Random, taken: Sequence[Message]) -> list[Sequence[Message]]:
    """The stream cut at random places."""
    cuts = sorted({0, len(taken), *(random.randrange(len(taken) + 1) for _ in range(random.randrange(8)))})
    return [taken[start:end] for start, end in itertools.pairwise(cuts)]


def counted_in_parts(cut: Sequence[Sequence[Message]]) -> list[tuple[Counts, bool]]:
    tracer, history, answers = Tracer(WITHOUT_EVENTS, key=KEY), BatchHistory(WITHOUT_EVENTS, lateness=LATENESS), []
    for part in cut:
        tallied = history.take(hashed(tracer.traces(part)))
        for row, late in enumerate(tallied.late.tolist()):
            answers.append(({window: column[row].item() for window, column in tallied.counts.items()}, late))
    return answers


def counted_one_by_one(taken: Sequence[Message]) -> list[tuple[Counts, bool]]:
    tracer, history = Tracer(WITHOUT_EVENTS, key=KEY), History(WITHOUT_EVENTS, lateness=LATENESS)
    return [(dict(counts), late) for counts, late in (history.take(tracer.trace(one)) for one in taken)]


def differences(random: Random, taken: Sequence[Message]) -> list[str]:
    pairs = zip(counted_one_by_one(taken), counted_in_parts(parts(random, taken)), strict=True)
    return [f"{one} but {other}" for one, other in pairs if one != other]


@given(st.randoms(use_true_random=False), st.integers(1, 14))
def test_parts_count_what_the_stream_counts(random: Random, count: int) -> None:
    assert differences(random, messages_of(steps(random, count))) == []


@pytest.mark.parametrize("most", [batches._NEVER_RARE, 3])
def test_they_do_in_long_runs(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 3, numbers of groups that are gone are dropped early."""
    monkeypatch.setattr(batches, "_NEVER_RARE", most)
    for seed in range(settings().max_examples):
        assert differences(Random(seed), messages_of(steps(Random(seed), 60))) == [], f"seed {seed}"


def hashed(traces: Traces) -> Hashed:
    """The same as columns of hashes, of which 0 is none."""
    return Hashed(
        authors=_hashes(author.encode() for author in traces.authors),
        sent=traces.sent,
        texts=_hashes(traces.texts),
        to=_hashes(one for each in traces.to for one in each),
        to_sizes=np.array([len(each) for each in traces.to], np.int64),
        values={key: _hashes(of) for key, of in traces.values.items()},
        numbers={key: np.array(of, np.float64) for key, of in traces.numbers.items()},
    )


def _hashes(names: Iterable[bytes]) -> npt.NDArray[np.int64]:
    made = [blake2b(name, digest_size=8, key=KEY).digest() if name else bytes(8) for name in names]
    return np.frombuffer(b"".join(made), np.int64)


numbers_of = hashes.Numbers.of


@pytest.mark.parametrize(
    ("owner", "name", "fault"),
    [
        ("", "_paired", lambda ones, _: ones),
        ("", "NONE", 1),
        ("Numbers", "keep", lambda self, _: Numbers.__init__(self)),
        ("Numbers", "of", lambda _, given: (np.unique(given, return_inverse=True)[1], np.zeros(len(given), np.bool_))),
        ("Numbers", "of", lambda self, given: (numbers_of(self, given)[0], np.ones(len(given), np.bool_))),
    ],
)
def test_a_fault_in_numbers_of_hashes_is_seen(
    owner: str, name: str, fault: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_NEVER_RARE", 3)
    for module in (hashes, batches):
        if hasattr(module, name) or owner:
            monkeypatch.setattr(getattr(module, owner) if owner else module, name, fault)
    assert any(is_found(Random(seed)) for seed in range(100))


def test_memory_holds_no_more_than_the_widest_window_and_the_lateness() -> None:
    window = Window(counted=Counted.COPIES, within=timedelta(seconds=1000))
    tracer, history, sizes = Tracer([window], key=KEY), BatchHistory([window], lateness=LATENESS), []
    for part in range(200):
        history.take(hashed(tracer.traces([message(number) for number in range(part * 100, part * 100 + 100)])))
        sizes.append(len(history))
    assert max(sizes[100:]) <= max(sizes[:100])
    assert max(sizes) < 3000


def test_groups_that_are_gone_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_NEVER_RARE", 100)
    window = Window(counted=Counted.COPIES, within=timedelta(seconds=100))
    tracer, history = Tracer([window], key=KEY), BatchHistory([window], lateness=LATENESS)
    for part in range(100):
        history.take(hashed(tracer.traces([message(number) for number in range(part * 50, part * 50 + 50)])))
        assert all(len(series._groups) < 1000 for series in history._searched)


def message(number: int) -> Message:
    return Message(
        id=MessageId(str(number)),
        author=AccountId(f"a{number}"),
        channel=Channel("posts"),
        text=f"text {number}",
        sent=START + timedelta(seconds=number),
    )


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "ties in any order": lambda patch: patch.setattr(batches, "_crossed", lambda groups, places: places[:0]),
    "an edge that belongs to both sides": lambda patch: patch.setattr(batches, "bisect_right", batches.insort),
    "an edge between parts that belongs to both sides": lambda patch: patch.setattr(runs, "_RIGHT", "left"),
    "a merge that forgets": lambda patch: patch.setattr(runs, "merged", lambda one, other: other),
    "time that goes back": lambda patch: patch.setattr(
        batches, "reached", lambda newest, sent: batches.np.concatenate(([newest.at], sent))
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[name](monkeypatch)
    assert any(is_found(Random(seed)) for seed in range(50))


def is_found(random: Random) -> bool:
    try:
        return differences(random, messages_of(steps(random, 60))) != []
    except TypeError:
        return True
