"""`comity accept`: the fact that an account accepted a version."""

from __future__ import annotations

from typing import Final

from comity.app.acting import acting, told
from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import parse_account, parse_time
from comity.app.wiring import SystemClock
from comity.casework.facts import AcceptedBy
from comity.casework.refused import RefusedError
from comity.casework.wording import printable
from comity.flow import accounts
from comity.model.ids import Digest

_NAME: Final = "Name a digest that `comity publish` has printed, and a language that this version is written in."
_ASK: Final = "Ask the account, and record that it accepts without `--by-notice`."


def accept(
    account: str,
    settings: Settings,
    *,
    version: str | None,
    language: str | None,
    by_notice: bool,
    at: str | None,
    as_json: bool,
) -> Exit:
    when, digest = parse_time(at, SystemClock().now()), Digest(version) if version else None
    by = AcceptedBy.NOTICE if by_notice else AcceptedBy.ACCOUNT
    with acting(settings) as proceedings:
        try:
            fact = accounts.accept(proceedings, parse_account(account), digest, language, when, by=by)
        except RefusedError as error:
            help_ = _ASK if by_notice else _NAME
            raise StopError(str(error), help=help_, code=Exit.USAGE) from error
    said = f"{printable(account)} is bound by {fact.agreement} from {fact.binds_from:%Y-%m-%d %H:%M} UTC on."
    if fact.by is AcceptedBy.NOTICE:
        said += " Its messages from then on say that it accepts."
    return told([fact], as_json=as_json, said=said)
