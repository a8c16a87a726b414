"""What entries have in common that differ in ids and hashes alone: most of an hour do, and then one is read for all."""

from __future__ import annotations

import re
from typing import Final

_IDS: Final = re.compile(rb':"[0-9a-f]{32}"')  # after a colon no name can stand, for which digits would not do
_HASHES: Final = re.compile(rb':"[0-9a-f]{64}"')
_ZERO_ID: Final = b':"%b"' % (b"0" * 32)
_ZERO_HASH: Final = b':"%b"' % (b"0" * 64)
_ID: Final = b'"id":"'
_ID_LENGTH: Final = 32
_DIGITS: Final = b"0123456789abcdef"


def with_zeros(content: bytes) -> bytes:
    """The bytes of an entry with zeros for its ids and hashes: any others read alike."""
    return _IDS.sub(_ZERO_ID, _HASHES.sub(_ZERO_HASH, content))


def without_id(content: bytes) -> tuple[bytes, bytes]:
    """The bytes of a statement without its id, with zeros for hashes; and the id. Of other bytes, anything.

    Whatever gives the same first bytes as a canonical statement is one, and differs from it in id and hashes alone.
    """
    zeros = _HASHES.sub(_ZERO_HASH, content)
    start = zeros.rfind(_ID) + len(_ID)  # in canonical form, nothing that follows a statement's id reads like this
    end = start + _ID_LENGTH
    entry_id = zeros[start:end]
    if start < len(_ID) or entry_id.translate(None, _DIGITS):
        return content, b""
    return zeros[:start] + zeros[end:], entry_id
