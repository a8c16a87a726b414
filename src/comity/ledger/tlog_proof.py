"""C2SP tlog-proof: one file that shows, offline, that an entry is in the log.

`bytes(TlogProof(...))` is the file, `parse_proof` reads one, `verify_proof` says whether it shows an entry to be in a
log that a policy trusts. `Policy().trusting(key)` is the policy of who only knows the log's key.
"""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from typing import Final

import msgspec

from comity.ledger.note import LARGEST_NOTE, NoteError, decode_base64
from comity.ledger.policy import Opener, Witnessed
from comity.ledger.tree import HASH_LENGTH, LARGEST_SIZE, ProofError, check_inclusion, leaf_hash

_HEADER: Final = "c2sp.org/tlog-proof@v1"
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
_MOST_HASHES: Final = 63
_LARGEST: Final = 2 * LARGEST_NOTE


class TlogProof(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A proof as its file has it, nothing of it checked. `extra` is never authenticated."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __bytes__(self) -> bytes:
        extra = [] if self.extra is None else [f"extra {base64.b64encode(self.extra).decode()}"]
        hashes = [base64.b64encode(one).decode() for one in self.hashes]
        lines = [_HEADER, *extra, f"index {self.index}", *hashes, ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint


def parse_proof(content: bytes) -> TlogProof:
    """The proof whose file this is. Raises `ProofError` naming the line."""
    if len(content) > _LARGEST:
        raise ProofError(f"The proof has {len(content)} bytes, more than the {_LARGEST} that are read.")
    head, blank, checkpoint = content.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
        if not blank or lines[0] != _HEADER:
            raise ProofError(f"This is no proof: it does not begin with `{_HEADER}` and have a blank line.")
        extra = (
            decode_base64(lines.pop(1)[6:], "The extra line") if lines[1:] and lines[1].startswith("extra ") else None
        )
        hashes = _hashes(lines[2:])
    except (NoteError, UnicodeDecodeError) as error:
        raise ProofError(f"The proof is malformed: {error}") from error
    return TlogProof(index=_index(lines), hashes=hashes, checkpoint=checkpoint, extra=extra)


def verify_proof(proof: TlogProof, entry: bytes, policy: Opener) -> Witnessed:
    """The checkpoint, valid by `policy`, that `entry` is shown to be in, and who cosigned it. Raises `ProofError`."""
    try:
        found = policy.open(proof.checkpoint)
    except NoteError as error:
        raise ProofError(f"The checkpoint in the proof cannot be trusted: {error}") from error
    checkpoint = found.checkpoint
    check_inclusion(proof.index, checkpoint.size, leaf_hash(entry), proof.hashes, checkpoint.root)
    return found


def _index(lines: list[str]) -> int:
    match = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if match is None or int(match[1]) > LARGEST_SIZE:
        raise ProofError("The proof does not say `index` and the entry's number after its first line.")
    return int(match[1])


def _hashes(lines: list[str]) -> tuple[bytes, ...]:
    if len(lines) > _MOST_HASHES:
        raise ProofError(f"The proof has {len(lines)} hashes, more than the {_MOST_HASHES} of the largest tree.")
    try:
        return tuple([_hash(line) for line in lines])
    except ValueError:
        for n, line in enumerate(lines):
            _demand_hash(line, f"Hash {n} of the proof")
        raise


@lru_cache(maxsize=1024)
def _hash(line: str) -> bytes:
    """Proofs of entries that stand near each other share most of their hashes."""
    return _demand_hash(line, "A hash of the proof")


def _demand_hash(line: str, what: str) -> bytes:
    content = decode_base64(line, what)
    if len(content) != HASH_LENGTH:
        raise ProofError(f"{what} has {len(content)} bytes, not {HASH_LENGTH}.")
    return content
