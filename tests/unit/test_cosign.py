"""A log asks its witnesses: who vouches is published, who lies or is away costs nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comity.flow.cosign import Collected, Said, collect, cosign, demand_newest
from comity.flow.witness import Witness
from comity.ledger.checkpoint import Checkpoint, unverified_checkpoint
from comity.ledger.cosignature import CosigningKey
from comity.ledger.log import ForkError, Log, append, publication, signed_head
from comity.ledger.note import SigningKey, parse_note
from comity.ledger.policy import Policy, parse_policy
from comity.ledger.witness import SIZE_TYPE, RefusedError
from comity.ports import Reply, UnreachableError
from comity.stores.log_folder import LogFolder
from comity.stores.witness_state import WitnessState
from comity.stores.world import FixedClock

LOG = SigningKey(name="example.com/log", seed=bytes(range(32)))
KEYS = [CosigningKey(name=f"w{n}.example", seed=bytes([n + 1]) * 32) for n in range(3)]
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
TEXT = "text/plain"


def policy(quorum: str = "2") -> Policy:
    lines = [f"log {LOG.verifier}", *(f"witness W{n} {key.cosigner} http://w{n}/a/" for n, key in enumerate(KEYS))]
    return parse_policy("\n".join([*lines, f"group G {quorum} W0 W1 W2", "quorum G", ""]).encode())


class World:
    """A published log, three witnesses, and the line between them, on which anybody may sit."""

    def __init__(self, folder: Path, held: ExitStack) -> None:
        self.log, self.folder, self.asked = Log(), LogFolder(folder / "log"), list[str]()
        self.clock = FixedClock(NOON)
        self.says: dict[str, Callable[[bytes], Reply]] = {}
        for n, key in enumerate(KEYS):
            state = held.enter_context(closing(WitnessState(folder / f"w{n}.db")))
            witness = Witness({LOG.name: LOG.verifier}, key, state, self.clock)
            self.says[f"http://w{n}/a/add-checkpoint"] = self.honest(witness)
        self.grow(5)

    def grow(self, count: int) -> bytes:
        appended = append(self.log, [b"entry %d" % (self.log.size + n) for n in range(count)])
        self.log = appended.log
        checkpoint = signed_head(self.log, LOG.name, [LOG])
        self.folder.publish(publication(appended, checkpoint), checkpoint)
        return checkpoint

    def honest(self, witness: Witness) -> Callable[[bytes], Reply]:
        def answer(body: bytes) -> Reply:
            try:
                return Reply(status=200, kind=TEXT, body=witness.add_checkpoint(body))
            except RefusedError as refused:
                if refused.latest is None:
                    return Reply(status=refused.refusal, kind=TEXT, body=str(refused).encode())
                return Reply(status=409, kind=SIZE_TYPE, body=b"%d\n" % refused.latest)

        return answer

    def post(self, url: str, body: bytes) -> Reply:
        self.asked.append(url)
        return self.says[url](body)

    def collect(self, trust: Policy | None = None) -> Collected:
        checkpoint = self.folder.checkpoint()
        assert checkpoint is not None
        return collect(checkpoint, self.folder.read, trust or policy(), self, self.clock)

    def publish(self, collected: Collected) -> bool:
        return self.folder.publish_cosigned(collected.checkpoint, is_valid=collected.is_met)

    def says_instead(self, n: int, answer: Callable[[bytes], Reply]) -> None:
        self.says[f"http://w{n}/a/add-checkpoint"] = answer


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as held:
        yield World(tmp_path, held)


def said(collected: Collected) -> list[Said]:
    return [one.said for one in collected.outcomes]


def test_all_witnesses_cosign_a_log_that_grows_and_the_quorum_can_be_checked_by_anybody(world: World) -> None:
    for _ in range(3):
        collected = world.collect(policy("all"))
        assert said(collected) == [Said.COSIGNED] * 3
        assert collected.is_met
        assert world.publish(collected)
        published = world.folder.read("checkpoint")
        assert published is not None
        assert policy("all").open(published).cosigned.keys() == {"W0", "W1", "W2"}
        assert world.folder.read("cosigned") == published
        world.grow(300)


def test_asked_again_the_newer_cosignature_takes_the_older_ones_place(world: World) -> None:
    world.publish(world.collect())
    world.clock.at += timedelta(minutes=5)
    world.publish(world.collect())
    published = world.folder.checkpoint()
    assert published is not None
    assert len(parse_note(published).signatures) == 4
    assert set(policy().open(published).cosigned.values()) == {int(world.clock.at.timestamp())}


def unreachable(body: bytes) -> Reply:
    raise UnreachableError("nobody there")


FOREIGN = CosigningKey(name="w0.example", seed=b"!" * 32)
OTHER_TEXT = Checkpoint(origin=LOG.name, size=5, root=bytes(32)).text


def evil(body: bytes) -> Reply:
    """Signs the checkpoint with a line of its own behind it."""
    text = parse_note(body.partition(b"\n\n")[2]).text + "\nevil\n"
    return Reply(status=200, kind=TEXT, body=b"evil\n\n" + str(KEYS[0].cosign(text, 7)).encode())


def future(body: bytes) -> Reply:
    text = parse_note(body.partition(b"\n\n")[2]).text
    return Reply(status=200, kind=TEXT, body=str(KEYS[0].cosign(text, 2**40)).encode())


def foreign(body: bytes) -> Reply:
    text = parse_note(body.partition(b"\n\n")[2]).text
    return Reply(status=200, kind=TEXT, body=str(FOREIGN.cosign(text, 7)).encode())


LIES: dict[str, tuple[Callable[[bytes], Reply], Said]] = {
    "away": (unreachable, Said.UNREACHABLE),
    "empty": (lambda body: Reply(status=200, kind=TEXT, body=b""), Said.NONSENSE),
    "bytes": (lambda body: Reply(status=200, kind=TEXT, body=b"\xff\0" * 99), Said.NONSENSE),
    "page": (lambda body: Reply(status=200, kind="text/html", body=b"<html>\n\n</html>"), Said.NONSENSE),
    "other text": (
        lambda body: Reply(status=200, kind=TEXT, body=str(KEYS[0].cosign(OTHER_TEXT, 7)).encode()),
        Said.NONSENSE,
    ),
    "more text": (evil, Said.NONSENSE),
    "other key": (foreign, Said.NONSENSE),
    "other witness": (
        lambda body: Reply(status=200, kind=TEXT, body=str(KEYS[1].cosign(OTHER_TEXT, 7)).encode()),
        Said.NONSENSE,
    ),
    "future": (future, Said.NONSENSE),
    "no status": (lambda body: Reply(status=0, kind=TEXT, body=b""), Said.REFUSED),
    "redirect": (lambda body: Reply(status=302, kind=TEXT, body=b""), Said.REFUSED),
    "fault": (lambda body: Reply(status=500, kind=TEXT, body=b"\x1b[2J" * 9999), Said.REFUSED),
    "unknown": (lambda body: Reply(status=404, kind=TEXT, body=b"who?"), Said.REFUSED),
    "larger": (lambda body: Reply(status=409, kind=SIZE_TYPE, body=b"6\n"), Said.AHEAD),
    "largest": (lambda body: Reply(status=409, kind=SIZE_TYPE, body=b"%d\n" % (2**63 - 1)), Said.AHEAD),
    "the same": (lambda body: Reply(status=409, kind=SIZE_TYPE, body=b"5\n"), Said.FORKED),
    "no size": (lambda body: Reply(status=409, kind=SIZE_TYPE, body=b"lots\n"), Said.NONSENSE),
    "too large a size": (lambda body: Reply(status=409, kind=SIZE_TYPE, body=b"9" * 30 + b"\n"), Said.NONSENSE),
    "another tree": (lambda body: Reply(status=409, kind=TEXT, body=b"another root"), Said.FORKED),
    "another tree, later version": (lambda body: Reply(status=422, kind=TEXT, body=b""), Said.FORKED),
    "ever smaller": (lambda body: Reply(status=409, kind=SIZE_TYPE, body=b"2\n"), Said.REFUSED),
    "ever nothing": (lambda body: Reply(status=409, kind=SIZE_TYPE, body=b"0\n"), Said.REFUSED),
}


@pytest.mark.parametrize(("answer", "expected"), LIES.values(), ids=LIES.keys())
def test_a_witness_that_is_away_or_lies_costs_its_own_cosignature_only(
    world: World, answer: Callable[[bytes], Reply], expected: Said
) -> None:
    world.says_instead(0, answer)
    collected = world.collect()
    assert said(collected) == [expected, Said.COSIGNED, Said.COSIGNED]
    assert collected.is_met
    assert collected.is_doubted == (expected in (Said.AHEAD, Said.FORKED))
    assert world.publish(collected)
    published = world.folder.checkpoint()
    assert published is not None
    assert policy().open(published).cosigned.keys() == {"W1", "W2"}
    assert len(parse_note(published).signatures) == 3
    assert len(world.asked) <= 8, "nobody is asked without end"


def test_without_the_quorum_cosignatures_are_published_but_the_checkpoint_is_not_called_valid(world: World) -> None:
    world.publish(world.collect())
    before = world.folder.read("cosigned")
    world.grow(3)
    world.says_instead(0, unreachable)
    world.says_instead(1, unreachable)
    collected = world.collect()
    assert not collected.is_met
    assert world.publish(collected)
    published = world.folder.checkpoint()
    assert published is not None
    assert policy().opened(published).cosigned.keys() == {"W2"}
    assert world.folder.read("cosigned") == before


def test_cosignatures_that_came_one_after_the_other_make_up_a_quorum(world: World) -> None:
    honest = dict(world.says)
    world.says_instead(1, unreachable)
    world.says_instead(2, unreachable)
    world.publish(world.collect())
    world.says = honest
    world.says_instead(0, unreachable)
    world.says_instead(2, unreachable)
    assert world.collect().is_met


def test_what_was_published_meanwhile_is_not_rolled_back(world: World) -> None:
    slow = world.collect()
    newer = world.grow(4)
    assert not world.publish(slow)
    assert world.folder.checkpoint() == newer
    cosigned = world.folder.read("cosigned")
    assert cosigned is not None
    assert unverified_checkpoint(cosigned).size == 5, "the older one is valid all the same, and kept as such"
    newest = world.collect()
    world.publish(newest)
    assert not world.publish(slow)
    cosigned = world.folder.read("cosigned")
    assert cosigned is not None
    assert unverified_checkpoint(cosigned).size == 9


def test_a_publication_between_reading_and_replacing_the_checkpoint_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recorder publishes at the very point where the collector has compared and not yet written."""
    collected, real = world.collect(), world.folder._write
    recorder = threading.Thread(target=world.grow, args=(4,))

    def overtaken(path: str, content: bytes) -> set[Path]:
        if path == "checkpoint" and not recorder.ident:
            recorder.start()
            recorder.join(timeout=0.3)
            assert recorder.is_alive()
        return real(path, content)

    monkeypatch.setattr(world.folder, "_write", overtaken)
    world.publish(collected)
    recorder.join()
    published = world.folder.checkpoint()
    assert published is not None
    assert unverified_checkpoint(published).size == 9


def test_a_checkpoint_that_is_published_again_keeps_its_cosignatures(world: World) -> None:
    world.publish(world.collect())
    before = world.folder.checkpoint()
    world.folder.publish([], signed_head(world.log, LOG.name, [LOG]))
    after = world.folder.checkpoint()
    assert before is not None
    assert after is not None
    assert set(parse_note(after).signatures) == set(parse_note(before).signatures)


def test_during_a_rotation_both_signatures_of_the_log_stay_beside_the_cosignatures(world: World) -> None:
    new = SigningKey(name=LOG.name, seed=b"n" * 32)
    world.folder.publish([], signed_head(world.log, LOG.name, [LOG, new]))
    world.publish(world.collect())
    published = world.folder.checkpoint()
    assert published is not None
    for key in (LOG, new):
        assert policy().trusting(key.verifier).open(published).checkpoint.size == 5


def test_a_log_without_the_tiles_for_a_proof_says_so(world: World) -> None:
    world.publish(world.collect())
    world.grow(4)
    (world.folder.path / "tile" / "0" / "000.p" / "9").unlink()
    collected = world.collect()
    assert said(collected) == [Said.REFUSED] * 3
    assert "no tiles for: tile/0/000.p/9" in collected.outcomes[0].words


def test_a_policy_without_addresses_asks_nobody(world: World) -> None:
    silent = parse_policy(f"witness W {KEYS[0].cosigner}\nquorum W\n".encode())
    collected = world.collect(silent)
    assert (collected.outcomes, collected.is_met, world.asked) == ((), False, [])


def test_asking_and_publishing_is_one_step_for_whoever_runs_it(world: World) -> None:
    collected = cosign(world.folder, policy(), world, world.clock)
    assert collected is not None
    assert world.folder.read("cosigned") == collected.checkpoint
    assert cosign(LogFolder(world.folder.path / "none"), policy(), world, world.clock) is None


def test_a_store_that_is_where_the_witnesses_left_it_or_further_may_sign(world: World) -> None:
    world.publish(world.collect())
    assert [
        one.said for one in demand_newest(signed_head(world.log, LOG.name, [LOG]), policy(), world, world.clock)
    ] == [Said.COSIGNED] * 3
    newer = world.grow(2)
    assert [one.said for one in demand_newest(newer, policy(), world, world.clock)] == [Said.BEHIND] * 3


def test_a_store_older_than_what_a_witness_saw_must_not_sign(world: World) -> None:
    older = world.folder.checkpoint()
    assert older is not None
    world.grow(2)
    world.publish(world.collect())
    world.says_instead(0, unreachable)
    for known in (older, signed_head(Log(), LOG.name, [LOG])):
        with pytest.raises(ForkError, match=r"W1 has cosigned 7 entries .* but the store has [05] entries"):
            demand_newest(known, policy(), world, world.clock)


def test_a_store_with_other_entries_than_a_witness_saw_must_not_sign(world: World) -> None:
    world.publish(world.collect())
    forked = append(Log(), [b"forged"] * 5).log
    with pytest.raises(ForkError, match="W0 has cosigned another tree of 5 entries"):
        demand_newest(signed_head(forked, LOG.name, [LOG]), policy(), world, world.clock)


def test_a_store_whose_witnesses_are_all_away_may_sign(world: World) -> None:
    for n in range(3):
        world.says_instead(n, unreachable)
    known = signed_head(world.log, LOG.name, [LOG])
    assert [one.said for one in demand_newest(known, policy(), world, world.clock)] == [Said.UNREACHABLE] * 3
