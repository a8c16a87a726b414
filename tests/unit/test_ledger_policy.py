"""Cosignatures and the policies that ask for them, as C2SP tlog-cosignature and tlog-policy write them."""

from __future__ import annotations

import pytest

from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.cosignature import CosignerKey, CosigningKey, cosigned_at
from comity.ledger.note import NoteError, Signature, SigningKey, VerifierKey, open_note
from comity.ledger.policy import MOST_LINES, Policy, PolicyError, Remembering, parse_policy
from comity.ledger.tlog_proof import TlogProof, verify_proof
from comity.ledger.tree import EMPTY, ProofError, grow, leaf_hash

LOG = SigningKey(name="example.com/log", seed=bytes(range(32)))
WITNESSES = [CosigningKey(name=f"w{n}.example", seed=bytes([n]) * 32) for n in range(6)]
X1, X2, X3, Y1, Y2, Y3 = WITNESSES
CHECKPOINT = Checkpoint(origin=LOG.name, size=1, root=grow(EMPTY, [leaf_hash(b"one")])[0].root)
SIGNED = sign_checkpoint(CHECKPOINT, [LOG])
POLICY = f"""
log {LOG.verifier}

witness X1 {X1.cosigner}
witness X2 {X2.cosigner} https://x2.example/prefix
witness X3 {X3.cosigner}
group X-witnesses 2 X1 X2 X3

witness Y1 {Y1.cosigner}
witness Y2 {Y2.cosigner}
witness Y3 {Y3.cosigner}
group Y-witnesses any Y1 Y2 Y3

\tgroup  X-and-Y\tall X-witnesses Y-witnesses  \n\t# as in the specification
quorum X-and-Y
"""


def cosigned(*keys: CosigningKey, at: int = 1679315147) -> bytes:
    return SIGNED + b"".join(str(key.cosign(CHECKPOINT.text, at)).encode() for key in keys)


def test_a_cosignature_signs_the_time_and_the_whole_text_of_the_checkpoint() -> None:
    line = X1.cosign(CHECKPOINT.text, 1679315147)
    assert cosigned_at(line.content) == 1679315147
    message = b"cosignature/v1\ntime 1679315147\n" + CHECKPOINT.text.encode()
    alike = SigningKey(name=X1.name, seed=X1.seed)
    assert line.content == (1679315147).to_bytes(8) + alike.sign(message)
    assert X1.cosigner.verifies(CHECKPOINT.text.encode(), line.content)
    assert line.key_id != alike.key_id, "the same key as a note's key has another id"


def test_a_cosignature_of_another_time_text_or_length_does_not_fit() -> None:
    text, content = CHECKPOINT.text.encode(), X1.cosign(CHECKPOINT.text, 7).content
    assert not X1.cosigner.verifies(text, (8).to_bytes(8) + content[8:])
    assert not X1.cosigner.verifies(text + b"x\n", content)
    assert not X2.cosigner.verifies(text, content)
    for wrong in (b"", content[:-1], content + b"x", content[8:]):
        assert not X1.cosigner.verifies(text, wrong)
    too_late = 2**63
    signed = SigningKey(name="any", seed=X1.seed).sign(b"cosignature/v1\ntime %d\n" % too_late + text)
    assert not X1.cosigner.verifies(text, too_late.to_bytes(8) + signed)


def test_a_witness_key_reads_back_and_is_no_key_of_a_log() -> None:
    assert CosignerKey.parse(str(X1.cosigner)) == X1.cosigner
    assert CosigningKey.parse(X1.encode() + "\n") == X1
    assert repr(X1.seed) not in repr(X1)
    with pytest.raises(NoteError, match=r"type 0x04 .* where type 0x01"):
        VerifierKey.parse(str(X1.cosigner))
    with pytest.raises(NoteError, match=r"type 0x01 .* where type 0x04"):
        CosignerKey.parse(str(LOG.verifier))
    with pytest.raises(NoteError, match="id"):
        CosignerKey.parse(str(X1.cosigner).replace(X1.name, "another"))


def test_the_clock_of_a_cosignature_is_after_1970() -> None:
    for at in (0, -1, 2**63):
        with pytest.raises(NoteError, match="clock"):
            X1.cosign(CHECKPOINT.text, at)


def test_the_policy_of_the_specification_is_read() -> None:
    policy = parse_policy(POLICY.encode())
    assert [one.key for one in policy.logs] == [LOG.verifier]
    assert [(one.name, one.key, one.url) for one in policy.witnesses][1] == (
        "X2",
        X2.cosigner,
        "https://x2.example/prefix",
    )
    assert [(one.threshold, len(one.members)) for one in policy.groups] == [(2, 3), (1, 3), (2, 2)]


@pytest.mark.parametrize(
    ("names", "is_met"),
    [
        ("", False),
        ("X1 X2", False),
        ("X1 Y1", False),
        ("X1 X2 X3", False),
        ("Y1 Y2 Y3", False),
        ("X1 X3 Y2", True),
        ("X1 X2 X3 Y1 Y2 Y3", True),
        ("X-witnesses Y-witnesses", False),
        ("X-and-Y", False),
        ("stranger another third", False),
    ],
)
def test_a_quorum_counts_the_witnesses_of_its_groups_and_nobody_else(names: str, is_met: bool) -> None:
    assert parse_policy(POLICY.encode()).is_met(names.split()) is is_met


def test_a_checkpoint_is_valid_once_the_quorum_cosigned_it() -> None:
    policy = parse_policy(POLICY.encode())
    found = policy.open(cosigned(X1, Y3, X2))
    assert found.checkpoint == CHECKPOINT
    assert found.cosigned == {"X1": 1679315147, "Y3": 1679315147, "X2": 1679315147}
    with pytest.raises(NoteError, match="'X-and-Y' is not met: the checkpoint is cosigned by 'X1', 'Y1'"):
        policy.open(cosigned(X1, Y1))
    with pytest.raises(NoteError, match="cosigned by no known witness"):
        policy.open(cosigned(CosigningKey(name="stranger", seed=bytes(32))))
    assert policy.opened(SIGNED).cosigned == {}


def test_the_same_witness_twice_counts_once() -> None:
    with pytest.raises(NoteError, match="cosigned by 'X1', 'Y1'"):
        parse_policy(POLICY.encode()).open(cosigned(X1, Y1) + str(X1.cosign(CHECKPOINT.text, 5)).encode())


def test_a_wrong_cosignature_by_a_known_witness_spoils_the_checkpoint() -> None:
    policy = parse_policy(POLICY.encode())
    wrong = Signature(name=Y2.name, key_id=Y2.cosigner.key_id, content=bytes(72))
    with pytest.raises(NoteError, match=r"w4.example\+.* does not fit"):
        policy.open(cosigned(X1, X2, Y1) + str(wrong).encode())


def test_cosignatures_alone_make_no_checkpoint() -> None:
    policy = parse_policy(POLICY.encode())
    with pytest.raises(NoteError, match="No trusted key"):
        policy.open(cosigned(X1, X2, Y1).replace(b"\n" + SIGNED.rpartition(b"\n\n")[2], b"\n"))
    stranger = SigningKey(name="example.com/other", seed=bytes(32))
    other = sign_checkpoint(Checkpoint(origin="example.com/other", size=1, root=bytes(32)), [stranger])
    with pytest.raises(NoteError, match=r"knows no log 'example\.com/other'"):
        policy.open(other)


def test_an_unknown_sort_of_signature_is_passed_over_by_logs_and_policies() -> None:
    unknown = Signature(name=LOG.name, key_id=b"\6\6\6\6", content=bytes(8 + 2420))
    content = cosigned(X1, X2, Y1) + str(unknown).encode()
    assert parse_policy(POLICY.encode()).open(content).checkpoint == CHECKPOINT
    assert open_note(content, [LOG.verifier]).text == CHECKPOINT.text


def test_during_a_rotation_either_key_of_the_log_will_do() -> None:
    new = SigningKey(name=LOG.name, seed=b"n" * 32)
    both = sign_checkpoint(CHECKPOINT, [LOG, new])
    for keys in ([LOG.verifier], [new.verifier], [LOG.verifier, new.verifier]):
        assert Policy().trusting(*keys).open(both).checkpoint == CHECKPOINT


def test_a_proof_without_the_quorum_proves_nothing() -> None:
    policy = parse_policy(POLICY.encode())
    assert verify_proof(TlogProof(index=0, hashes=(), checkpoint=cosigned(X1, X2, Y1)), b"one", policy).cosigned
    with pytest.raises(ProofError, match="quorum"):
        verify_proof(TlogProof(index=0, hashes=(), checkpoint=cosigned(X1, X2)), b"one", policy)


def test_no_quorum_asks_for_nothing() -> None:
    policy = parse_policy(b"quorum none\n")
    assert policy.is_met([])
    assert policy.trusting(LOG.verifier).open(SIGNED).checkpoint == CHECKPOINT


def test_names_are_octets() -> None:
    kelvin, letter = "\u212a".encode(), b"K"
    text = b"witness %s %s\nwitness %s %s\nwitness \xff %s\nquorum %s\n"
    keys = [str(key.cosigner).encode() for key in (X1, X2, X3)]
    policy = parse_policy(text % (kelvin, keys[0], letter, keys[1], keys[2], letter))
    assert policy.is_met(["K"])
    assert not policy.is_met(["\u212a"])
    with pytest.raises(NoteError, match=r"quorum '\\udcff'"):
        parse_policy(text % (kelvin, keys[0], letter, keys[1], keys[2], b"\xff")).trusting(LOG.verifier).open(SIGNED)


LINE = f"witness A {X1.cosigner}\n"
OTHER = f"witness B {X2.cosigner}\n"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no `quorum` line"),
        ("# quorum none\n", "no `quorum` line"),
        ("quorum none", "Line 1 does not end with a newline"),
        (LINE + "quorum A\nquorum A\n", "Line 3 is a second `quorum`"),
        ("quorum A\n" + LINE, "Line 1 names 'A', which no line before it defines"),
        ("quorum all A\n", "Line 1 is none of"),
        ("quorum\n", "Line 1 is none of"),
        ("Quorum none\n", "Line 1 is none of"),
        ("quorum none\r\n", "Line 1 holds a control character"),
        ("quorum none\x7f\n", "Line 1 holds a control character"),
        ("quorum\u00a0none\n", "Line 1 is none of"),
        (LINE + "group G any A none\n", "Line 2 names 'none', which no line before"),
        (LINE + "group G any A A\n", "Line 2 names 'A', which is a member already"),
        (LINE + OTHER + "group G any A\ngroup H any A B\n", "Line 4 names 'A', which is a member already"),
        (LINE + "group G any G\n", "Line 2 names 'G', which no line before"),
        (LINE + "group G any\n", "Line 2 is none of"),
        (LINE + "group G 0 A\n", "Line 2 wants '0' of 1"),
        (LINE + "group G 2 A\n", "Line 2 wants '2' of 1"),
        (LINE + "group G -1 A\n", "Line 2 wants '-1' of 1"),
        (LINE + "group G some A\n", "Line 2 wants 'some' of 1"),
        (LINE + "group G " + "9" * 5000 + " A\n", "Line 2 wants"),
        (LINE + "group A any A\n", "Line 2 defines 'A', which is taken"),
        (f"witness none {X1.cosigner}\n", "Line 1 defines 'none', which is taken"),
        (LINE + f"witness A {X2.cosigner}\n", "Line 2 defines 'A', which is taken"),
        (LINE + f"witness B {X1.cosigner}\n", "Line 2 repeats a key"),
        (LINE + f"witness B {CosigningKey(name='other', seed=X1.seed).cosigner}\n", "Line 2 repeats a key"),
        (f"log {LOG.verifier}\nlog {LOG.verifier} https://a\n", "Line 2 repeats a key"),
        (f"log {X1.cosigner}\n", "Line 1 has no key of a log: .*type 0x04"),
        (f"witness A {LOG.verifier}\n", "Line 1 has no key of a witness: .*type 0x01"),
        ("log x+1+2\n", "Line 1 has no key of a log"),
        (f"log {LOG.verifier} https://a b\n", "Line 1 is none of"),
        (f"log   \n{LINE}", "Line 1 is none of"),
        ("\n" * 1_000_001, "more than the 1000000"),
    ],
)
def test_a_malformed_policy_is_refused_with_the_line_and_the_mend(text: str, named: str) -> None:
    with pytest.raises(PolicyError, match=named):
        parse_policy(text.encode())


def test_a_key_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(PolicyError, match="Line 1 has no key of a log"):
        parse_policy(b"log \xff+00000000+" + str(LOG.verifier).rpartition("+")[2].encode() + b"\nquorum none\n")


def test_as_many_witnesses_and_groups_as_are_stated_are_read_and_deep_chains_end() -> None:
    keys = [CosigningKey(name="w", seed=n.to_bytes(32)).cosigner for n in range(40)]
    lines = [f"witness w{n} {key}" for n, key in enumerate(keys)]
    chain = ["group g0 all w0", *(f"group g{n} all g{n - 1}" for n in range(1, MOST_LINES - 40))]
    policy = parse_policy("\n".join([*lines, *chain, f"quorum g{MOST_LINES - 41}", ""]).encode())
    assert policy.is_met(["w0"])
    assert not policy.is_met(["w1"])
    with pytest.raises(PolicyError, match="one too many"):
        parse_policy("\n".join([*lines, *chain, "group more any w1", "quorum none", ""]).encode())


def test_what_was_opened_before_is_not_checked_again_and_what_was_refused_is_refused_again() -> None:
    policy = Policy().trusting(LOG.verifier)
    opener = Remembering(policy)
    assert opener.open(SIGNED) is opener.open(bytes(SIGNED))
    forged = SIGNED.replace(b"\n1\n", b"\n2\n", 1)
    for _ in range(2):
        with pytest.raises(NoteError):
            opener.open(forged)
    assert opener.open(SIGNED) == policy.open(SIGNED)
    assert opener.open(cosigned(X1)) is not opener.open(SIGNED)
