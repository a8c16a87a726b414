"""Appeals that came by the refusal link, which many may have: they wait until it is known whose they are.

The account says so itself, by filing one of them as its own or another in their place; or a reviewer does, who knows
the account from elsewhere. Until then they are no appeals: nothing pauses, and the ledger says nothing of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from comity.casework.appeal import file
from comity.casework.facts import Appealed, AppealOffered, OfferSettled, Party
from comity.casework.record import Record
from comity.casework.refused import RefusedError
from comity.model.duration import Duration
from comity.model.ids import AppealId, ReviewerId

MOST_OFFERS: Final = 5
"""That wait at once for one statement: more would be somebody playing."""


def offer(record: Record, given: AppealOffered, window: Duration | None) -> tuple[AppealOffered, ...]:
    """Raises `RefusedError` where an appeal could not be filed, and for too many."""
    file(record, filed(given, given.offer, given.at), window)
    one = record.decision(given.decision)
    if one is not None and len(one.offers) >= MOST_OFFERS:
        raise RefusedError(f"{MOST_OFFERS} appeals wait for the account to confirm one; it can do so by its own link")
    return (given,)


def filed(given: AppealOffered, appeal: AppealId, at: datetime, *, by: str = "") -> Appealed:
    """The offered appeal as one of the account's."""
    return Appealed(
        account=given.account,
        at=at,
        appeal=appeal,
        decision=given.decision,
        party=Party.ACCOUNT,
        text=given.text,
        by=by,
    )


def taken(record: Record, appeal: Appealed, *, offer: AppealId | None, by: ReviewerId | None) -> Iterator[OfferSettled]:
    """What becomes of the statement's offers when the account's appeal is filed: `offer` is the one that it is."""
    one = record.decision(appeal.decision)
    for each in one.offers if one else ():
        yield _settled(each, appeal.at, appeal.appeal if each.offer == offer else None, by)


def decline(record: Record, offer: AppealId, by: ReviewerId, at: datetime) -> tuple[OfferSettled, ...]:
    """A reviewer says that it is not the account's. Raises `RefusedError`."""
    return (_settled(waiting(record, offer), at, None, by),)


def waiting(record: Record, offer: AppealId) -> AppealOffered:
    """Raises `RefusedError` if it does not wait."""
    known = record.offer(offer)
    if known is None:
        raise RefusedError(f"no offered appeal {offer} waits")
    return known


def _settled(each: AppealOffered, at: datetime, appeal: AppealId | None, by: ReviewerId | None) -> OfferSettled:
    return OfferSettled(account=each.account, at=at, offer=each.offer, decision=each.decision, taken=appeal, by=by)
