"""What is kept of people, for how long, and what they get when they ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from comity.casework.case_facts import Found
from comity.casework.facts import Accepted, Appealed, AppealOffered, HandleGiven
from comity.casework.points import live_points
from comity.casework.record import Record, fold, standing
from comity.casework.recorded import REVIEWED
from comity.casework.retention import KEPT_AFTER, is_named, is_needed
from comity.casework.settled import closings
from comity.casework.telling import Told, told_of
from comity.casework.unmet import asks
from comity.flow.agreement import Versions
from comity.flow.message import Proceedings
from comity.ledger.commitment import Opening
from comity.model.clause import Row, Until
from comity.model.ids import AccountId, ClauseId, DecisionId, Digest, MessageId
from comity.model.measure import Standing
from comity.model.message import Message
from comity.ports import Kept, Store


class AttachedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that came with an appeal; `content` is base64 in JSON."""

    name: str
    content: bytes


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """All that the record holds of an account and may tell it: nobody else's names, and nothing still being looked at.

    `openings` show, with the public ledger, that the statements are those that were entered there.
    """

    account: AccountId
    at: datetime
    standings: tuple[Standing, ...]
    points: dict[ClauseId, int]
    acceptances: tuple[Accepted, ...]
    handles: tuple[HandleGiven, ...]
    contact: str  # the e-mail address that it is written to; empty: none is known
    statements: tuple[Told, ...]
    appeals: tuple[Appealed, ...]
    offered: tuple[AppealOffered, ...]  # that wait until the account says that they are its own
    files: tuple[AttachedFile, ...]
    messages: tuple[Message, ...]
    openings: dict[DecisionId, tuple[Opening, ...]]


class Daily(msgspec.Struct, frozen=True, kw_only=True):
    """What was done of what is due each day."""

    closed: int  # cases that had nothing to ask any more
    opened: int  # cases about conditions that nobody has met for long
    forgotten: int  # texts deleted
    told: int  # statements that the ledger now says were erased


def daily(proceedings: Proceedings, at: datetime) -> Daily:
    """What nobody's message or act brings about: whoever runs the record does this once a day."""
    closed = close_settled(proceedings, at)
    opened = ask_about_unmet(proceedings, at)
    forgotten = forget(proceedings, at)
    waiting = len(proceedings.store.pending_erasures())
    proceedings.tell_erasures(at)
    told = waiting - len(proceedings.store.pending_erasures())
    return Daily(closed=closed, opened=opened, forgotten=forgotten, told=told)


def close_settled(proceedings: Proceedings, at: datetime) -> int:
    """Close the cases that have nothing to ask any more at `at`; returns how many."""
    accounts = dict.fromkeys(account for _, account in proceedings.store.waiting())
    settled = [each for each in accounts if any(closings(proceedings.record(each), at))]
    return len(proceedings.act(settled, lambda record: closings(record, at)))


def ask_about_unmet(proceedings: Proceedings, at: datetime) -> int:
    """Open a case about each decision of which nobody has met a condition for long; returns how many."""
    every = proceedings.versions.every
    if not any(_waits(row) for one in every for ladder in one.agreement.ladders.values() for row in ladder.rows):
        return 0
    waiting = [each for each in proceedings.store.restricted() if any(asks(proceedings.record(each), at, str))]
    return len(proceedings.act(waiting, lambda record: asks(record, at, proceedings.fresh)))


def _waits(row: Row) -> bool:
    """Whether the row's measures last until anybody but a reviewer does something."""
    until = row.term.length
    return isinstance(until, Until) and any(name != REVIEWED for name in until.conditions)


def forget(proceedings: Proceedings, at: datetime) -> int:
    """Delete the texts of messages that nobody needs any more at `at`; returns how many."""
    store, kept_for = proceedings.store, proceedings.kept_for
    found = frozenset(_found_lately(store, at))
    kept = store.kept_messages(until=at - min(kept_for, KEPT_AFTER))
    over = [(each.source, each.id) for each in kept if _is_over(proceedings, each, at, found)]
    if over:
        store.forget_messages(over)
    return len(over)


def _found_lately(store: Store, at: datetime) -> Iterator[tuple[str, MessageId]]:
    """Messages in which a rule found something, also if it is only counted, of which records know nothing."""
    for fact in store.facts([Found], since=at - KEPT_AFTER):
        if isinstance(fact, Found):
            yield fact.breach.source, fact.breach.message


def _is_over(proceedings: Proceedings, one: Kept, at: datetime, found: frozenset[tuple[str, MessageId]]) -> bool:
    record = proceedings.record(one.account)
    if is_named(record, one.source, one.id) or (one.source, one.id) in found:
        version_of = proceedings.versions.agreement
        return one.sent <= at - KEPT_AFTER and not is_needed(record, one.source, one.id, at, version_of)
    return one.sent <= at - proceedings.kept_for and record.hold is None


def export(store: Store, account: AccountId, at: datetime, *, kept_for: timedelta) -> Export:
    """What the account gets when it asks for its data. `kept_for`: as long as texts are kept anyway."""
    record = fold(account, store.facts_of(account))
    bound = Versions(store.versions()).bound(record, at, reaches_back=True)
    agreement = bound.agreement if bound else None
    appeals = tuple(each.filed for one in record.decisions for each in one.own_appeals)
    return Export(
        account=account,
        at=at,
        standings=tuple(standing(record, channel, at) for channel in agreement.channels) if agreement else (),
        points={ladder: live_points(record, ladder, at) for ladder in agreement.ladders} if agreement else {},
        acceptances=record.acceptances,
        handles=record.handles,
        contact=record.contact,
        statements=tuple(told_of(one) for one in record.decisions),
        appeals=appeals,
        offered=tuple(each for one in record.decisions for each in one.offers),
        files=tuple(
            AttachedFile(name=each.name, content=content)
            for filed in appeals
            for each in filed.attachments
            if (content := store.attachment(account, Digest(each.digest))) is not None
        ),
        messages=tuple(_messages(store, record, at - kept_for)),
        openings={one.id: tuple(store.openings(one.id)) for one in record.decisions},
    )


def _messages(store: Store, record: Record, since: datetime) -> Iterator[Message]:
    """Those that decisions are about, as far as their text is still kept, and all that were sent after `since`.

    Of older ones a text may be there because somebody looks at it, which is not told.
    """
    reported = {(each.source, each.id): each for case in record.cases for each in case.messages}
    decided = {(each.source, each.message) for one in record.decisions for each in one.breaches}
    recent = {(each.source, each.id) for each in store.kept_of(record.account) if each.sent > since}
    for source, id_ in sorted(decided | recent):
        message = reported.get((source, id_)) or store.message(source, id_)
        if message is not None:
            yield message
