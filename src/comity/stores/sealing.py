"""Rows that only the holder of a key can read, bound to their place: AES-256-GCM, a fresh random nonce for each.

The associated data name the table and the row, so that a row moved to another place does not open.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.ports import StoreError

_NONCE_LENGTH: Final = 12


def seal(cipher: AESGCM, place: bytes, content: bytes) -> bytes:
    """What stands in the row: the nonce and the ciphertext."""
    nonce = os.urandom(_NONCE_LENGTH)
    return nonce + cipher.encrypt(nonce, content, place)


def unseal(cipher: AESGCM, place: bytes, row: bytes, *, file: Path) -> bytes:
    """The content of `seal`. Raises `StoreError` for a row that was altered, moved, or sealed with another key."""
    try:
        return cipher.decrypt(row[:_NONCE_LENGTH], row[_NONCE_LENGTH:], place)
    except (InvalidTag, ValueError) as error:
        table, _, row_ = place.partition(b"/")
        raise StoreError(
            f"{file}: the row {table.decode()}/{row_[:32].decode('ascii', 'backslashreplace')} was altered, or the keys"
            " beside it are another store's; restore a backup of both"
        ) from error
