"""A store's tables as this Comity wants them: made new, or brought over from the first format, which had no keys, or
from the second, which had no feed for gates, or the third, which found entries by an index of their own.

The bringing over is one transaction: killed at any moment, the store is of the old format or of the new one, and the
file is written anew before it is used, so that no copy of what lay in the clear is left in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import Final

import msgspec

from comity.casework.facts import Decided, Fact, decode
from comity.casework.plan import planned
from comity.casework.record import fold
from comity.ledger.commitment import Opening
from comity.model.ids import AccountId, Channel, MessageId
from comity.model.message import Message
from comity.ports import Answer, Owned, Running, StoreError, Taken, Write
from comity.stores.appending import Appending
from comity.stores.database import Database
from comity.stores.keys import KEYS_FILE, KeyFile
from comity.stores.layout import id_in, moment, place_of_fact
from comity.stores.people import People
from comity.stores.plans import Plans
from comity.stores.tables import FEED, FORMAT, SCHEMA

_AT_ONCE: Final = 1000
_OLD_INDEXES: Final = ("facts_by_subject", "facts_by_decision", "openings_by_entry")
_OLD_TABLES: Final = ("subjects", "messages", "facts", "openings")
_PLACE: Final = "update ids set entry = ? where id = ?"
_BROUGHT_OVER: Final = -1
"""In `store.cleaned`: the file is to be written anew."""
_ANSWER: Final = msgspec.json.Decoder(Answer)
_MESSAGE: Final = msgspec.json.Decoder(Message)


class _Named(msgspec.Struct):
    """Anything that an account is named in."""

    account: AccountId


def prepared(db: Database) -> KeyFile:
    """The keys of the store, whose tables are there afterwards. Raises `StoreError`."""
    found = db.format
    if found > FORMAT:
        raise StoreError(f"{db.path} was written by a newer Comity (format {found}); update Comity to read it")
    keys = KeyFile(db.path.with_name(KEYS_FILE), creates=found < FORMAT)
    if found == 0:
        with db.transaction():
            _declare(db, keys, cleaned=0)
    if found == 1:
        _bring_over(db, keys)
    if found == 2:
        with db.transaction():
            db.declare(FORMAT, FEED)
            _plan(db, keys)
            _place_entries(db)
    if found == 3:
        with db.transaction():
            db.declare(FORMAT, "drop index entries_by_id")
            _place_entries(db)
    return keys


def _declare(db: Database, keys: KeyFile, *, cleaned: int) -> None:
    db.declare(FORMAT, SCHEMA)
    db.execute("insert into store values (1, ?, 0, ?, ?)", keys.store, keys.erasures, cleaned)
    Plans(db, People(db, keys)).begin()


def _plan(db: Database, keys: KeyFile) -> None:
    """Begin the feed of a record that had none: with what holds of whoever may be restricted."""
    people = People(db, keys)
    plans = Plans(db, people)
    plans.begin()
    for subject in [each for (each,) in db.rows(tuple[int], "select subject from restricted")]:
        account = people.account(subject)
        if account is not None:
            facts = list(_facts_of(db, people, subject))
            plans.append(planned(fold(account, facts), facts[-1].at), {account: subject})


def _facts_of(db: Database, people: People, subject: int) -> Iterator[Fact]:
    query = "select seq, body from facts where subject = ? order by seq"
    for seq, body in db.rows(tuple[int, bytes], query, subject):
        content = people.unseal(subject, place_of_fact(seq), body)
        if content is not None:
            yield decode(content)


def _bring_over(db: Database, keys: KeyFile) -> None:
    people = People(db, keys)
    appending = Appending(db, keys, people)
    with db.transaction():
        for name in _OLD_INDEXES:
            db.execute(f"drop index {name}")
        for name in _OLD_TABLES:
            db.execute(f"alter table {name} rename to old_{name}")
        _declare(db, keys, cleaned=_BROUGHT_OVER)
        for write in _old_content(db):
            appending.append(write)
            people.settle()
        for name in _OLD_TABLES:
            db.execute(f"drop table old_{name}")
        _plan(db, keys)
        db.executemany(_PLACE, _places(db))


def _place_entries(db: Database) -> None:
    """Say of each id that the facts made known which entry has it."""
    db.execute("alter table ids add column entry integer")
    db.executemany(_PLACE, _places(db))


def _places(db: Database) -> Iterator[tuple[int, str]]:
    rows = db.rows(tuple[int, bytes], "select seq, body from entries order by seq")
    return ((seq, id_in(body)) for seq, body in rows)


def _old_content(db: Database) -> Iterator[Write]:
    """All of it, in its order, as writes of bounded size."""
    messages = _old_messages(db)
    while some := list(islice(messages, _AT_ONCE)):
        yield Write(size=0, position=0, messages=some)
    facts, position = map(decode, db.blobs("select body from old_facts order by seq")), 0
    while batch := list(islice(facts, _AT_ONCE)):
        yield Write(size=0, position=position, facts=batch, running=Running(restricted=_restricted(batch)))
        position += len(batch)
    openings = _old_openings(db)
    while shown := list(islice(openings, _AT_ONCE)):
        yield Write(size=0, position=0, openings=shown)


def _restricted(facts: Iterable[Fact]) -> list[AccountId]:
    """Whoever was ever restricted on a channel: at the first census those are released whom nothing restricts now."""
    return [fact.account for fact in facts if isinstance(fact, Decided) and any(one.channels for one in fact.measures)]


def _old_messages(db: Database) -> Iterator[Taken]:
    query = (
        "select source, id, account, sent, answer, trace, body"
        " from old_messages join old_subjects using (subject) order by seq"
    )
    rows = db.rows(tuple[str, MessageId, AccountId, int, bytes, bytes, bytes | None], query)
    for source, id_, account, sent, answer, trace, body in rows:
        bare = Message(id=id_, author=account, channel=Channel(""), text="", sent=moment(sent), source=source)
        yield Taken(
            message=_MESSAGE.decode(body) if body else bare,
            trace=trace,
            answer=_ANSWER.decode(answer),
            keep_text=body is not None,
        )


def _old_openings(db: Database) -> Iterator[Owned]:
    """The first format did not say whose an opening is; what it shows does."""
    rows = db.rows(tuple[str, str, bytes, bytes], "select entry, field, salt, value from old_openings order by rowid")
    for entry, group in groupby(rows, itemgetter(0)):
        openings = [
            Opening(entry_id=entry, field=field, salt=salt, value=msgspec.json.decode(value, type=str))
            for _, field, salt, value in group
        ]
        subject = next((AccountId(str(each.value)) for each in openings if each.field == "account"), None)
        for each in openings:
            yield Owned(account=subject or _named_in(each), opening=each)


def _named_in(opening: Opening) -> AccountId:
    return msgspec.json.decode(str(opening.value), type=_Named).account
