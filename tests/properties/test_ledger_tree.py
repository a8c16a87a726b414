"""The tree is that of RFC 6962, whatever its size and however it grew; proofs show what is so and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from comity.ledger.tree import (
    EMPTY,
    HashReader,
    ProofError,
    check_consistency,
    check_inclusion,
    consistency_proof,
    grow,
    inclusion_proof,
    leaf_hash,
    range_hash,
    root_from_inclusion,
)

LEAVES = [leaf_hash(b"%d" % n) for n in range(700)]
SMALL = 64  # every pair of sizes up to here is tried

# The leaves and roots that Certificate Transparency's implementations are tested with.
CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def simple_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1, to the letter."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + simple_root(leaves[:middle]) + simple_root(leaves[middle:])).digest()


def simple_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1, to the letter."""
    if len(leaves) == 1:
        return []
    middle = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < middle:
        return [*simple_path(index, leaves[:middle]), simple_root(leaves[middle:])]
    return [*simple_path(index - middle, leaves[middle:]), simple_root(leaves[:middle])]


def simple_subproof(old: int, leaves: Sequence[bytes], *, complete: bool = True) -> list[bytes]:
    """RFC 6962, 2.1.2, to the letter."""
    if old == len(leaves):
        return [] if complete else [simple_root(leaves)]
    middle = 1 << ((len(leaves) - 1).bit_length() - 1)
    if old <= middle:
        return [*simple_subproof(old, leaves[:middle], complete=complete), simple_root(leaves[middle:])]
    return [*simple_subproof(old - middle, leaves[middle:], complete=False), simple_root(leaves[:middle])]


def reader(leaves: Sequence[bytes]) -> HashReader:
    return lambda height, n: simple_root(leaves[n << height : (n + 1) << height])


READ = reader(LEAVES)
ROOTS = [simple_root(LEAVES[:size]) for size in range(SMALL + 1)]


def test_roots_are_those_of_certificate_transparency() -> None:
    leaves = [leaf_hash(bytes.fromhex(leaf)) for leaf in CT_LEAVES]
    for size, root in CT_ROOTS.items():
        assert grow(EMPTY, leaves[:size])[0].root.hex() == root
    assert EMPTY.root == sha256(b"").digest()


def test_roots_are_those_of_pymerkle_whatever_the_size() -> None:
    oracle, tree = InmemoryTree(algorithm="sha256"), EMPTY
    for size in range(1, 600):
        oracle.append_entry(b"%d" % (size - 1))
        tree, _ = grow(tree, LEAVES[size - 1 : size])
        assert tree.root == oracle.get_root(size)


def test_all_proofs_of_small_trees_agree_with_pymerkle() -> None:
    """Each inclusion proof has its hashes; each consistency proof, which it writes otherwise, leads to its roots."""
    oracle = InmemoryTree(algorithm="sha256")
    for size in range(1, SMALL + 1):
        oracle.append_entry(b"%d" % (size - 1))
        root = oracle.get_root(size)
        for index in range(size):
            proof = inclusion_proof(index, size, READ)
            path = {bytes.fromhex(each) for each in oracle.prove_inclusion(index + 1, size).serialize()["path"]}
            assert {LEAVES[index], *proof} == path
            check_inclusion(index, size, oracle.get_leaf(index + 1), proof, root)
        for old in range(1, size + 1):
            check_consistency(old, oracle.get_root(old), size, root, consistency_proof(old, size, READ))


@given(st.lists(st.integers(0, 300), max_size=6))
@settings(max_examples=40)
def test_a_tree_does_not_depend_on_how_its_leaves_came_in(steps: list[int]) -> None:
    leaves = LEAVES[: min(sum(steps), len(LEAVES))]
    tree, full, start = EMPTY, [], 0
    for step in steps:
        tree, filled = grow(tree, leaves[start : start + step])
        full += filled
        start += step
    whole, filled_at_once = grow(EMPTY, leaves)
    assert (tree, full) == (whole, list(filled_at_once))
    assert tree.root == simple_root(leaves)


def test_every_inclusion_proof_of_a_small_tree_is_that_of_the_rfc_and_leads_to_the_root() -> None:
    for size in range(1, SMALL + 1):
        for index in range(size):
            proof = inclusion_proof(index, size, READ)
            assert list(proof) == simple_path(index, LEAVES[:size])
            check_inclusion(index, size, LEAVES[index], proof, ROOTS[size])


def test_every_consistency_proof_between_small_trees_is_that_of_the_rfc_and_holds() -> None:
    for new in range(1, SMALL + 1):
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, READ)
            assert list(proof) == simple_subproof(old, LEAVES[:new])
            check_consistency(old, ROOTS[old], new, ROOTS[new], proof)


def test_no_proof_shows_another_leaf_another_place_or_another_size() -> None:
    for size in range(2, 18):
        for index in range(size):
            proof = inclusion_proof(index, size, READ)
            for other in range(size):
                is_refused(index, size, LEAVES[other], proof, ROOTS[size], unless=other == index)
                is_refused(other, size, LEAVES[index], proof, ROOTS[size], unless=other == index)
            is_refused(index, size, LEAVES[index], proof[:-1], ROOTS[size])
            is_refused(index, size, LEAVES[index], (*proof, LEAVES[0]), ROOTS[size])
            is_refused(index, size + 1, LEAVES[index], proof, ROOTS[size + 1])
            is_refused(size, size, LEAVES[index], proof, ROOTS[size])
            is_refused(-1, size, LEAVES[index], proof, ROOTS[size])


def is_refused(
    index: int, size: int, leaf: bytes, proof: tuple[bytes, ...], root: bytes, *, unless: bool = False
) -> None:
    if unless:
        return
    with pytest.raises(ProofError):
        check_inclusion(index, size, leaf, proof, root)


@given(st.integers(1, SMALL), st.integers(1, SMALL), st.data())
def test_a_consistency_proof_with_anything_changed_is_refused(one: int, two: int, data: st.DataObject) -> None:
    old, new = sorted((one, two))
    proof = list(consistency_proof(old, new, READ))
    old_root, new_root = ROOTS[old], ROOTS[new]
    match data.draw(st.sampled_from(["old root", "new root", "flip", "drop", "add"])):
        case "old root":
            old_root = LEAVES[699]
        case "new root":
            new_root = LEAVES[699]
        case "flip" if proof:
            proof[data.draw(st.integers(0, len(proof) - 1))] = LEAVES[699]
        case "drop" if proof:
            proof.pop(data.draw(st.integers(0, len(proof) - 1)))
        case _:
            proof.insert(data.draw(st.integers(0, len(proof))), LEAVES[699])
    with pytest.raises(ProofError):
        check_consistency(old, old_root, new, new_root, tuple(proof))


def test_sizes_without_a_proof_are_refused() -> None:
    for old, new in ((0, 1), (3, 2), (-1, 2)):
        with pytest.raises(ProofError):
            consistency_proof(old, new, READ)
    for index, size in ((0, 0), (1, 1), (-1, 3)):
        with pytest.raises(ProofError):
            inclusion_proof(index, size, READ)
    with pytest.raises(ProofError, match="cannot continue"):
        check_consistency(3, ROOTS[3], 2, ROOTS[2], ())
    with pytest.raises(ProofError, match="not in a tree"):
        root_from_inclusion(0, 2**63, LEAVES[0], ())


def test_the_empty_tree_is_a_prefix_of_every_tree_and_of_no_other_root() -> None:
    check_consistency(0, EMPTY.root, 5, ROOTS[5], ())
    check_consistency(0, EMPTY.root, 0, EMPTY.root, ())
    for old_root, proof in ((ROOTS[5], ()), (EMPTY.root, (ROOTS[5],))):
        with pytest.raises(ProofError):
            check_consistency(0, old_root, 5, ROOTS[5], proof)
    assert range_hash(0, 0, READ) == EMPTY.root


@given(st.integers(2**40, 2**62), st.data())
@settings(max_examples=60)
def test_proofs_hold_in_trees_far_larger_than_any_disk(size: int, data: st.DataObject) -> None:
    """All leaves are one; so a subtree's hash depends on its height alone."""
    levels = [leaf_hash(b"same")]
    for _ in range(63):
        levels.append(sha256(b"\x01" + levels[-1] + levels[-1]).digest())

    def read(height: int, n: int) -> bytes:
        assert (n + 1) << height <= size
        return levels[height]

    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    root, old_root = range_hash(0, size, read), range_hash(0, old, read)
    check_inclusion(index, size, levels[0], inclusion_proof(index, size, read), root)
    check_consistency(old, old_root, size, root, consistency_proof(old, size, read))
