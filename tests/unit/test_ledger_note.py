"""Signed notes, checkpoints and proofs, as C2SP writes them, and nearly so."""

from __future__ import annotations

import base64

import pytest

from comity.ledger.checkpoint import Checkpoint, open_checkpoint, parse_text, sign_checkpoint, unverified_checkpoint
from comity.ledger.note import (
    LARGEST_NOTE,
    NoteError,
    Signature,
    SigningKey,
    VerifierKey,
    open_note,
    parse_note,
    sign_note,
)
from comity.ledger.policy import Policy
from comity.ledger.tlog_proof import TlogProof, parse_proof, verify_proof
from comity.ledger.tree import EMPTY, ProofError, grow, leaf_hash

# The example of Go's golang.org/x/mod/sumdb/note.
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNED = (
    TEXT + "\n— PeterNeumann"
    " x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()

KEY = SigningKey(name="example.com/log", seed=bytes(range(32)))
OTHER = SigningKey(name="witness.example", seed=bytes(32))
ROOT = grow(EMPTY, [leaf_hash(b"one")])[0].root
CHECKPOINT = Checkpoint(origin="example.com/log", size=1, root=ROOT)
SIGNED_CHECKPOINT = sign_checkpoint(CHECKPOINT, [KEY])


def test_keys_and_signatures_are_those_of_the_go_implementation() -> None:
    key = SigningKey.parse(PRIVATE)
    assert str(key.verifier) == PUBLIC
    assert key.encode() == PRIVATE
    assert sign_note(TEXT, [key]) == SIGNED
    assert open_note(SIGNED, [VerifierKey.parse(PUBLIC)]).text == TEXT
    assert bytes(parse_note(SIGNED)) == SIGNED


def test_a_key_never_shows_its_seed() -> None:
    key = SigningKey.parse(PRIVATE)
    assert repr(key.seed) not in repr(key)
    with pytest.raises(NoteError) as error:
        SigningKey.parse(PRIVATE.replace("c74f20a3", "c74f20a4"))
    assert "AYEKFALVFGy" not in str(error.value)


def test_a_checkpoint_is_the_three_lines_of_the_specification() -> None:
    root = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert parse_text(text) == Checkpoint(origin="example.com/behind-the-sofa", size=20852163, root=root)
    assert parse_text(text).text == text


def test_signatures_by_unknown_keys_are_passed_over() -> None:
    both = sign_checkpoint(CHECKPOINT, [OTHER, KEY])
    assert open_checkpoint(both, [KEY.verifier], KEY.name) == CHECKPOINT
    unknown = str(Signature(name=KEY.name, key_id=b"\0\0\0\0", content=b"x" * 2420)).encode()
    assert open_checkpoint(SIGNED_CHECKPOINT + unknown, [KEY.verifier], KEY.name) == CHECKPOINT


def test_sixteen_signatures_are_read_and_a_thousand_are_not() -> None:
    lines = [str(Signature(name=f"w{n}", key_id=b"abcd", content=b"x" * 64)).encode() for n in range(1000)]
    assert open_checkpoint(SIGNED_CHECKPOINT + b"".join(lines[:16]), [KEY.verifier], KEY.name) == CHECKPOINT
    with pytest.raises(NoteError, match="1001 signatures"):
        open_checkpoint(SIGNED_CHECKPOINT + b"".join(lines), [KEY.verifier], KEY.name)


def test_a_wrong_signature_by_a_known_key_spoils_the_note_even_beside_a_right_one() -> None:
    wrong = str(Signature(name=KEY.name, key_id=KEY.key_id, content=bytes(64))).encode()
    with pytest.raises(NoteError, match=r"example.com/log\+[0-9a-f]{8} does not fit"):
        open_note(SIGNED_CHECKPOINT + wrong, [KEY.verifier])


@pytest.mark.parametrize("length", [1, 63, 65, 0])
def test_a_signature_of_the_wrong_length_by_a_known_key_is_refused(length: int) -> None:
    wrong = str(Signature(name=KEY.name, key_id=KEY.key_id, content=bytes(length))).encode()
    with pytest.raises(NoteError):
        open_note(CHECKPOINT.text.encode() + b"\n" + wrong, [KEY.verifier])


def test_a_note_that_no_trusted_key_signed_is_refused_and_the_trusted_keys_are_named() -> None:
    with pytest.raises(NoteError, match=r"No trusted key .*witness.example\+"):
        open_note(SIGNED_CHECKPOINT, [OTHER.verifier])
    with pytest.raises(NoteError, match="trusted: no key"):
        open_note(SIGNED_CHECKPOINT, [])


def test_the_checkpoint_of_another_log_is_refused_though_the_key_signed_it() -> None:
    other = sign_checkpoint(Checkpoint(origin="example.com/other", size=1, root=ROOT), [KEY])
    with pytest.raises(NoteError, match=r"'example\.com/other', not of 'example\.com/log'"):
        open_checkpoint(other, [KEY.verifier], KEY.name)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "no blank line"),
        (b"\n\n", "no blank line"),
        (b"text\n", "no blank line"),
        (TEXT.encode(), "no blank line"),
        (SIGNED[:-1], "whole signature lines"),
        (SIGNED.replace(b"answer", b"\xff"), "not UTF-8 from byte"),
        (SIGNED.replace(b"answer", b"an\tswer"), "Line 1 .* control character"),
        (SIGNED.replace(b"\n", b"\r\n"), "Line 1 .* control character"),
        (SIGNED.replace("—".encode(), b"-"), "Signature 1 is not an em dash"),
        (SIGNED.replace(b"PeterNeumann x", b"PeterNeumann"), "Signature 1"),
        (SIGNED.replace(b"PeterNeumann ", b" "), "no key name"),
        (SIGNED.replace(b"PeterNeumann ", b"Peter+Neumann "), "no key name"),
        (SIGNED.replace(b"PeterNeumann ", "Peter\u2003Neumann ".encode()), "no key name"),
        (SIGNED.replace(b"JnAM=", b"JnAM"), "Signature 1 is not base64"),
        (SIGNED.replace(b"JnAM=", b"JnAN="), "Signature 1 is not base64"),
        (SIGNED.replace(b"x08go", b"x08g-"), "Signature 1 is not base64"),
        (TEXT.encode() + "\n— PeterNeumann x08go/==\n".encode(), "Signature 1"),
        (SIGNED + b"x" * LARGEST_NOTE, "more than the 1000000"),
    ],
)
def test_a_malformed_note_is_refused_with_the_place(content: bytes, named: str) -> None:
    with pytest.raises(NoteError, match=named):
        parse_note(content)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "three lines"),
        ("o\n1\n", "three lines"),
        ("\n1\nROOT\n", "none of them empty"),
        ("o\n01\nROOT\n", "Line 2"),
        ("o\n-1\nROOT\n", "Line 2"),
        ("o\n+1\nROOT\n", "Line 2"),
        ("o\n1_0\nROOT\n", "Line 2"),
        ("o\n\u0661\nROOT\n", "Line 2"),
        ("o\n9223372036854775808\nROOT\n", "Line 2"),
        ("o\n" + "9" * 100_000 + "\nROOT\n", "Line 2"),
        ("o\n1\nAAAA\n", "Line 3 .* 3 bytes, not the 32"),
        ("o\n1\n" + "0" * 64 + "\n", "Line 3 .* 48 bytes"),
        ("o\n1\nROOT\n\n", "none of them empty"),
        ("o\n1\nROOT", "three lines"),
    ],
)
def test_a_malformed_checkpoint_is_refused_with_its_line(text: str, named: str) -> None:
    with pytest.raises(NoteError, match=named):
        parse_text(text.replace("ROOT", base64.b64encode(ROOT).decode()))


def test_the_largest_size_and_extension_lines_are_read() -> None:
    largest = Checkpoint(origin="o", size=2**63 - 1, root=ROOT, extensions=("one", "two"))
    assert parse_text(largest.text) == largest
    assert unverified_checkpoint(sign_checkpoint(largest, [KEY])) == largest


@pytest.mark.parametrize("origin", ["", "two\nlines", "a\n7"])
def test_an_origin_that_would_read_as_something_else_is_not_signed(origin: str) -> None:
    with pytest.raises(NoteError):
        sign_checkpoint(Checkpoint(origin=origin, size=1, root=ROOT), [KEY])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "PeterNeumann",
        PUBLIC.replace("c74f20a3", "c74f20a4"),
        PUBLIC.replace("c74f20a3", "C74F20A3"),
        PUBLIC.replace("PeterNeumann", "peterneumann"),
        PUBLIC.replace("PeterNeumann", ""),
        PUBLIC[:-4],
        PUBLIC.replace("+AR", "+Ah"),
        PUBLIC + "x" * 2000,
    ],
)
def test_what_is_no_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(NoteError):
        VerifierKey.parse(vkey)


TRUST = Policy().trusting(KEY.verifier)
PROOF = TlogProof(index=0, hashes=(), checkpoint=SIGNED_CHECKPOINT)


def test_a_proof_has_the_lines_of_the_specification_and_reads_back() -> None:
    assert bytes(PROOF) == b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + SIGNED_CHECKPOINT
    other = TlogProof(index=7, hashes=(ROOT, ROOT), checkpoint=SIGNED_CHECKPOINT, extra=b"\0more")
    assert bytes(other).startswith(b"c2sp.org/tlog-proof@v1\nextra AG1vcmU=\nindex 7\n")
    assert parse_proof(bytes(other)) == other
    empty = TlogProof(index=7, hashes=(), checkpoint=SIGNED_CHECKPOINT, extra=b"")
    assert parse_proof(bytes(empty)) == empty


def test_a_proof_shows_its_own_entry_and_no_other() -> None:
    assert verify_proof(PROOF, b"one", TRUST).checkpoint == CHECKPOINT
    with pytest.raises(ProofError, match="does not lead from entry 0"):
        verify_proof(PROOF, b"two", TRUST)
    with pytest.raises(ProofError, match="cannot be trusted"):
        verify_proof(PROOF, b"one", Policy().trusting(OTHER.verifier))
    stranger = SigningKey(name=KEY.name, seed=bytes(32)).verifier
    with pytest.raises(ProofError, match="No trusted key signed"):
        verify_proof(PROOF, b"one", Policy().trusting(stranger))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (b"@v1", b"@v2", "no proof"),
        (b"\n\n", b"\n", "no proof|malformed|does not say"),
        (b"index 0", b"index 00", "`index`"),
        (b"index 0", b"index -1", "`index`"),
        (b"index 0", b"index 9223372036854775808", "`index`"),
        (b"index 0", b"extra !\nindex 0", "extra line is not base64"),
        (b"index 0", b"index 0\nAAAA", "Hash 0 .* 3 bytes"),
        (b"index 0", b"index 0\n!", "Hash 0 .* not base64"),
        (b"index 0", b"index 0" + b"\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" * 64, "64 hashes"),
        (b"index 0", b"index 1", "not in a tree"),
        (b"index 0", b"index 0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "only 0 have a place"),
    ],
)
def test_a_malformed_proof_is_refused_with_the_place(old: bytes, new: bytes, named: str) -> None:
    with pytest.raises(ProofError, match=named):
        verify_proof(parse_proof(bytes(PROOF).replace(old, new, 1)), b"one", TRUST)
