"""C2SP tlog-witness: what a log sends to a witness, and whether the witness may vouch for it.

The witness's own part, keeping what it saw before it answers, is in `comity.flow.witness`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from comity.ledger.checkpoint import Checkpoint, parse_text
from comity.ledger.note import Note, NoteError, VerifierKey, decode_base64, open_note, parse_note
from comity.ledger.tree import EMPTY, HASH_LENGTH, LARGEST_SIZE, ProofError, check_consistency

LARGEST_REQUEST: Final = 64 << 10
MOST_HASHES: Final = 63
SIZE_TYPE: Final = "text/x.tlog.size"
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)
_SIZE: Final = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


class Refusal(IntEnum):
    """Why a witness does not cosign, as the HTTP status that says so."""

    MALFORMED = 400
    UNTRUSTED = 403
    UNKNOWN = 404
    CONFLICT = 409
    UNPROVED = 422


class RefusedError(Exception):
    """A witness must not cosign. `latest`: the size that it cosigned last, where the request was of another."""

    def __init__(self, refusal: Refusal, message: str, latest: int | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal
        self.latest = latest


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    """A request: a signed checkpoint, and the proof that it continues the tree of `old` entries."""

    old: int
    proof: tuple[bytes, ...] = ()
    checkpoint: bytes

    def __bytes__(self) -> bytes:
        lines = [f"old {self.old}", *(base64.b64encode(one).decode() for one in self.proof), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint


def parse_request(content: bytes) -> AddCheckpoint:
    """The request whose body this is. Raises `RefusedError` naming the line."""
    if len(content) > LARGEST_REQUEST:
        raise _malformed(f"The request has {len(content)} bytes, more than the {LARGEST_REQUEST} that are read.")
    head, blank, checkpoint = content.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    match = _OLD.fullmatch(lines[0])
    if not blank or match is None or int(match[1]) > LARGEST_SIZE:
        raise _malformed("The request does not begin with `old SIZE` and hashes, ended by an empty line.")
    if len(lines) - 1 > MOST_HASHES:
        raise _malformed(f"The request has {len(lines) - 1} hashes, more than {MOST_HASHES}.")
    proof = tuple(_hash(n, line) for n, line in enumerate(lines[1:], start=2))
    return AddCheckpoint(old=int(match[1]), proof=proof, checkpoint=checkpoint)


def trusted_checkpoint(content: bytes, logs: Mapping[str, VerifierKey]) -> tuple[Checkpoint, Note]:
    """The checkpoint, and its note with just the signature of the one of `logs` (keys by origin) that it is of.

    Raises `RefusedError`: the log is not known, or did not sign it.
    """
    try:
        checkpoint = parse_text(parse_note(content).text)
    except NoteError as error:
        raise _malformed(str(error)) from error
    key = logs.get(checkpoint.origin)
    if key is None:
        raise RefusedError(Refusal.UNKNOWN, f"This witness does not know the log {checkpoint.origin[:200]!r}.")
    try:
        return checkpoint, open_note(content, [key])
    except NoteError as error:
        raise RefusedError(Refusal.UNTRUSTED, str(error)) from error


def demand_next(request: AddCheckpoint, checkpoint: Checkpoint, latest: Checkpoint | None) -> None:
    """Raises `RefusedError` unless `checkpoint` continues the `latest` one that was cosigned (None: none was)."""
    if request.old > checkpoint.size:
        raise _malformed(f"The old size {request.old} is larger than the checkpoint's, {checkpoint.size}.")
    size, root = (latest.size, latest.root) if latest else (0, EMPTY.root)
    if request.old != size:
        raise RefusedError(Refusal.CONFLICT, f"The size that was cosigned last is {size}.", size)
    if latest and size == checkpoint.size and root != checkpoint.root:
        raise RefusedError(Refusal.CONFLICT, f"Another root was cosigned for {size} entries.")
    try:
        check_consistency(size, root, checkpoint.size, checkpoint.root, request.proof)
    except ProofError as error:
        raise RefusedError(Refusal.UNPROVED, str(error)) from error


def parse_size(body: bytes) -> int | None:
    """The size that the body of a 409 states; None if it states none."""
    match = _SIZE.fullmatch(body)
    return int(match[1]) if match and int(match[1]) <= LARGEST_SIZE else None


def _hash(n: int, line: str) -> bytes:
    try:
        content = decode_base64(line, f"Line {n} of the request")
    except NoteError as error:
        raise _malformed(str(error)) from error
    if len(content) != HASH_LENGTH:
        raise _malformed(f"Line {n} of the request has {len(content)} bytes, not the {HASH_LENGTH} of a hash.")
    return content


def _malformed(message: str) -> RefusedError:
    return RefusedError(Refusal.MALFORMED, message)
