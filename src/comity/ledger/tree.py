"""The Merkle tree of RFC 6962 over SHA-256: growing it, proofs from it, and checking them.

A `Tree` keeps only its right edge: the peaks (roots of the largest complete subtrees) and, for each level of tiles,
the hashes of the tile that is not yet full. It can always be rebuilt from the leaf hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import Final

HASH_LENGTH: Final = 32
TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 256
_OWN: Final = 4
"""Hashes of a proof that are looked at by themselves."""
LARGEST_SIZE: Final = 2**63 - 1

HashReader = Callable[[int, int], bytes]
"""`read(height, n)`: the hash of the complete subtree over leaves `[n << height, (n + 1) << height)`."""


class ProofError(ValueError):
    """A proof does not show what it should; the message says where it fails."""


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class FullTile:
    """A tile that has just been filled: 256 hashes of `level`, the `n`-th from the left."""

    level: int
    n: int
    hashes: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A tree of `size` leaves. `rims[level]` are the hashes of that level's last, partial tile (perhaps empty)."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()
    rims: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        """The Merkle tree hash; of the empty tree, the hash of nothing."""
        if not self.peaks:
            return sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


EMPTY: Final = Tree()


def grow(tree: Tree, leaves: Iterable[bytes]) -> tuple[Tree, tuple[FullTile, ...]]:
    """`tree` with leaf hashes appended, and the tiles that this filled, in the order in which they were."""
    size, peaks, rims = tree.size, list(tree.peaks), [bytearray(rim) for rim in tree.rims]
    full: list[FullTile] = []
    source = iter(leaves)
    while part := tuple(islice(source, TILE_WIDTH - size % TILE_WIDTH)):
        if len(part) == TILE_WIDTH:
            full.append(FullTile(level=0, n=size >> TILE_HEIGHT, hashes=b"".join(part)))
            _carry(top(part), TILE_HEIGHT, size, peaks, rims, full)
        else:
            for n, leaf in enumerate(part, size):
                _carry(leaf, 0, n, peaks, rims, full)
        size += len(part)
    return Tree(size=size, peaks=tuple(peaks), rims=tuple(bytes(rim) for rim in rims)), tuple(full)


def top(row: Sequence[bytes]) -> bytes:
    """The root over complete subtrees, a power of 2 of them."""
    while len(row) > 1:
        pairs = iter(row)
        row = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
    return row[0]


def _carry(
    node: bytes, height: int, size: int, peaks: list[bytes], rims: list[bytearray], full: list[FullTile]
) -> None:
    """Append to a tree of `size` leaves a complete subtree of `height`, 0 or a tile's."""
    _extend(rims, height // TILE_HEIGHT, node)
    rest = size >> height
    while rest & 1:  # one carry for each complete subtree that stands directly to the left
        node = sha256(b"\x01" + peaks.pop() + node).digest()
        height += 1
        rest >>= 1
        if height % TILE_HEIGHT == 0:
            level = height // TILE_HEIGHT
            full.append(FullTile(level=level - 1, n=rest, hashes=bytes(rims[level - 1])))
            rims[level - 1].clear()
            _extend(rims, level, node)
    peaks.append(node)


def _extend(rims: list[bytearray], level: int, node: bytes) -> None:
    while level >= len(rims):
        rims.append(bytearray())
    rims[level] += node


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The Merkle tree hash over `leaves` as entries."""
    return grow(EMPTY, leaf_hashes(leaves))[0].root


def ids_root(ids: Iterable[str]) -> str:
    """The root that a census states: over the sorted ids, each as its 16 bytes, in hexadecimal."""
    return root_of(sorted(bytes.fromhex(one) for one in ids)).hex()


def inclusion_proof(index: int, size: int, read: HashReader) -> tuple[bytes, ...]:
    """RFC 6962, 2.1.1: from the leaf's sibling up. Raises `ProofError` when `index` is not in a tree of `size`."""
    return tuple([range_hash(start, end, read) for start, end in beside(index, size)])


def beside(index: int, size: int) -> list[tuple[int, int]]:
    """Over which leaves the hashes of an inclusion proof are. Raises `ProofError`."""
    if not 0 <= index < size:
        raise ProofError(f"Entry {index} is not in a tree of {size} entries.")
    starts = [(((index >> height) ^ 1) << height, 1 << height) for height in range((size - 1).bit_length())]
    return [(start, min(start + length, size)) for start, length in starts if start < size]


def consistency_proof(old: int, new: int, read: HashReader) -> tuple[bytes, ...]:
    """RFC 6962, 2.1.2: that the tree of `old` leaves is a prefix of the one of `new`. Raises `ProofError`."""
    if not 0 < old <= new:
        raise ProofError(f"There is no consistency proof from {old} to {new} entries.")
    return _subproof(old, 0, new, read, complete=True)


def _subproof(old: int, start: int, end: int, read: HashReader, *, complete: bool) -> tuple[bytes, ...]:
    if old == end:
        return () if complete else (range_hash(start, end, read),)
    middle = start + _largest_power_below(end - start)
    if old <= middle:
        return (*_subproof(old, start, middle, read, complete=complete), range_hash(middle, end, read))
    return (*_subproof(old, middle, end, read, complete=False), range_hash(start, middle, read))


def range_hash(start: int, end: int, read: HashReader) -> bytes:
    """The Merkle tree hash over leaves `[start, end)`; `start` a multiple of the least power of 2 >= the length."""
    length = end - start
    if length == 0:
        return sha256(b"").digest()
    if length & (length - 1) == 0:
        height = length.bit_length() - 1
        return read(height, start >> height)
    middle = start + _largest_power_below(length)
    return node_hash(range_hash(start, middle, read), range_hash(middle, end, read))


def _largest_power_below(n: int) -> int:
    return 1 << ((n - 1).bit_length() - 1)


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: tuple[bytes, ...]) -> bytes:
    """The root that `proof` leads to from `leaf`; compare it. RFC 9162, 2.1.3.2. Raises `ProofError`."""
    if not 0 <= index < size <= LARGEST_SIZE:
        raise ProofError(f"Entry {index} is not in a tree of {size} entries.")
    node, last, root, unused = _climbed(index, size - 1, leaf, proof[:_OWN])
    if len(proof) > _OWN:
        node, last, root, more = _climbed_together(node, last, root, tuple(proof[_OWN:]))
        unused += more
    if unused:
        used = len(proof) - unused
        raise ProofError(f"The inclusion proof has {len(proof)} hashes, of which only {used} have a place.")
    if last != 0:
        raise ProofError(f"The inclusion proof breaks off after {len(proof)} hashes.")
    return root


def _climbed(node: int, last: int, root: bytes, proof: tuple[bytes, ...]) -> tuple[int, int, bytes, int]:
    """The node that `proof` leads to, the last one beside it, the hash there, and how many hashes had no place."""
    for n, sibling in enumerate(proof):
        if last == 0:
            return node, last, root, len(proof) - n
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    return node, last, root, 0


_climbed_together = lru_cache(maxsize=1024)(_climbed)
"""The rest of a way, which leaves that stand near each other share."""


def check_inclusion(index: int, size: int, leaf: bytes, proof: tuple[bytes, ...], root: bytes) -> None:
    """Raises `ProofError` unless `proof` leads from `leaf`, as entry `index`, to `root` at `size`."""
    if root_from_inclusion(index, size, leaf, proof) != root:
        raise ProofError(f"The inclusion proof does not lead from entry {index} to the root at {size} entries.")


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: tuple[bytes, ...]) -> None:
    """Raises `ProofError` unless the tree of `old` leaves is a prefix of the one of `new`. RFC 9162, 2.1.4.2."""
    if not 0 <= old <= new <= LARGEST_SIZE:
        raise ProofError(f"A tree of {new} entries cannot continue one of {old}.")
    if old == new or old == 0:
        _check_trivial(old, old_root, new, new_root, proof)
        return
    path = proof if old & (old - 1) else (old_root, *proof)
    if not path:
        raise ProofError("The consistency proof is empty.")
    if _consistency_roots(old, new, path) != (old_root, new_root):
        raise ProofError(f"The consistency proof does not lead from {old} to {new} entries.")


def _check_trivial(old: int, old_root: bytes, new: int, new_root: bytes, proof: tuple[bytes, ...]) -> None:
    if proof:
        raise ProofError(f"From {old} to {new} entries the consistency proof must be empty.")
    if old == new and old_root != new_root:
        raise ProofError(f"There are two different roots at {old} entries.")
    if old == 0 and old_root != EMPTY.root:
        raise ProofError("The root at 0 entries is not the hash of nothing.")


def _consistency_roots(old: int, new: int, path: tuple[bytes, ...]) -> tuple[bytes, bytes]:
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("The consistency proof is too long.")
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofError("The consistency proof breaks off.")
    return first, second
