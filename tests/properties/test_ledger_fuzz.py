"""Whatever bytes come, the readers of the ledger's formats answer with a value or with their one stated error.

Half of the bytes are made of whole pieces of the formats, so that they get far; what is read is written again alike.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.ledger.checkpoint import Checkpoint, parse_text, sign_checkpoint
from comity.ledger.cosignature import CosignerKey, CosigningKey
from comity.ledger.log_list import LogListError, parse_log_list
from comity.ledger.note import NoteError, SigningKey, VerifierKey, parse_note
from comity.ledger.policy import Policy, PolicyError, parse_policy
from comity.ledger.tlog_proof import TlogProof, parse_proof, verify_proof
from comity.ledger.tree import EMPTY, ProofError, grow, leaf_hash
from comity.ledger.witness import AddCheckpoint, RefusedError, demand_next, parse_request, trusted_checkpoint

LOG = SigningKey(name="example.com/log", seed=bytes(range(32)))
WITNESS = CosigningKey(name="w.example", seed=b"w" * 32)
ROOT = grow(EMPTY, [leaf_hash(b"one")])[0].root
CHECKPOINT = Checkpoint(origin=LOG.name, size=1, root=ROOT)
NOTE = sign_checkpoint(CHECKPOINT, [LOG]) + str(WITNESS.cosign(CHECKPOINT.text, 7)).encode()
POLICY = f"log {LOG.verifier}\nwitness W {WITNESS.cosigner} https://w.example\ngroup G all W\nquorum G\n".encode()
LIST = f"logs/v0\nvkey {LOG.verifier}\norigin o\nqpd 7\ncontact me\n".encode()
PROOF = bytes(TlogProof(index=0, hashes=(), checkpoint=NOTE, extra=b"x"))
REQUEST = bytes(AddCheckpoint(old=0, proof=(ROOT,), checkpoint=NOTE))
WHOLE = (NOTE, POLICY, LIST, PROOF, REQUEST, str(LOG.verifier).encode(), str(WITNESS.cosigner).encode())
PIECES = sorted(
    {piece for one in WHOLE for line in one.splitlines(keepends=True) for piece in (line, *line.split(b" "))}
    | {b"\n", b"\n\n", b" ", b"\t", b"+", b"=", b"\xff", b"\r", b"\0", "\u2014 ".encode(), b"9" * 19, b"-1", b"none"}
)


def altered(whole: bytes) -> st.SearchStrategy[bytes]:
    """A whole file with one stretch of it replaced."""
    cut = st.tuples(
        st.integers(0, len(whole)), st.integers(0, 8), st.one_of(st.binary(max_size=8), st.sampled_from(PIECES))
    )
    return cut.map(lambda c: whole[: c[0]] + c[2] + whole[c[0] + c[1] :])


FILES = st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join),
    *map(altered, WHOLE),
)


def read_note(content: bytes) -> None:
    note = parse_note(content)
    assert bytes(note) == content
    assert parse_text(note.text).text == note.text
    Policy().trusting(LOG.verifier).open(content)


def read_proof(content: bytes) -> None:
    proof = parse_proof(content)
    assert bytes(proof) == content
    assert verify_proof(proof, b"one", parse_policy(POLICY)).checkpoint == CHECKPOINT


def read_request(content: bytes) -> None:
    request = parse_request(content)
    assert bytes(request) == content
    checkpoint, _ = trusted_checkpoint(request.checkpoint, {LOG.name: LOG.verifier})
    demand_next(request, checkpoint, None)


def read_policy(content: bytes) -> None:
    policy = parse_policy(content)
    assert policy.is_met([one.name for one in policy.witnesses]), "all witnesses together are always enough"


def read_keys(content: bytes) -> None:
    text = content.decode("utf-8", "surrogateescape")
    for kind in (VerifierKey, CosignerKey):
        try:
            assert str(kind.parse(text)) == text.strip()
        except ValueError:
            continue


READERS: tuple[tuple[Callable[[bytes], object], type[Exception]], ...] = (
    (read_note, NoteError),
    (read_proof, ProofError),
    (read_request, RefusedError),
    (read_policy, PolicyError),
    (parse_log_list, LogListError),
    (read_keys, NoteError),
)


@pytest.mark.parametrize(("read", "error"), READERS, ids=[read.__name__ for read, _ in READERS])
@given(content=FILES)
def test_every_file_is_read_or_refused(read: Callable[[bytes], object], error: type[Exception], content: bytes) -> None:
    said = ""
    try:
        read(content)
    except error as refused:
        said = str(refused)
    assert len(said) < 2000, "a refusal quotes what it refuses in part only"


@given(st.lists(st.sampled_from([NOTE, PROOF, REQUEST]), min_size=1, max_size=1).flatmap(lambda one: altered(one[0])))
def test_no_altered_byte_of_a_signed_text_is_believed(content: bytes) -> None:
    """Of a note, a proof or a request, whatever still opens says what was signed."""
    _, _, note = content.partition(b"\n\n") if content.startswith((b"c2sp", b"old")) else (b"", b"", content)
    try:
        found = Policy().trusting(LOG.verifier).open(note)
    except NoteError:
        return
    assert found.checkpoint == CHECKPOINT
