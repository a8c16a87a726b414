"""A witness, as C2SP tlog-witness writes it: what it vouches for, what it refuses and with which status."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from comity.flow.witness import Witness
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.cosignature import CosigningKey, cosigned_at
from comity.ledger.log import Log, append, publication, signed_head
from comity.ledger.log_list import LogListError, parse_log_list
from comity.ledger.note import Signature, SigningKey, parse_note
from comity.ledger.policy import KnownLog, KnownWitness, Policy
from comity.ledger.tiles import hashes_from_tiles
from comity.ledger.tree import EMPTY, consistency_proof
from comity.ledger.witness import LARGEST_REQUEST, AddCheckpoint, Refusal, RefusedError, parse_size
from comity.ports import Cosigned, StoreError
from comity.stores.witness_state import WitnessState
from comity.stores.world import FixedClock, MemoryLog

LOG = SigningKey(name="example.com/log", seed=bytes(range(32)))
STRANGER = SigningKey(name="example.com/other", seed=bytes(32))
KEY = CosigningKey(name="witness.example/w1", seed=b"w" * 32)
POLICY = Policy(logs=(KnownLog(key=LOG.verifier),), witnesses=(KnownWitness(name="W", key=KEY.cosigner),), quorum="W")
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Grown:
    """A log of entries, published in memory, of which every checkpoint was kept."""

    def __init__(self, size: int, *, mark: bytes = b"entry", key: SigningKey = LOG) -> None:
        log, published, self.notes = Log(), MemoryLog(), [signed_head(Log(), key.name, [key])]
        for n in range(size):
            appended = append(log, [b"%s %d" % (mark, n)])
            log = appended.log
            self.notes.append(signed_head(log, key.name, [key]))
            published.publish(publication(appended, self.notes[-1]), self.notes[-1])
        self.read = published.read

    def request(self, old: int, new: int) -> bytes:
        proof = consistency_proof(old, new, hashes_from_tiles(self.read, new)) if 0 < old <= new else ()
        return bytes(AddCheckpoint(old=old, proof=proof, checkpoint=self.notes[new]))


GROWN = Grown(12)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[WitnessState]:
    with closing(WitnessState(tmp_path / "witness.db")) as state:
        yield state


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def witness(state: WitnessState, clock: FixedClock) -> Witness:
    return Witness({LOG.name: LOG.verifier}, KEY, state, clock)


def refused(witness: Witness, body: bytes) -> tuple[Refusal, int | None]:
    with pytest.raises(RefusedError) as error:
        witness.add_checkpoint(body)
    return error.value.refusal, error.value.latest


def test_a_log_that_grows_is_cosigned_step_by_step(witness: Witness) -> None:
    for old, new in ((0, 1), (1, 1), (1, 2), (2, 7), (7, 12), (12, 12)):
        line = witness.add_checkpoint(GROWN.request(old, new))
        found = POLICY.open(GROWN.notes[new] + line)
        assert found.checkpoint.size == new
        assert found.cosigned == {"W": int(NOON.timestamp())}


def test_an_empty_log_is_cosigned_and_then_its_first_entries(witness: Witness) -> None:
    assert POLICY.open(GROWN.notes[0] + witness.add_checkpoint(GROWN.request(0, 0))).checkpoint.root == EMPTY.root
    witness.add_checkpoint(GROWN.request(0, 3))


def test_an_empty_log_with_the_root_of_something_is_refused(witness: Witness) -> None:
    wrong = sign_checkpoint(Checkpoint(origin=LOG.name, size=0, root=bytes(32)), [LOG])
    assert refused(witness, bytes(AddCheckpoint(old=0, checkpoint=wrong))) == (Refusal.UNPROVED, None)


def test_another_old_size_than_the_last_is_a_conflict_that_names_the_last(witness: Witness) -> None:
    assert refused(witness, GROWN.request(3, 5)) == (Refusal.CONFLICT, 0)
    witness.add_checkpoint(GROWN.request(0, 5))
    for old, new in ((0, 12), (4, 12), (6, 12), (0, 3), (3, 3)):
        assert refused(witness, GROWN.request(old, new)) == (Refusal.CONFLICT, 5)
    witness.add_checkpoint(GROWN.request(5, 12))


def test_a_tree_is_never_rolled_back(witness: Witness) -> None:
    witness.add_checkpoint(GROWN.request(0, 5))
    assert refused(witness, bytes(AddCheckpoint(old=5, checkpoint=GROWN.notes[4]))) == (Refusal.MALFORMED, None)


def test_another_root_for_the_same_size_is_a_conflict_without_a_size(witness: Witness) -> None:
    witness.add_checkpoint(GROWN.request(0, 5))
    forked = Grown(5, mark=b"forged")
    assert refused(witness, forked.request(5, 5)) == (Refusal.CONFLICT, None)


def test_a_proof_that_shows_no_continuation_is_refused(witness: Witness, state: WitnessState) -> None:
    witness.add_checkpoint(GROWN.request(0, 5))
    forked = Grown(9, mark=b"forged")
    for body in (
        forked.request(5, 9),
        bytes(AddCheckpoint(old=5, checkpoint=GROWN.notes[9])),
        bytes(AddCheckpoint(old=5, proof=(bytes(32),), checkpoint=GROWN.notes[5])),
        GROWN.request(5, 9).replace(b"old 5\n", b"old 5\n" + b"A" * 43 + b"=\n"),
    ):
        assert refused(witness, body) == (Refusal.UNPROVED, None)
    latest = state.latest(LOG.name)
    assert latest is not None
    assert latest.checkpoint.size == 5, "what was refused leaves no trace"


def test_a_first_checkpoint_comes_without_a_proof(witness: Witness) -> None:
    body = bytes(AddCheckpoint(old=0, proof=(bytes(32),), checkpoint=GROWN.notes[5]))
    assert refused(witness, body) == (Refusal.UNPROVED, None)


def test_a_log_that_is_not_known_is_refused_before_its_signature_is_looked_at(witness: Witness) -> None:
    assert refused(witness, Grown(2, key=STRANGER).request(0, 2)) == (Refusal.UNKNOWN, None)


def test_a_checkpoint_that_its_log_did_not_sign_is_refused(witness: Witness) -> None:
    thief = SigningKey(name=LOG.name, seed=bytes(32))
    assert refused(witness, Grown(2, key=thief).request(0, 2)) == (Refusal.UNTRUSTED, None)
    wrong = Signature(name=LOG.name, key_id=LOG.key_id, content=bytes(64))
    body = GROWN.request(0, 2) + str(wrong).encode()
    assert refused(witness, body) == (Refusal.UNTRUSTED, None)


def test_anybody_can_ask_what_was_cosigned_last_of_a_log(witness: Witness) -> None:
    place = sha256(LOG.name.encode()).hexdigest()
    assert witness.latest(place) is None
    for old, new in ((0, 5), (5, 9)):
        line = witness.add_checkpoint(GROWN.request(old, new) + str(KEY.cosign("of something else\n", 7)).encode())
        assert witness.latest(place) == GROWN.notes[new] + line
    assert witness.latest(sha256(STRANGER.name.encode()).hexdigest()) is None
    assert witness.latest("") is None


def test_signatures_by_others_are_passed_over(witness: Witness) -> None:
    others = [Signature(name=f"w{n}", key_id=b"\6abc", content=bytes(2428)) for n in range(16)]
    body = GROWN.request(0, 2) + "".join(map(str, others)).encode()
    assert len(body) < LARGEST_REQUEST, "sixteen of the largest kind of signatures fit into a request"
    line = witness.add_checkpoint(body)
    assert POLICY.open(GROWN.notes[2] + line).cosigned


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"",
        lambda body: body.replace(b"old 5", b"old 05"),
        lambda body: body.replace(b"old 5", b"old -5"),
        lambda body: body.replace(b"old 5", b"old  5"),
        lambda body: body.replace(b"old 5", b"old 5 "),
        lambda body: body.replace(b"old 5", b"OLD 5"),
        lambda body: body.replace(b"old 5", b"old " + b"9" * 19),
        lambda body: body.replace(b"old 5", b"old " + b"9" * 5000),
        lambda body: body.replace(b"old 5\n", b"old 5\r\n"),
        lambda body: body.replace(b"old 5\n", b"old 5\nAAAA\n"),
        lambda body: body.replace(b"old 5\n", b"old 5\n!\n"),
        lambda body: body.replace(b"old 5\n", b"old 5\n" + (b"A" * 43 + b"=\n") * 64),
        lambda body: body.replace(b"\n\n", b"\n", 1),
        lambda body: body.removesuffix(b"\n"),
        lambda body: body + b"\n",
        lambda body: body + b"x",
        lambda body: body.replace(b"example.com/log\n", b"\n"),
        lambda body: body.replace(b"\n9\n", b"\n09\n"),
        lambda body: body.partition(b"\n\n")[0],
        lambda body: b"\xff" + body,
        lambda body: body + b"x" * LARGEST_REQUEST,
        lambda body: body.replace(b"old 5", b"old 10"),
    ],
)
def test_a_malformed_request_is_refused_as_such(witness: Witness, change: Callable[[bytes], bytes]) -> None:
    witness.add_checkpoint(GROWN.request(0, 5))
    assert refused(witness, change(GROWN.request(5, 9))) == (Refusal.MALFORMED, None)
    assert witness.add_checkpoint(GROWN.request(5, 9))


def test_what_a_witness_saw_outlives_it(tmp_path: Path, clock: FixedClock) -> None:
    for old, new in ((0, 3), (3, 8), (8, 8)):
        with closing(WitnessState(tmp_path / "witness.db")) as state:
            Witness({LOG.name: LOG.verifier}, KEY, state, clock).add_checkpoint(GROWN.request(old, new))


def test_the_state_of_a_witness_is_used_by_one_program_alone(tmp_path: Path, state: WitnessState) -> None:
    with pytest.raises(StoreError, match="in use by another program"):
        WitnessState(tmp_path / "witness.db")


def test_of_two_requests_at_once_only_one_advances(witness: Witness, state: WitnessState) -> None:
    """The second is held between its arrival and its check, at the very point where the first has been kept."""
    real, inner = state.advance, []

    def overtaken(origin: str, step: Callable[[Cosigned | None], Cosigned]) -> Cosigned:
        state.__dict__.pop("advance")
        inner.append(witness.add_checkpoint(GROWN.request(0, 9)))
        return real(origin, step)

    state.__dict__["advance"] = overtaken
    assert refused(witness, GROWN.request(0, 4)) == (Refusal.CONFLICT, 9)
    assert len(inner) == 1


def test_a_request_that_comes_while_another_is_checked_waits_for_it(witness: Witness, state: WitnessState) -> None:
    real, came = state.advance, []

    def ask_meanwhile() -> None:
        came.append(refused(witness, GROWN.request(0, 9)))

    second = threading.Thread(target=ask_meanwhile)

    def held(origin: str, step: Callable[[Cosigned | None], Cosigned]) -> Cosigned:
        state.__dict__.pop("advance")

        def slow_step(latest: Cosigned | None) -> Cosigned:
            second.start()
            second.join(timeout=0.2)  # for as long as it likes, it cannot get ahead
            assert second.is_alive()
            return step(latest)

        return real(origin, slow_step)

    state.__dict__["advance"] = held
    witness.add_checkpoint(GROWN.request(0, 4))
    second.join()
    assert came == [(Refusal.CONFLICT, 4)]


def test_a_clock_that_is_set_back_a_little_does_not_turn_cosignatures_around(
    witness: Witness, clock: FixedClock
) -> None:
    witness.add_checkpoint(GROWN.request(0, 3))
    clock.at = NOON - timedelta(seconds=30)
    line = witness.add_checkpoint(GROWN.request(3, 5))
    (signature,) = parse_note(b"x\n\n" + line).signatures
    assert cosigned_at(signature.content) == int(NOON.timestamp())


def test_a_clock_that_is_set_back_far_stops_the_witness_and_keeps_what_it_saw(
    witness: Witness, clock: FixedClock, state: WitnessState
) -> None:
    witness.add_checkpoint(GROWN.request(0, 3))
    clock.at = NOON - timedelta(seconds=61)
    with pytest.raises(StoreError, match=r"61 seconds behind .* set the clock right"):
        witness.add_checkpoint(GROWN.request(3, 5))
    latest = state.latest(LOG.name)
    assert latest is not None
    assert latest.checkpoint.size == 3
    clock.at = NOON + timedelta(days=1)
    witness.add_checkpoint(GROWN.request(3, 5))


def test_the_size_of_a_conflict_is_read_strictly() -> None:
    assert parse_size(b"0\n") == 0
    assert parse_size(b"12\n") == 12
    for wrong in (b"", b"12", b"012\n", b"-1\n", b"12\n\n", b"9" * 19 + b"\n", b"1_0\n", b"\xd9\xa1\n"):
        assert parse_size(wrong) is None


LIST = f"""# of today
logs/v0

vkey {LOG.verifier}
qpd 86400
contact https://example.com/contact

  vkey {STRANGER.verifier}
\torigin example.com/elsewhere
  qpd 24
  contact somebody (at) example.com
"""


def test_a_list_of_logs_names_keys_by_origin() -> None:
    assert parse_log_list(LIST.encode()) == {LOG.name: LOG.verifier, "example.com/elsewhere": STRANGER.verifier}
    assert parse_log_list(b"logs/v0\n") == {}


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("logs/v0", "logs/v1", "Line 2 is not `logs/v0`"),
        ("qpd 86400\n", "", "Line 5 is not `qpd`"),
        ("qpd 86400", "qpd 0", "Line 5: '0' is no number"),
        ("qpd 86400", "qpd 2147483648", "Line 5: '2147483648' is no number"),
        ("qpd 24\n  contact", "contact", "Line 10 is not `qpd`"),
        ("contact somebody (at) example.com", "contact", "Line 11 is not `contact`"),
        ("  contact somebody (at) example.com\n", "", "Line 11 is not `contact`"),
        ("origin example.com/elsewhere", "origin example.com/log", r"Line 8 begins a second log .*'example.com/log'"),
        ("vkey example.com/log", "vkey example.com/lag", "Line 4 has no key of a log"),
        ("vkey example.com/log", "key example.com/log", "Line 4 is not `vkey`"),
    ],
)
def test_a_malformed_list_of_logs_is_refused_with_the_line(old: str, new: str, named: str) -> None:
    with pytest.raises(LogListError, match=named):
        parse_log_list(LIST.replace(old, new, 1).encode())


def test_a_list_of_logs_that_is_no_text_or_endless_is_refused() -> None:
    with pytest.raises(LogListError, match="not UTF-8 from byte 8"):
        parse_log_list(b"logs/v0\n\xff")
    with pytest.raises(LogListError, match="more than the 10000000"):
        parse_log_list(b"#" * 10_000_001)
    with pytest.raises(LogListError, match="Line 1 is not"):
        parse_log_list(b"")
