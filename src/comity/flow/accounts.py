"""What is reported of an account and decides nothing: the version that it accepted, what channels call it, and where
it is written to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from comity.agreement.names import language_trouble
from comity.casework.facts import Accepted, AcceptedBy, ContactGiven, HandleGiven
from comity.casework.record import Record
from comity.casework.refused import RefusedError
from comity.flow.agreement import InForce
from comity.flow.message import Proceedings
from comity.model.agreement import UNDETERMINED, Agreement
from comity.model.duration import LATEST
from comity.model.ids import AccountId, Channel, Digest
from comity.model.message import Message

_WORD: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"(?=.{{3,254}}\Z)(?=[^@]{{1,64}}@){_WORD}(?:\.{_WORD})*@{_LABEL}(?:\.{_LABEL})*")


def accept(
    proceedings: Proceedings,
    account: AccountId,
    digest: Digest | None,
    language: str | None,
    at: datetime,
    *,
    by: AcceptedBy = AcceptedBy.ACCOUNT,
) -> Accepted:
    """The account is bound by that version, or the last, from `at` on. Raises `RefusedError`.

    `language`: in which it was shown; None: in the version's own. By notice it was only told of the version: it is
    bound by it once the time is over that the agreement gives which binds it now.
    """
    versions = proceedings.versions
    one = versions.of(digest) if digest else versions.latest()
    if one is None:
        raise RefusedError("there is no such version; name a published digest")
    shown_in = _shown_in(one.agreement, language)
    since = _counts_from(proceedings, account, one, at) if by is AcceptedBy.NOTICE else None
    fact = Accepted(account=account, at=at, agreement=one.agreement.digest, language=shown_in, by=by, since=since)
    proceedings.note(fact)
    return fact


def _counts_from(proceedings: Proceedings, account: AccountId, told_of: InForce, at: datetime) -> datetime:
    """When going on begins to count: nobody agreed to that but by the version that they accepted last."""
    record = proceedings.record(account)
    bound = proceedings.bound(record, at)
    if bound is None or all(each.agreement != bound.version.digest for each in record.acceptances):
        raise RefusedError("the account has accepted no version that is in force: the last of them binds it anyway")
    if not proceedings.versions.is_later(told_of, bound):
        raise RefusedError("the account is bound by that version already, or by a later one")
    after = bound.agreement.accepted_by_going_on
    if after is None:
        raise RefusedError("the version that binds the account does not say that going on counts")
    return after.after(at)


def _shown_in(agreement: Agreement, language: str | None) -> str:
    """Of a reader in `de-AT` the version's `de`. A version that names no language is believed to be in the reader's."""
    if language is None:
        return agreement.language
    written = (agreement.language, *agreement.translations)
    for wanted in (language.lower(), language.lower().partition("-")[0]):
        found = next((each for each in written if each.lower() == wanted), None)
        if found is not None:
            return found
    if agreement.language != UNDETERMINED:
        raise RefusedError(f"the version is not written in {language!r}; name one of {', '.join(written)}")
    trouble = language_trouble(language)
    if trouble is not None:
        raise RefusedError(f"{trouble.message}; write one of {trouble.help}")
    return language


def give_handle(proceedings: Proceedings, given: HandleGiven) -> None:
    """A handle belongs to at most one account at a time. Raises `RefusedError`."""
    latest = proceedings.versions.latest()
    channels = latest.agreement.channels if latest else ()
    if given.channel not in channels:
        raise RefusedError(f"the agreement has no channel {given.channel!r}; it has {', '.join(channels)}")
    for holders in proceedings.store.handle_holders([(given.channel, given.handle)]).values():
        for holder in holders:
            _demand_free(proceedings.record(holder), given)
    proceedings.note(given)


def give_contact(proceedings: Proceedings, given: ContactGiven) -> None:
    """Raises `RefusedError` for what is no address."""
    if given.address and not is_mail_address(given.address):
        what = "that is no e-mail address like name@example.org"
        raise RefusedError(f"{what}; letters beyond ASCII stand in none: write its domain as `xn--...`")
    proceedings.note(given)


def is_mail_address(text: str) -> bool:
    """Whether it is a plain address (RFC 5321, dot-string and domain), which nothing can be hidden in."""
    return _ADDRESS.fullmatch(text) is not None


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
    every = [((message.channel, str(message.author)), message) for message in messages]
    holders = proceedings.store.handle_holders(dict.fromkeys(called for called, _ in every))
    found = []
    for called, message in every:
        records = map(proceedings.record, holders.get(called, ()))
        holder = next((each.account for each in records if _was_called(each, called, message.sent)), None)
        found.append(message if holder is None else msgspec.structs.replace(message, author=holder))
    return tuple(found)


def _was_called(record: Record, called: tuple[Channel, str], at: datetime) -> bool:
    return any(
        (each.channel, each.handle) == called and each.since <= at < (each.until or LATEST) for each in record.handles
    )
