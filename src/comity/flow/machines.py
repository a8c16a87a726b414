"""Machine tokens: made, shown once, and refused from some day on."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from comity.casework.refused import RefusedError
from comity.model.access import GIVEN, Role, Token, TokenId
from comity.model.ids import Channel
from comity.ports import Entropy, TokenList

PREFIX: Final = "comity_"
"""Tells scanners for leaked secrets, and people, what it is."""
LONGEST_DAYS: Final = 3650
_LONGEST_NAME: Final = 200


def make(
    tokens: TokenList,
    entropy: Entropy,
    at: datetime,
    *,
    name: str,
    role: Role,
    channels: Iterable[Channel],
    days: int,
) -> tuple[Token, str]:
    """The token, and its secret, of which a hash alone is kept. No channels: all. Raises `RefusedError`."""
    if role not in GIVEN:
        raise RefusedError(f"no token can have the role {role}")
    if not 0 < days <= LONGEST_DAYS:
        raise RefusedError(f"a token lasts 1 to {LONGEST_DAYS} days, not {days}")
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise RefusedError(f"a token has a name of 1 to {_LONGEST_NAME} characters")
    secret = PREFIX + base64.urlsafe_b64encode(entropy.token(32)).decode().rstrip("=")
    token = Token(
        id=TokenId(entropy.token(4).hex()),
        name=name.strip(),
        role=role,
        channels=frozenset(channels) or None,
        created=at,
        expires=at + timedelta(days=days),
    )
    tokens.add(token, sha256(secret.encode()).digest())
    return token, secret
