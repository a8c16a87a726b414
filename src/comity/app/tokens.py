"""`comity token`: makes, lists and revokes what machines bring to `comity serve`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import err, out, parse_name
from comity.app.wiring import SystemClock, SystemEntropy, tokens
from comity.casework.wording import printable
from comity.flow.machines import LONGEST_DAYS, make
from comity.model.access import GIVEN, Role, Token, TokenId
from comity.model.ids import Channel


def new(name: str, role: str, settings: Settings, *, channels: Sequence[str], days: int, as_json: bool) -> Exit:
    """The secret is shown now and never again."""
    if role not in GIVEN:
        raise StopError(f"no token has the role {role!r}", help=f"One of: {', '.join(GIVEN)}.", code=Exit.USAGE)
    if not 0 < days <= LONGEST_DAYS:
        raise StopError(f"a token lasts 1 to {LONGEST_DAYS} days, not {days}", code=Exit.USAGE)
    called, now = parse_name(name, "the token's name"), SystemClock().now()
    scope = map(Channel, channels)
    with closing(tokens(settings)) as file:
        token, secret = make(file, SystemEntropy(), now, name=called, role=Role(role), channels=scope, days=days)
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
