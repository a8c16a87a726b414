"""Witnesses asked by a log: for cosignatures, and at the start for the size that they saw last.

Off the path of decisions. A witness that is dead, slow, wrong or malicious costs its own cosignature and nothing else;
what each of them said is told.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from comity.ledger.checkpoint import Checkpoint, unverified_checkpoint
from comity.ledger.cosignature import cosigned_at
from comity.ledger.log import CHECKPOINT_PATH, ForkError
from comity.ledger.note import NoteError, Signature, countersigned, open_note
from comity.ledger.policy import KnownWitness, Policy
from comity.ledger.tiles import FileReader, TileError, hashes_from_tiles
from comity.ledger.tree import consistency_proof
from comity.ledger.witness import SIZE_TYPE, AddCheckpoint, parse_size
from comity.ports import Clock, CosignedLog, Reply, UnreachableError, WitnessLink

_ATTEMPTS: Final = 3
_AT_ONCE: Final = 16
_AHEAD: Final = 3600
"""How many seconds a witness's clock may be ahead of ours."""


class Said(StrEnum):
    """What came of asking a witness."""

    COSIGNED = "cosigned"
    BEHIND = "behind"  # it has cosigned a smaller tree and wants a proof
    AHEAD = "ahead"  # it has cosigned a larger tree of this log
    FORKED = "forked"  # it has cosigned another tree of the same size
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NONSENSE = "nonsense"


_DOUBTS: Final = (Said.AHEAD, Said.FORKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a witness said, in words, with the cosignature if it gave one. `size`: what it cosigned last, if it says."""

    witness: str
    said: Said
    words: str
    size: int | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A checkpoint with all cosignatures that were got. `is_met`: they make up the policy's quorum."""

    checkpoint: bytes
    outcomes: tuple[Outcome, ...]
    is_met: bool

    @property
    def is_doubted(self) -> bool:
        """Whether a witness saw more of the log, or another one: somebody must look into it."""
        return any(one.said in _DOUBTS for one in self.outcomes)


def cosign(log: CosignedLog, policy: Policy, link: WitnessLink, clock: Clock) -> Collected | None:
    """Ask the witnesses once and publish what they gave; for a background task. None: nothing is published yet.

    Raises `NoteError` if what is published is no checkpoint.
    """
    checkpoint = log.read(CHECKPOINT_PATH)
    if checkpoint is None:
        return None
    collected = collect(checkpoint, log.read, policy, link, clock)
    log.publish_cosigned(collected.checkpoint, is_valid=collected.is_met)
    return collected


def collect(checkpoint: bytes, read: FileReader, policy: Policy, link: WitnessLink, clock: Clock) -> Collected:
    """Ask all witnesses of the policy that have an address to cosign the published `checkpoint`, side by side.

    `read`: the log's tiles, of which the proofs are made. Raises `NoteError` for what is no checkpoint.
    """
    asking = _Asking(note=checkpoint, checkpoint=unverified_checkpoint(checkpoint), link=link, clock=clock)
    outcomes = _each(policy, lambda one: asking.cosignature(one, read))
    signed = countersigned(checkpoint, (one.signature for one in outcomes if one.signature is not None))
    cosigned = _cosigners(signed, policy)
    return Collected(checkpoint=signed, outcomes=outcomes, is_met=policy.is_met(cosigned))


def demand_newest(checkpoint: bytes, policy: Policy, link: WitnessLink, clock: Clock) -> tuple[Outcome, ...]:
    """Refuse to fork: what each witness says of the store's last signed `checkpoint`, before anything new is signed.

    Raises `ForkError` if one of them has cosigned a larger tree, or another one of that size: then the store was
    restored from an older backup, and what it lost may have been seen by others. Who cannot be reached is passed over.
    """
    asking = _Asking(note=checkpoint, checkpoint=unverified_checkpoint(checkpoint), link=link, clock=clock)
    outcomes = _each(policy, lambda one: asking.ask(one, asking.checkpoint.size, ()))
    for one in outcomes:
        if one.said in _DOUBTS:
            raise ForkError(
                f"The witness {one.witness} {one.words}, but the store has {asking.checkpoint.size} entries: it was"
                " restored from an older backup. Nothing was signed. Restore the newest backup; if there is none, begin"
                " a new log whose genesis cites the last good checkpoint. If it is the witness that is wrong, take it"
                " out of the policy."
            )
    return outcomes


def _each(policy: Policy, ask: Callable[[KnownWitness], Outcome]) -> tuple[Outcome, ...]:
    reachable = [one for one in policy.witnesses if one.url]
    if not reachable:
        return ()
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(reachable))) as pool:
        return tuple(pool.map(ask, reachable))


def _cosigners(signed: bytes, policy: Policy) -> frozenset[str]:
    """Whose cosignatures the checkpoint has, those from earlier included, if they fit."""
    found = set()
    for witness in policy.witnesses:
        try:
            open_note(signed, [witness.key])
            found.add(witness.name)
        except NoteError:
            continue
    return frozenset(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """One checkpoint on its way to the witnesses."""

    note: bytes
    checkpoint: Checkpoint
    link: WitnessLink
    clock: Clock = field(repr=False)

    def cosignature(self, witness: KnownWitness, read: FileReader) -> Outcome:
        """What comes of asking, first as if the witness were up to date, then with the proof from where it is."""
        outcome = self.ask(witness, self.checkpoint.size, ())
        for _ in range(_ATTEMPTS):
            if outcome.said is not Said.BEHIND or outcome.size is None:
                return outcome
            size = self.checkpoint.size
            try:
                hashes = hashes_from_tiles(read, size)
                proof = consistency_proof(outcome.size, size, hashes) if outcome.size else ()
            except TileError as error:
                return self.outcome(witness, Said.REFUSED, f"wants a proof that the log has no tiles for: {error}")
            outcome = self.ask(witness, outcome.size, proof)
        return self.outcome(witness, Said.REFUSED, "names another size each time that it is asked")

    def ask(self, witness: KnownWitness, old: int, proof: tuple[bytes, ...]) -> Outcome:
        """One question, one answer."""
        request = bytes(AddCheckpoint(old=old, proof=proof, checkpoint=self.note))
        try:
            reply = self.link.post(f"{witness.url.rstrip('/')}/add-checkpoint", request)
        except UnreachableError as error:
            return self.outcome(witness, Said.UNREACHABLE, f"cannot be reached: {error}")
        match reply.status:
            case 200:
                return self.signed(witness, reply)
            case 409 if reply.kind == SIZE_TYPE:
                return self.conflict(witness, old, parse_size(reply.body))
            case 409 | 422 if old == self.checkpoint.size:  # the specification's versions differ in the status
                return self.forked(witness)
            case _:
                words = reply.body[:200].decode("utf-8", "replace").strip()
                return self.outcome(witness, Said.REFUSED, f"refuses with status {reply.status}: {words}")

    def signed(self, witness: KnownWitness, reply: Reply) -> Outcome:
        """The cosignature among what the witness sent, if there is one by its key that fits and is of now."""
        try:
            note = open_note(self.checkpoint.text.encode() + b"\n" + reply.body, [witness.key])
        except NoteError as error:
            return self.outcome(witness, Said.NONSENSE, f"answers with no cosignature of its own: {error}")
        if note.text != self.checkpoint.text:
            return self.outcome(witness, Said.NONSENSE, "answers with a cosignature of something else")
        signature = note.signatures[-1]
        at, now = cosigned_at(signature.content), self.clock.now().timestamp()
        if not 0 < at <= now + _AHEAD:
            return self.outcome(witness, Said.NONSENSE, f"cosigned at the time {at}, which is not now")
        return Outcome(witness=witness.name, said=Said.COSIGNED, words="cosigned", signature=signature)

    def conflict(self, witness: KnownWitness, old: int, size: int | None) -> Outcome:
        if size is None:
            return self.outcome(witness, Said.NONSENSE, "answers with a conflict of sizes and names no size")
        if old == size == self.checkpoint.size:
            return self.forked(witness)
        said = Said.BEHIND if size <= self.checkpoint.size else Said.AHEAD
        return Outcome(witness=witness.name, said=said, words=f"has cosigned {size} entries of this log", size=size)

    def forked(self, witness: KnownWitness) -> Outcome:
        return self.outcome(witness, Said.FORKED, f"has cosigned another tree of {self.checkpoint.size} entries")

    def outcome(self, witness: KnownWitness, said: Said, words: str) -> Outcome:
        return Outcome(witness=witness.name, said=said, words=words)
