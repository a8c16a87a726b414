"""What identifies a version: SHA-256 over the agreement and every file that it names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from comity.model.agreement import SourceFile
from comity.model.ids import Digest


def digest(files: Iterable[SourceFile]) -> Digest:
    """The digest of a version's files, whatever their order."""
    hashed = hashlib.sha256()
    for part in digested(files):
        hashed.update(part)
    return Digest(f"sha256:{hashed.hexdigest()}")


def digested(files: Iterable[SourceFile]) -> Iterator[bytes]:
    """The bytes that `digest` hashes, in parts.

    They are, for each file by its path's bytes: the path in UTF-8, a zero byte, the content's length in decimal
    digits, a zero byte, the content. The agreement's own path is empty, so it may be renamed.
    """
    for path, content in sorted((file.path.encode(), file.content) for file in files):
        yield b"%s\0%d\0" % (path, len(content))
        yield content
