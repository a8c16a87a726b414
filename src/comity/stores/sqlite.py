"""The embedded store: one SQLite file, one writer, group commit; and the keys to it in a file beside it.

The writer holds a lock file of its own for as long as it lives, or for a turn at a time where it shares the store, so
that two programs never decide side by side; readers need no lock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final

import msgspec

from comity.casework.facts import Decided, Fact, decode
from comity.ledger.commitment import Opening
from comity.model.agreement import SourceFile
from comity.model.duration import LATEST
from comity.model.ids import AccountId, Channel, DecisionId, Digest, MessageId
from comity.model.message import Message
from comity.ports import (
    Answer,
    Entered,
    Feed,
    Kept,
    OvertakenError,
    Publication,
    Sender,
    Snapshot,
    StoreError,
    Told,
    Version,
    Write,
)
from comity.stores.appending import PUBLICATION, Appending, kind_of
from comity.stores.database import Database, Lock, locked
from comity.stores.layout import (
    PLACE_OF_SNAPSHOT,
    attachment_key,
    handle_key,
    listed,
    message_key,
    micros,
    moment,
    place_of_attachment,
    place_of_fact,
    place_of_openings,
    terminated_key,
    unpack_openings,
)
from comity.stores.messages import Messages
from comity.stores.migration import prepared
from comity.stores.people import People
from comity.stores.plans import Plans
from comity.stores.sealing import unseal
from comity.stores.tables import FORMAT

_FIRST_FACT: Final = (
    "select coalesce(min(seq), 1 << 62) from facts"
    " where (?1 = '[]' or kind in (select value from json_each(?1))) and at >= ?2"
)
_FACTS: Final = (
    "select seq, subject, body from facts"
    " where (?1 = '[]' or kind in (select value from json_each(?1))) and at >= ?2 and seq >= ?3 order by seq"
)
_HISTORIES: Final = (
    "select seq, subject, body from facts"
    " where subject in (select subject from facts where kind in (select value from json_each(?2)))"
    " and kind in (select value from json_each(?1)) order by subject, seq"
)
_PUBLICATION: Final = msgspec.json.Decoder(Publication)
_EARLIEST: Final = -(1 << 63)
_LAST: Final = (1 << 63) - 1
_PATIENCE: Final = 10_000
"""Milliseconds that a turn is waited for, while a person looks at what another program asks them."""
_FILES: Final = msgspec.json.Decoder(tuple[SourceFile, ...])
_MESSAGE: Final = msgspec.json.Decoder(Message)


class SqliteStore:
    """A store in one file. `StoreError` says when it is locked, damaged, full, of a newer format, or lacks its keys."""

    def __init__(self, path: Path, *, writes: bool = True, shares: bool = False) -> None:
        """`shares`: other programs may write too, between the turns that this one takes."""
        with ExitStack() as held, ExitStack() as opening:
            if writes:
                (opening if shares else held).enter_context(locked(path))
            self._lock = held.enter_context(closing(Lock(path, patience=_PATIENCE))) if shares else None
            self._db = held.enter_context(closing(Database(path, creates=writes)))
            with nullcontext() if writes or self._db.format >= FORMAT else locked(path):
                self._keys = held.enter_context(closing(prepared(self._db)))
            self._people = People(self._db, self._keys)
            self._plans = Plans(self._db, self._people)
            self._messages = Messages(self._db, self._keys, self._people)
            self._people.demand_keys()
            if writes:
                self._people.finish()
                self._plans.settle()
            self._appending = Appending(self._db, self._keys, self._people)
            self._seen = self._db.changes_by_others
            self._held = held.pop_all()

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Nobody else writes meanwhile. True: somebody has, since the last turn. Raises `StoreError`."""
        with self._lock.held() if self._lock else nullcontext():
            yield self.was_changed()

    def was_changed(self) -> bool:
        """Whether another program has written since this was asked last."""
        seen, self._seen = self._seen, self._db.changes_by_others
        if seen == self._seen:
            return False
        self._keys.refresh()
        self._people.refresh()
        return True

    def tidy(self) -> None:
        self._db.tidy()

    def append(self, write: Write) -> None:
        with nullcontext() if self._db.in_transaction else self._db.transaction():
            self._demand_at(write)
            with self._db.part():
                self._appending.append(write)
        self._people.settle()

    @contextmanager
    def together(self) -> Iterator[None]:
        with ExitStack() as unless_kept:
            unless_kept.callback(self._people.refresh)  # some of whom it believes enrolled would not be
            with self._db.transaction():
                yield
            unless_kept.pop_all()

    def _demand_at(self, write: Write) -> None:
        size, position = self.size, self.position
        if (write.size, write.position) != (size, position):
            raise OvertakenError(
                f"the ledger in {self._db.path} has {size} entries, not {write.size}, and the record {position} facts,"
                f" not {write.position}; read the store again"
            )
        if write.erasures not in (None, self.erasures):
            raise OvertakenError(f"an account was erased from {self._db.path} meanwhile; read the store again")

    def erase(self, account: AccountId, *, keep_hash: bool = False, position: int | None = None) -> bool:
        if self._db.in_transaction:
            raise StoreError(f"in {self._db.path} nobody is erased together with other acts: let it be done alone")
        subject = self._people.subject(account)
        statements = [fact.decision for fact in self.facts_of(account) if isinstance(fact, Decided)]
        with self._db.transaction():
            if position not in (None, self.position):
                raise OvertakenError(
                    f"the record in {self._db.path} has {self.position} facts, not {position}; read the store again"
                )
            if keep_hash:
                key = terminated_key(self._keys, account)
                self._db.execute("insert into terminated values (?) on conflict do nothing", key)
            self._db.executemany("insert into erased values (?) on conflict do nothing", [(s,) for s in statements])
            if subject is not None:
                self._plans.erase(subject)
                self._people.erase(subject)
        if subject is not None:
            self._people.forget(subject)
        return subject is not None

    def forget_messages(self, messages: Iterable[tuple[str, MessageId]]) -> None:
        keys = [(message_key(self._keys, source, id_),) for source, id_ in messages]
        with self._db.transaction():
            self._db.executemany("update messages set body = null where key = ?", keys)
        self._db.forget_log()

    def versions(self) -> Sequence[Version]:
        query = "select digest, name, effective, files from versions order by seq"
        return tuple(
            Version(digest=Digest(digest), name=name, effective=moment(effective), files=_FILES.decode(files))
            for digest, name, effective, files in self._db.rows(tuple[str, str, int, bytes], query)
        )

    def facts_of(self, account: AccountId, *, until: int | None = None) -> Sequence[Fact]:
        subject = self._people.subject(account)
        query = "select seq, subject, body from facts where subject = ? and seq <= ? order by seq"
        facts = () if subject is None else self._decoded(query, subject, _LAST if until is None else until)
        return tuple(fact for _, fact in facts)

    def facts_of_each(self, accounts: Iterable[AccountId]) -> Mapping[AccountId, Sequence[Fact]]:
        every = tuple(accounts)
        found: dict[AccountId, list[Fact]] = {account: [] for account in every}
        subjects = self._people.subjects(every)
        if subjects:
            query = (
                "select seq, subject, body from facts where subject in (select value from json_each(?)) order by seq"
            )
            for _, fact in self._decoded(query, listed(subjects.values())):
                found[fact.account].append(fact)
        return found

    def facts(
        self, kinds: Sequence[type[Fact]] = (), *, after: int = 0, since: datetime | None = None
    ) -> Iterator[Fact]:
        named, first, earliest = listed(map(kind_of, kinds)), 0, _EARLIEST
        if since is not None:  # the first of them by the index, then on in the record's order
            earliest = micros(since)
            first = self._db.number(_FIRST_FACT, named, earliest)
        return (fact for _, fact in self._decoded(_FACTS, named, earliest, max(first, after + 1)))

    def histories(self, kinds: Sequence[type[Fact]], having: Sequence[type[Fact]]) -> Iterator[Sequence[Fact]]:
        named = [listed(map(kind_of, given)) for given in (kinds, having)]
        facts = (fact for _, fact in self._decoded(_HISTORIES, *named))
        return (tuple(each) for _, each in groupby(facts, key=attrgetter("account")))

    def numbered(self, kinds: Sequence[type[Fact]], *, after: int) -> Iterator[tuple[int, Fact]]:
        return self._decoded(_FACTS, listed(map(kind_of, kinds)), _EARLIEST, after + 1)

    def publications(self, *, after: int) -> Iterator[tuple[int, Publication]]:
        query = "select seq, body from facts where kind = ? and seq > ? order by seq"
        rows = self._db.rows(tuple[int, bytes], query, PUBLICATION, after)
        return ((seq, _PUBLICATION.decode(body)) for seq, body in rows)

    def _decoded(self, query: str, *values: str | int) -> Iterator[tuple[int, Fact]]:
        for seq, subject, body in self._db.rows(tuple[int, int, bytes], query, *values):
            content = self._people.unseal(subject, place_of_fact(seq), body)
            if content is not None:
                yield seq, decode(content)

    def account_of(self, id_: str) -> AccountId | None:
        query = "select subject from ids where id = ? and subject is not null"
        return next(iter(self._accounts(query, id_)), None)

    def is_erased(self, id_: str) -> bool:
        return self._db.number("select exists (select 1 from ids where id = ? and subject is null)", id_) > 0

    def waiting(self) -> Iterator[tuple[str, AccountId]]:
        for id_, subject in self._db.rows(tuple[str, int], "select id, subject from waiting order by seq"):
            account = self._people.account(subject)
            if account is not None:
                yield id_, account

    def handle_holders(
        self, handles: Iterable[tuple[Channel, str]]
    ) -> Mapping[tuple[Channel, str], Sequence[AccountId]]:
        keys = {handle_key(self._keys, *each): each for each in handles}
        query = (
            "select handle, subject from handles where handle in (select unhex(value) from json_each(?)) order by seq"
        )
        found: dict[tuple[Channel, str], list[AccountId]] = {}
        for key, subject in self._db.rows(tuple[bytes, int], query, listed(key.hex() for key in keys)):
            account = self._people.account(subject)
            if account is not None:
                found.setdefault(keys[key], []).append(account)
        return found

    def restricted(self) -> Iterator[AccountId]:
        return self._accounts("select subject from restricted")

    def told(self) -> Iterator[Told]:
        return self._plans.told()

    def changes(self, after: int) -> Iterator[Told]:
        return self._plans.changes(after)

    @property
    def feed(self) -> Feed:
        return self._plans.feed

    def last_change(self, account: AccountId, channel: Channel) -> tuple[int, datetime] | None:
        subject = self._people.subject(account)
        seq = None if subject is None else self._plans.last_change(subject, channel)
        at = None if seq is None else self._plans.told_at(seq)
        return None if seq is None or at is None else (seq, at)

    def at_once(self) -> AbstractContextManager[None]:
        return self._db.at_once()

    def _accounts(self, query: str, *values: str | bytes) -> Iterator[AccountId]:
        subjects = (subject for (subject,) in self._db.rows(tuple[int], query, *values))
        return (account for account in map(self._people.account, subjects) if account is not None)

    def was_terminated(self, account: AccountId) -> bool:
        query = "select exists (select 1 from terminated where account = ?)"
        return self._db.number(query, terminated_key(self._keys, account)) > 0

    def pending_erasures(self) -> Sequence[DecisionId]:
        rows = self._db.rows(tuple[str], "select statement from erased order by statement")  # random ids
        return tuple(DecisionId(statement) for (statement,) in rows)

    def answers(self, source: str, ids: Sequence[MessageId]) -> dict[MessageId, Answer]:
        return self._messages.answers(source, ids)

    def senders(self, source: str, ids: Sequence[MessageId]) -> dict[MessageId, Sender]:
        return self._messages.senders(source, ids)

    def message(self, source: str, message: MessageId) -> Message | None:
        return self._messages.message(source, message)

    def kept_messages(self, *, until: datetime = LATEST) -> Iterator[Kept]:
        return self._messages.kept_messages(until=until)

    def kept_of(self, account: AccountId) -> Iterator[Kept]:
        return self._messages.kept_of(account)

    def kept_last(self, count: int) -> Sequence[Kept]:
        return self._messages.kept_last(count)

    def traces(self, *, after: int = 0, since: datetime | None = None) -> Iterator[bytes]:
        return self._messages.traces(after=after, since=since)

    def attachment(self, account: AccountId, digest: Digest) -> bytes | None:
        subject, name = self._people.subject(account), attachment_key(self._keys, account, digest)
        query = "select body from attachments where subject = ? and name = ?"
        body = next(self._db.blobs(query, subject, name), None)
        return (
            None if subject is None or body is None else self._people.unseal(subject, place_of_attachment(name), body)
        )

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        return tuple(self._db.blobs("select body from entries where seq >= ? and seq < ? order by seq", start, end))

    def entry_index(self, id_: str) -> int | None:
        query = "select entry from ids where id = ? and entry is not null"
        return next((index for (index,) in self._db.rows(tuple[int], query, id_)), None)

    def entered(self, decisions: Collection[DecisionId]) -> Mapping[DecisionId, Entered]:
        return self._plans.entered(decisions)

    def openings(self, entry: str) -> Sequence[Opening]:
        query = "select subject, body from openings where entry = ? order by seq"
        rows = self._db.rows(tuple[int, bytes], query, entry)
        contents = (self._people.unseal(subject, place_of_openings(entry), body) for subject, body in rows)
        return tuple(each for content in contents if content is not None for each in unpack_openings(entry, content))

    @property
    def size(self) -> int:
        return self._db.number("select coalesce(max(seq) + 1, 0) from entries")

    @property
    def position(self) -> int:
        return self._db.number("select coalesce(max(seq), 0) from facts")

    @property
    def erasures(self) -> int:
        return self._people.erasures

    @property
    def checkpoint(self) -> bytes:
        return next(self._db.blobs("select body from checkpoint"), b"")

    @property
    def head(self) -> bytes:
        return next(self._db.blobs("select body from head"), b"")

    @property
    def reached(self) -> datetime | None:
        return next((moment(at) for (at,) in self._db.rows(tuple[int], "select at from reached")), None)

    @property
    def snapshot(self) -> Snapshot | None:
        rows = self._db.rows(tuple[int, int, bytes], "select messages, position, body from snapshot")
        for messages, position, body in rows:
            content = unseal(self._keys.shared, PLACE_OF_SNAPSHOT, body, file=self._db.path)
            return Snapshot(content=content, messages=messages, position=position)
        return None

    def close(self) -> None:
        self._held.close()
