"""What sources have still to take down or put back, over the whole record, and that they have done it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from comity.casework import removals
from comity.casework.facts import Decided, Fact, Joined, Treatment
from comity.casework.record import Record, fold
from comity.casework.refused import RefusedError
from comity.casework.removals import Due, Key
from comity.flow.message import Proceedings
from comity.model.ids import AccountId, MessageId
from comity.ports import Outcome, Store

_NOT_SHOWN = (Outcome.REMOVED, Outcome.REFUSED, Outcome.HELD)


def due(store: Store, at: datetime, *, source: str | None = None) -> Iterator[Due]:
    """What is not acknowledged yet, account by account; `source`: of its messages alone."""
    for account in _concerned(store):
        record = fold(account, store.facts_of(account))
        for each in removals.due(record, refused_of(store, record, at), at):
            if source in (None, each.source):
                yield each


def acknowledge(
    proceedings: Proceedings, account: AccountId, key: Key, treatment: Treatment, at: datetime
) -> tuple[Fact, ...]:
    """The source says that it has done it. Raises `RefusedError` if something else, or nothing, is due."""
    store = proceedings.store
    return proceedings.act(
        [account], lambda record: removals.acknowledge(record, key, treatment, refused_of(store, record, at), at)
    )


def account_of(store: Store, key: Key, at: datetime) -> AccountId:
    """Whose message something is due about. Raises `RefusedError`."""
    for each in due(store, at, source=key[0]):
        if each.message == key[1]:
            return each.account
    raise RefusedError(f"nothing is left to do about message {key[1]} of {key[0]!r}")


def _concerned(store: Store) -> dict[AccountId, None]:
    return dict.fromkeys(fact.account for fact in store.facts([Decided, Joined]) if removals.may_remove(fact))


def refused_of(store: Store, record: Record, at: datetime) -> frozenset[Key]:
    """The account's messages that nobody could see by `at`: refused when they were sent, or kept back since."""
    asked: dict[str, list[MessageId]] = {}
    for breach in (each for one in record.decisions for each in one.breaches):
        asked.setdefault(breach.source, []).append(breach.message)
    hidden = frozenset(
        (source, message)
        for source, messages in asked.items()
        for message, answer in store.answers(source, messages).items()
        if answer.outcome in _NOT_SHOWN
    )
    return hidden - removals.seen(record, at)
