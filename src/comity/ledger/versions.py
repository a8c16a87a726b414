"""The agreement's versions beside the log: `agreement/HEX` holds just the bytes whose SHA-256 is the version's digest.

So anybody can check such a file with `sha256sum`, and read it: the agreement stands first, then each file that it
names, every one after its path, a zero byte, its length in decimal digits and a zero byte (see `agreement.digest`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Final

from comity.agreement.digest import digested
from comity.agreement.load import load
from comity.ledger.tiles import FileReader
from comity.model.agreement import Agreement, SourceFile

LARGEST_VERSION: Final = 128 << 20
"""The most bytes that are read of a version with all its files."""

_PATH: Final = re.compile(r"agreement/[0-9a-f]{64}")
_HEADER: Final = re.compile(rb"([^\0]{0,4096})\0(0|[1-9][0-9]{0,9})\0")


class VersionError(ValueError):
    """A published version is not what its digest says, or no agreement; `path` names its file."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def version_path(digest: str) -> str:
    return f"agreement/{digest.removeprefix('sha256:')}"


def is_version_path(path: str) -> bool:
    return _PATH.fullmatch(path) is not None


def version_file(files: Iterable[SourceFile]) -> tuple[str, bytes]:
    """What to publish of a version: its path below the log's prefix, and the content."""
    content = b"".join(digested(files))
    return version_path(hashlib.sha256(content).hexdigest()), content


def read_version(read: FileReader, digest: str) -> Agreement | None:
    """The version; None if it is not published. Raises `VersionError`."""
    path = version_path(digest)
    content = read(path)
    if content is None:
        return None
    if len(content) > LARGEST_VERSION:
        raise VersionError(path, f"it has more than the {LARGEST_VERSION} bytes that are read")
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise VersionError(path, "its SHA-256 is not the version's digest: the text was changed")
    files = dict(_files(path, content))
    agreement = load("agreement.md", files.get("", b""), files.get).agreement
    if agreement is None or agreement.digest != digest:
        raise VersionError(path, "it is no agreement that this version of Comity accepts")
    return agreement


def _files(path: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    start = 0
    while start < len(content):
        header = _HEADER.match(content, start)
        if header is None or header.end() + int(header[2]) > len(content):
            raise VersionError(path, f"it breaks off at byte {start}, where a file should begin")
        start = header.end() + int(header[2])
        yield header[1].decode("utf-8", "replace"), content[header.end() : start]
