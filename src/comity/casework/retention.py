"""Until when the text of a message is kept: while somebody may still need it to decide, to appeal or to answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from comity.casework.appeal import last_moment
from comity.casework.cases import Case
from comity.casework.facts import Party
from comity.casework.points import counted
from comity.casework.record import Record
from comity.casework.recorded import Recorded
from comity.casework.severity import RISING
from comity.casework.versions import VersionOf
from comity.model.duration import Duration
from comity.model.ids import Digest, MessageId

KEPT_AFTER: Final = timedelta(days=30)
"""For so long a text is kept after nobody needs it any more."""


_AHEAD: Final = timedelta(hours=1)
"""So much may a source's clock be ahead for a text to be kept: one that was sent next year would stay until then."""


def is_kept(sent: datetime, kept_for: timedelta, now: datetime) -> bool:
    """Whether the text of a message that was let pass stays though nothing was found in it."""
    return bool(kept_for) and now - kept_for < sent <= now + _AHEAD


def whole_days(kept_for: timedelta) -> int:
    """As the ledger and the public page say it: never less than it is."""
    return -(-kept_for // timedelta(days=1))


def is_named(record: Record, source: str, message: MessageId) -> bool:
    """Whether a case, a decision or a dismissal is about the message."""
    key = (source, message)
    return (
        any(key in _named(case) for case in record.cases)
        or any(key == (each.source, each.message) for one in record.decisions for each in one.breaches)
        or any(key == (each.source, each.message) for one in record.dismissals for each in one.dismissed.breaches)
    )


def is_needed(record: Record, source: str, message: MessageId, at: datetime, version_of: VersionOf) -> bool:
    """Whether what the account's record says of the message still needs its text at `at`.

    Needed are: an open case, an appeal that can be filed or waits, a point that is live, a measure that is not over;
    and 30 days more. A legal hold needs everything.
    """
    then = at - KEPT_AFTER
    return record.hold is not None or any(_needs(record, source, message, then, version_of))


def _needs(record: Record, source: str, message: MessageId, then: datetime, version_of: VersionOf) -> Iterator[bool]:
    for case in record.cases:
        if (source, message) in _named(case):
            yield case.closed is None or case.closed.at > then
    for one in record.decisions:
        if any((each.source, each.message) == (source, message) for each in one.breaches):
            yield _is_unsettled(record, one, then, version_of)
    for dismissal in record.dismissals:
        known = [each for each in dismissal.dismissed.breaches if (each.source, each.message) == (source, message)]
        if known:
            window = _window(known[0].agreement, version_of)
            yield last_moment(record, dismissal.dismissed.at, window, Party.NOTIFIER) > then
            yield any(each.outcome is None or each.outcome.at > then for each in dismissal.appeals)


def _named(case: Case) -> frozenset[tuple[str, MessageId]]:
    found = ((each.source, each.message) for each in case.breaches)
    return frozenset((*found, *((each.source, each.id) for each in case.messages)))


def _is_unsettled(record: Record, one: Recorded, then: datetime, version_of: VersionOf) -> bool:
    if one.delivered is None:
        return True
    window = _window(one.decided.statement.agreement, version_of)
    return (
        last_moment(record, one.delivered, window, Party.ACCOUNT) > then
        or any(each.outcome is None or each.outcome.at > then for each in one.appeals)
        or any(not each.is_over(then) for each in one.measures if each.kind in RISING)
        or any(counted(record, (one,), ladder, then) for ladder in one.decided.ladders)
    )


def _window(agreement: Digest, version_of: VersionOf) -> Duration | None:
    version = version_of(agreement)
    return version.appeal_window if version else None
