"""`comity token`: makes, lists and revokes what machines bring to `comity serve`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from typing import Final

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import err, out, parse_name
from comity.app.wiring import SystemClock, tokens
from comity.casework.wording import printable
from comity.model.access import GIVEN, Role, Token, TokenId
from comity.model.ids import Channel

PREFIX: Final = "comity_"
"""Tells scanners for leaked secrets, and people, what it is."""
_LONGEST: Final = 3650


def new(name: str, role: str, settings: Settings, *, channels: Sequence[str], days: int, as_json: bool) -> Exit:
    """The secret is shown now and never again."""
    if role not in GIVEN:
        raise StopError(f"no token has the role {role!r}", help=f"One of: {', '.join(GIVEN)}.", code=Exit.USAGE)
    if not 0 < days <= _LONGEST:
        raise StopError(f"a token lasts 1 to {_LONGEST} days, not {days}", code=Exit.USAGE)
    secret, now = PREFIX + secrets.token_urlsafe(32), SystemClock().now()
    token = Token(
        id=TokenId(secrets.token_hex(4)),
        name=parse_name(name, "the token's name"),
        role=Role(role),
        channels=frozenset(map(Channel, channels)) or None,
        created=now,
        expires=now + timedelta(days=days),
    )
    with closing(tokens(settings)) as file:
        file.add(token, sha256(secret.encode()).digest())
    if as_json:
        print_json({"id": token.id, "token": secret, "expires": token.expires})
    else:
        out.print(secret, markup=False, soft_wrap=True)
        err.print(f"Shown only now; keep it where {printable(token.name)} finds it. {_line(token)}", markup=False)
    return Exit.FINE


def every(settings: Settings, *, as_json: bool) -> Exit:
    with closing(tokens(settings)) as file:
        known = file.every()
    if as_json:
        print_json(known)
        return Exit.FINE
    for token in known:
        out.print(f"{token.id}  {printable(token.name)}: {_line(token)}", markup=False)
    if not known:
        out.print("There are no tokens. Make one with `comity token new NAME --role gate`.")
    return Exit.FINE


def revoke(id_: str, settings: Settings) -> Exit:
    with closing(tokens(settings)) as file:
        if not file.revoke(TokenId(id_)):
            raise StopError(f"there is no token {id_!r}", help="List them with `comity token list`.", code=Exit.USAGE)
    out.print("Revoked. Whoever brings it is refused from now on.")
    return Exit.FINE


def _line(token: Token) -> str:
    channels = ", ".join(sorted(token.channels)) if token.channels else "all channels"
    return f"{token.role} on {channels}, until {token.expires:%d %B %Y}"
