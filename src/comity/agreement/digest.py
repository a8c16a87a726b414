"""What identifies a version: SHA-256 over the agreement and every file that it names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from comity.model.agreement import SourceFile
from comity.model.ids import Digest


def digest(files: Iterable[SourceFile]) -> Digest:
    """The digest of a version's files, whatever their order.

    Hashed is, for each file by its path's bytes: the path in UTF-8, a zero byte, the content's length in decimal
    digits, a zero byte, the content. The agreement's own path is empty, so it may be renamed.
    """
    hashed = hashlib.sha256()
    for path, content in sorted((file.path.encode(), file.content) for file in files):
        hashed.update(b"%s\0%d\0" % (path, len(content)))
        hashed.update(content)
    return Digest(f"sha256:{hashed.hexdigest()}")
