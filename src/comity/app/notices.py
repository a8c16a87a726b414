"""`comity notice`: somebody reports a message."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from comity.app.acting import acting, told
from comity.app.errors import Exit, StopError
from comity.app.one_message import read_message
from comity.app.settings import Settings
from comity.app.terminal import parse_time
from comity.app.wiring import SystemClock
from comity.casework.case_facts import Notifier
from comity.flow import review
from comity.flow.message import Proceedings
from comity.model.ids import ClauseId, MessageId
from comity.model.message import Message
from comity.model.statement import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The command's arguments."""

    message: str
    where: str
    why: str
    clause: str | None
    name: str
    contact: str
    origin: str
    good_faith: bool


def notice(reported: Reported, settings: Settings, *, at: str | None, as_json: bool) -> Exit:
    """The receipt names the notice and its case."""
    origins = [each.value for each in Origin if each is not Origin.RULE]
    if reported.origin not in origins:
        help_ = f"One of: {', '.join(origins)}."
        raise StopError(f"nobody reports as {reported.origin!r}", help=help_, code=Exit.USAGE)
    with acting(settings) as proceedings:
        given = review.Notice(
            message=_message(proceedings, reported.message),
            where=reported.where,
            why=reported.why,
            good_faith=reported.good_faith,
            origin=Origin(reported.origin),
            clause=ClauseId(reported.clause) if reported.clause else None,
            notifier=Notifier(name=reported.name, contact=reported.contact),
        )
        fact = review.notice(proceedings, given, parse_time(at, SystemClock().now()))
    said = f"Received as notice {fact.notice}, in case {fact.case}. The notifier hears what is decided."
    return told([fact], as_json=as_json, said=said)


def _message(proceedings: Proceedings, given: str) -> Message:
    """The message that the record keeps under SOURCE/ID, or the one in a file."""
    if given != "-" and not Path(given).exists():
        source, _, id_ = given.rpartition("/")
        known = proceedings.store.message(source, MessageId(id_))
        if known is not None:
            return known
        help_ = "Name a file with the message as JSON, or SOURCE/ID of a message whose text is kept."
        raise StopError(f"there is no file and no kept message {given!r}", help=help_, code=Exit.USAGE)
    return read_message(given, {})
