"""What is reported of an account and decides nothing: the version that it accepted, and what channels call it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from comity.casework.facts import Accepted, HandleGiven
from comity.casework.record import Record
from comity.casework.refused import RefusedError
from comity.flow.message import Proceedings
from comity.model.duration import LATEST
from comity.model.ids import AccountId, Channel, Digest
from comity.model.message import Message


def accept(
    proceedings: Proceedings, account: AccountId, digest: Digest | None, language: str | None, at: datetime
) -> Accepted:
    """The account is bound by that version, or the last, from `at` on. Raises `RefusedError`."""
    versions = proceedings.versions
    one = versions.of(digest) if digest else versions.latest()
    if one is None:
        raise RefusedError("there is no such version; name a published digest")
    shown_in = (one.agreement.language, *one.agreement.translations)
    if language is not None and language not in shown_in:
        raise RefusedError(f"the version is not written in {language!r}; name one of {', '.join(shown_in)}")
    fact = Accepted(
        account=account,
        at=at,
        agreement=one.agreement.digest,
        language=language or one.agreement.language,
    )
    proceedings.note(fact)
    return fact


def give_handle(proceedings: Proceedings, given: HandleGiven) -> None:
    """A handle belongs to at most one account at a time. Raises `RefusedError`."""
    latest = proceedings.versions.latest()
    channels = latest.agreement.channels if latest else ()
    if given.channel not in channels:
        raise RefusedError(f"the agreement has no channel {given.channel!r}; it has {', '.join(channels)}")
    for holder in proceedings.store.handle_holders(given.channel, given.handle):
        _demand_free(proceedings.record(holder), given)
    proceedings.note(given)


def _demand_free(record: Record, given: HandleGiven) -> None:
    if record.account == given.account:
        return
    for each in record.handles:
        is_same = (each.channel, each.handle) == (given.channel, given.handle)
        if is_same and each.since < (given.until or LATEST) and given.since < (each.until or LATEST):
            raise RefusedError(f"on {given.channel} {given.handle} is another account's at that time; end that first")


def by_account(proceedings: Proceedings, messages: Iterable[Message]) -> tuple[Message, ...]:
    """The messages under the account that their author was a handle of when they were sent, or under its own name.

    A source may know no more of an author than what its channel calls it.
    """
    known: dict[tuple[Channel, str], Sequence[Record]] = {}
    found = []
    for message in messages:
        called = (message.channel, str(message.author))
        if called not in known:
            known[called] = tuple(map(proceedings.record, proceedings.store.handle_holders(*called)))
        holder = next((each.account for each in known[called] if _was_called(each, called, message.sent)), None)
        found.append(message if holder is None else msgspec.structs.replace(message, author=holder))
    return tuple(found)


def _was_called(record: Record, called: tuple[Channel, str], at: datetime) -> bool:
    return any(
        (each.channel, each.handle) == called and each.since <= at < (each.until or LATEST) for each in record.handles
    )
