"""`comity accept`: the fact that an account accepted a version."""

from __future__ import annotations

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import out, parse_time
from comity.app.wiring import SystemClock, opened
from comity.casework.facts import Accepted
from comity.flow.agreement import Versions
from comity.model.ids import AccountId, Digest


def accept(account: str, settings: Settings, *, version: str | None, language: str | None, at: str | None) -> Exit:
    with opened(settings) as record:
        versions = Versions(record.store.versions())
        one = versions.of(Digest(version)) if version else versions.latest()
        if one is None:
            help_ = "Publish one with `comity publish`, or name a published digest."
            raise StopError("there is no such version", help=help_, code=Exit.USAGE)
        fact = Accepted(
            account=AccountId(account),
            at=parse_time(at, SystemClock().now()),
            agreement=one.agreement.digest,
            language=language or one.agreement.language,
        )
        record.proceedings().note(fact)
    out.print(f"{account} is bound by {fact.agreement} from {fact.at:%Y-%m-%d %H:%M} UTC on.", markup=False)
    return Exit.FINE
