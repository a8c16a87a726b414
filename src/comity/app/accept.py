"""`comity accept`: the fact that an account accepted a version."""

from __future__ import annotations

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import out, parse_account, parse_time
from comity.app.wiring import SystemClock, opened
from comity.casework.facts import Accepted
from comity.casework.wording import printable
from comity.flow.agreement import Versions
from comity.model.ids import Digest


def accept(account: str, settings: Settings, *, version: str | None, language: str | None, at: str | None) -> Exit:
    accepting = parse_account(account)
    with opened(settings) as record:
        versions = Versions(record.store.versions())
        one = versions.of(Digest(version)) if version else versions.latest()
        if one is None:
            help_ = "Publish one with `comity publish`, or name a published digest."
            raise StopError("there is no such version", help=help_, code=Exit.USAGE)
        shown_in = (one.agreement.language, *one.agreement.translations)
        if language is not None and language not in shown_in:
            help_ = f"Name one of its languages: {', '.join(shown_in)}."
            raise StopError(f"the version is not written in {language!r}", help=help_, code=Exit.USAGE)
        fact = Accepted(
            account=accepting,
            at=parse_time(at, SystemClock().now()),
            agreement=one.agreement.digest,
            language=language or one.agreement.language,
        )
        record.proceedings().note(fact)
    out.print(f"{printable(account)} is bound by {fact.agreement} from {fact.at:%Y-%m-%d %H:%M} UTC on.", markup=False)
    return Exit.FINE
