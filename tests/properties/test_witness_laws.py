"""Whatever a witness is asked, in whatever order: all that it ever signed of a log is one history."""

from __future__ import annotations

import tempfile
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.flow.witness import Witness
from comity.ledger.cosignature import CosigningKey
from comity.ledger.log import Log, append, publication, signed_head
from comity.ledger.note import SigningKey
from comity.ledger.policy import KnownLog, KnownWitness, Policy
from comity.ledger.tiles import hashes_from_tiles
from comity.ledger.tree import consistency_proof
from comity.ledger.witness import AddCheckpoint, RefusedError
from comity.stores.witness_state import WitnessState
from comity.stores.world import FixedClock, MemoryLog

LOG = SigningKey(name="example.com/log", seed=bytes(range(32)))
KEY = CosigningKey(name="w.example", seed=b"w" * 32)
POLICY = Policy(logs=(KnownLog(key=LOG.verifier),), witnesses=(KnownWitness(name="W", key=KEY.cosigner),), quorum="W")
LARGEST, SHARED = 12, 4


@cache
def branch(name: str) -> tuple[tuple[bytes, ...], MemoryLog]:
    """A history of the log: its checkpoints and its tiles. All branches begin with the same entries."""
    log, published, notes = Log(), MemoryLog(), [signed_head(Log(), LOG.name, [LOG])]
    for n in range(LARGEST):
        appended = append(log, [b"entry %d" % n if n < SHARED else f"{name} {n}".encode()])
        log = appended.log
        notes.append(signed_head(log, LOG.name, [LOG]))
        published.publish(publication(appended, notes[-1]), notes[-1])
    return tuple(notes), published


SIZES = st.integers(0, LARGEST)
ASKED = st.tuples(st.sampled_from("ABC"), SIZES, st.sampled_from("ABC"), SIZES, SIZES)
"""The branch and size of a checkpoint; then the branch that the proof is of, and its sizes."""


def request(asked: tuple[str, int, str, int, int]) -> bytes:
    name, new, proof_of, old, until = asked
    proof = (
        consistency_proof(old, until, hashes_from_tiles(branch(proof_of)[1].read, until)) if 0 < old <= until else ()
    )
    return bytes(AddCheckpoint(old=old, proof=proof, checkpoint=branch(name)[0][new]))


def signed_by(asked: list[tuple[str, int, str, int, int]]) -> list[tuple[str, int]]:
    """Which checkpoints a witness signs that is asked all this."""
    signed = []
    with tempfile.TemporaryDirectory() as folder, closing(WitnessState(Path(folder) / "w.db")) as state:
        witness = Witness({LOG.name: LOG.verifier}, KEY, state, FixedClock(datetime(2026, 11, 26, tzinfo=UTC)))
        for one in asked:
            try:
                line = witness.add_checkpoint(request(one))
            except RefusedError:
                continue
            note = branch(one[0])[0][one[1]]
            assert POLICY.open(note + line).checkpoint.size == one[1]
            signed.append((one[0], one[1]))
    return signed


def is_one_history(signed: list[tuple[str, int]]) -> bool:
    grows = all(before[1] <= after[1] for before, after in pairwise(signed))
    return grows and len({name for name, size in signed if size > SHARED}) <= 1


@given(st.lists(st.one_of(ASKED, ASKED.map(lambda one: (*one[:2], one[0], one[3], one[1]))), max_size=40))
def test_all_that_a_witness_signs_is_one_history(asked: list[tuple[str, int, str, int, int]]) -> None:
    assert is_one_history(signed_by(asked))


@given(st.lists(SIZES, min_size=1, max_size=8))
def test_an_honest_log_is_signed_at_every_size_that_it_comes_to(sizes: list[int]) -> None:
    steps = [0, *sorted(sizes)]
    asked = [("A", new, "A", old, new) for old, new in pairwise(steps)]
    assert signed_by(asked) == [("A", new) for new in steps[1:]]


FORK = [("A", 6, "A", 0, 6), ("B", 9, "B", 6, 9)]


def test_a_witness_that_believes_without_a_proof_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert signed_by(FORK) == [("A", 6)]
    monkeypatch.setattr("comity.flow.witness.demand_next", lambda request, checkpoint, latest: None)
    assert not is_one_history(signed_by(FORK))
