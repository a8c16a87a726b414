"""One account as the console shows it: gathered from the store, nothing decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from comity.casework.facts import AppealOffered, OfferSettled
from comity.casework.points import live_points
from comity.casework.record import Record, fold, standing
from comity.casework.recorded import Recorded
from comity.casework.timeline import Event, timeline
from comity.flow.agreement import Versions
from comity.model.agreement import Agreement
from comity.model.ids import AccountId, AppealId, ClauseId, DecisionId
from comity.model.measure import Standing
from comity.ports import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Points of one decision. `until` None: never forgotten, or not before something that is still to come."""

    decision: DecisionId
    ladder: ClauseId
    count: int
    until: datetime | None
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """`points` are those of every decision, newest first; `live` what they come to on each ladder."""

    record: Record
    standings: tuple[Standing, ...]
    live: tuple[tuple[ClauseId, int], ...]
    points: tuple[Point, ...]
    events: tuple[Event, ...]
    offers: tuple[AppealOffered, ...]
    versions: tuple[tuple[str, str], ...]


def dossier(store: Store, versions: Versions, account: AccountId, at: datetime) -> Dossier | None:
    """None: the record has nothing of it."""
    facts = store.facts_of(account)
    if not facts:
        return None
    record, latest = fold(account, facts), versions.latest()
    agreement = latest.agreement if latest else None
    return Dossier(
        record=record,
        standings=tuple(standing(record, channel, at) for channel in (agreement.channels if agreement else ())),
        live=tuple((ladder, live_points(record, ladder, at)) for ladder in (agreement.ladders if agreement else ())),
        points=tuple(point for one in reversed(record.decisions) for point in _points(one, at)),
        events=timeline(record),
        offers=tuple(each for one in record.decisions for each in one.offers),
        versions=tuple((each.agreement, _title(versions.agreement(each.agreement))) for each in record.acceptances),
    )


class Offers:
    """The appeals that came by a refusal link and wait for somebody to say whose they are, kept at hand."""

    def __init__(self) -> None:
        self._position, self._waiting = 0, dict[AppealId, AppealOffered]()

    def now(self, store: Store) -> tuple[AppealOffered, ...]:
        """The oldest first. Only what came since is read; what was erased meanwhile is forgotten."""
        with store.at_once():
            position = store.position
            for fact in store.facts([AppealOffered, OfferSettled], after=self._position):
                if isinstance(fact, AppealOffered):
                    self._waiting[fact.offer] = fact
                elif isinstance(fact, OfferSettled):
                    self._waiting.pop(fact.offer, None)
            self._position = position
            self._waiting = {id_: each for id_, each in self._waiting.items() if store.account_of(id_) is not None}
        return tuple(self._waiting.values())


def decision(store: Store, versions: Versions, id_: DecisionId) -> tuple[Recorded, Agreement | None] | None:
    """A decision, and the version that it was taken under; None: there is none, or it was erased."""
    account = store.account_of(id_)
    one = fold(account, store.facts_of(account)).decision(id_) if account else None
    if one is None:
        return None
    return one, versions.agreement(one.decided.statement.agreement)


def _points(one: Recorded, at: datetime) -> Iterator[Point]:
    for each in one.decided.points:
        is_over = each.expires_at is not None and each.expires_at <= at
        yield Point(
            decision=one.id,
            ladder=each.ladder,
            count=each.count,
            until=each.expires_at,
            is_live=one.is_live and not is_over,
        )


def _title(agreement: Agreement | None) -> str:
    return agreement.title if agreement else ""
