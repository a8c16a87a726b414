"""C2SP tlog-checkpoint: the log's origin, size and root as a signed note."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from comity.ledger.note import NoteError, Signer, VerifierKey, decode_base64, open_note, parse_note, sign_note
from comity.ledger.tree import HASH_LENGTH, LARGEST_SIZE

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log commits to: these `size` entries, in this order, have this `root`."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text of its note."""
        root = base64.b64encode(self.root).decode()
        return "".join(f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions))

    def __str__(self) -> str:
        return f"{self.size} entries, root {base64.b64encode(self.root).decode()}"


def sign_checkpoint(checkpoint: Checkpoint, signers: Iterable[Signer]) -> bytes:
    """The signed checkpoint. Raises `NoteError` for an origin or an extension that cannot stand in one."""
    if parse_text(checkpoint.text) != checkpoint:
        raise NoteError(f"The origin {checkpoint.origin!r} or an extension holds a line break.")
    return sign_note(checkpoint.text, signers)


def open_checkpoint(content: bytes, keys: Iterable[VerifierKey], origin: str) -> Checkpoint:
    """The checkpoint of the log `origin`, signed by one of `keys`. Raises `NoteError`."""
    checkpoint = parse_text(open_note(content, keys).text)
    if checkpoint.origin != origin:
        raise NoteError(f"The checkpoint is of the log {checkpoint.origin!r}, not of {origin!r}.")
    return checkpoint


def unverified_checkpoint(content: bytes) -> Checkpoint:
    """What a checkpoint says, whoever signed it: only for bytes that never left our own hands. Raises `NoteError`."""
    return parse_text(parse_note(content).text)


def parse_text(text: str) -> Checkpoint:
    """The checkpoint whose text this is. Raises `NoteError` naming the line."""
    lines = text.removesuffix("\n").split("\n")
    if not text.endswith("\n") or len(lines) < 3 or not all(lines):
        raise NoteError("A checkpoint has at least three lines, none of them empty: origin, size and root.")
    origin, size, root, *extensions = lines
    if not _SIZE.fullmatch(size) or int(size) > LARGEST_SIZE:
        raise NoteError(f"Line 2 of the checkpoint is {size[:40]!r}, which is no tree size.")
    content = decode_base64(root, "Line 3 of the checkpoint")
    if len(content) != HASH_LENGTH:
        raise NoteError(f"Line 3 of the checkpoint has {len(content)} bytes, not the {HASH_LENGTH} of a root.")
    return Checkpoint(origin=origin, size=int(size), root=content, extensions=tuple(extensions))
