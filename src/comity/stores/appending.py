"""What one transaction of the embedded store writes, table by table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import Final

import apsw
import msgspec

from comity.casework.facts import Fact, closed, encode, handle_of, introduced, opened
from comity.model.ids import AccountId
from comity.model.message import Message
from comity.ports import Attachment, OvertakenError, Owned, Publication, Running, Taken, Version, Write
from comity.stores.database import Database
from comity.stores.keys import KeyFile
from comity.stores.layout import (
    PLACE_OF_SNAPSHOT,
    Private,
    attachment_key,
    handle_key,
    id_in,
    message_key,
    micros,
    pack_openings,
    pack_private,
    place_of_attachment,
    place_of_body,
    place_of_fact,
    place_of_message,
    place_of_openings,
)
from comity.stores.people import People
from comity.stores.plans import Plans
from comity.stores.sealing import seal

Subjects = Mapping[AccountId, int]
_BODY: Final = msgspec.json.Encoder()
PUBLICATION: Final = "publication"
"""The kind of a row among the facts that is nobody's: the place of a version in the record."""


class Appending:
    """Writes into one store. The caller has checked what the write was decided on, and holds the transaction."""

    def __init__(self, db: Database, keys: KeyFile, people: People) -> None:
        self._db, self._keys, self._people, self._plans = db, keys, people, Plans(db, people)

    def append(self, write: Write) -> None:
        """Raises `OvertakenError` if a message was taken in before."""
        subjects = self._people.enrol(dict.fromkeys(_accounts(write)))
        self._messages(write.messages, subjects)
        self._facts(write.position, write.facts, subjects)
        self._index(write, subjects)
        self._openings(write.openings, subjects)
        for attachment in write.attachments:
            self._attachment(attachment, subjects[attachment.account])
        self._ledger(write)
        self._running(write.running, subjects)
        self._plans.append(write.planned, subjects)
        if write.version is not None:
            self._version(write.version)
            self._publish(write.version, write.published, write.position + len(write.facts) + 1)

    def _messages(self, messages: Sequence[Taken], subjects: Subjects) -> None:
        insert = "insert into messages (key, subject, sent, private, body) values (?, ?, ?, ?, ?)"
        try:
            self._db.executemany(insert, (self._message(each, subjects[each.message.author]) for each in messages))
        except apsw.ConstraintError as error:
            raise OvertakenError(f"a message was taken into {self._db.path} before; read the store again") from error

    def _message(self, taken: Taken, subject: int) -> tuple[bytes, int, int, bytes, bytes | None]:
        message = taken.message
        key = message_key(self._keys, message.source, message.id)
        private = Private(source=message.source, id=message.id, answer=taken.answer, trace=taken.trace)
        sealed = self._people.seal(subject, place_of_message(key), pack_private(private))
        return key, subject, micros(message.sent), sealed, self._body(key, subject, message, keep=taken.keep_text)

    def _body(self, key: bytes, subject: int, message: Message, *, keep: bool) -> bytes | None:
        return self._people.seal(subject, place_of_body(key), _BODY.encode(message)) if keep else None

    def _facts(self, position: int, facts: Sequence[Fact], subjects: Subjects) -> None:
        rows = []
        for seq, fact in enumerate(facts, position + 1):
            subject = subjects[fact.account]
            sealed = self._people.seal(subject, place_of_fact(seq), encode(fact))
            rows.append((seq, subject, kind_of(type(fact)), micros(fact.at), sealed))
        self._db.executemany("insert into facts (seq, subject, kind, at, body) values (?, ?, ?, ?, ?)", rows)

    def _index(self, write: Write, subjects: Subjects) -> None:
        """What finds accounts by ids and handles, entries by ids, and cases and appeals that wait."""
        places = {id_in(entry): place for place, entry in enumerate(write.entries, write.size)} if write.facts else {}
        ids: dict[str, int] = {}
        waiting: dict[str, int] = {}
        ended: list[tuple[str]] = []
        handles: list[tuple[bytes, int]] = []
        for fact in write.facts:
            subject = subjects[fact.account]
            ids |= dict.fromkeys(introduced(fact), subject)
            waiting |= dict.fromkeys(opened(fact), subject)
            for each in closed(fact):
                waiting.pop(each, None)
                ended.append((each,))
            if handle := handle_of(fact):
                handles.append((handle_key(self._keys, *handle), subject))
        known = [(id_, subject, places.get(id_)) for id_, subject in ids.items()]
        self._db.executemany("insert into ids values (?, ?, ?) on conflict (id) do nothing", known)
        self._db.executemany("delete from waiting where id = ?", ended)
        self._db.executemany(
            "insert into waiting (id, subject) values (?, ?) on conflict (id) do nothing", list(waiting.items())
        )
        self._db.executemany("insert into handles (handle, subject) values (?, ?) on conflict do nothing", handles)

    def _openings(self, openings: Sequence[Owned], subjects: Subjects) -> None:
        rows = []
        for (entry, account), each in groupby(openings, lambda one: (one.opening.entry_id, one.account)):
            subject, content = subjects[account], pack_openings(one.opening for one in each)
            rows.append((entry, subject, self._people.seal(subject, place_of_openings(entry), content)))
        self._db.executemany("insert into openings (entry, subject, body) values (?, ?, ?)", rows)

    def _attachment(self, attachment: Attachment, subject: int) -> None:
        name = attachment_key(self._keys, attachment.account, attachment.digest)
        sealed = self._people.seal(subject, place_of_attachment(name), attachment.content)
        self._db.execute(
            "insert into attachments (subject, name, body) values (?, ?, ?) on conflict do nothing",
            subject,
            name,
            sealed,
        )

    def _ledger(self, write: Write) -> None:
        self._db.executemany(
            "insert into entries (seq, body) values (?, ?)", list(enumerate(write.entries, write.size))
        )
        if write.genesis:
            self._db.execute("update entries set body = ? where seq = 0", write.genesis)
            self._plans.begin_anew()
        self._db.executemany("delete from erased where statement = ?", [(each,) for each in write.erased])
        if write.checkpoint:
            self._db.execute("insert or replace into checkpoint (id, body) values (1, ?)", write.checkpoint)
        if write.head:
            self._db.execute("insert or replace into head (id, body) values (1, ?)", write.head)

    def _running(self, running: Running, subjects: Subjects) -> None:
        released = [(subjects[each],) for each in running.released]
        self._db.executemany("delete from restricted where subject = ?", released)
        restricted = [(subjects[each],) for each in running.restricted]
        self._db.executemany("insert into restricted values (?) on conflict do nothing", restricted)
        if running.reached is not None:
            self._db.execute("insert or replace into reached values (1, ?)", micros(running.reached))
        if running.snapshot is not None:
            self._db.execute(
                "insert or replace into snapshot values"
                " (1, (select coalesce(max(seq), 0) from messages), (select coalesce(max(seq), 0) from facts), ?)",
                seal(self._keys.shared, PLACE_OF_SNAPSHOT, running.snapshot),
            )

    def _version(self, version: Version) -> None:
        self._db.execute(
            "insert into versions (digest, name, effective, files) values (?, ?, ?, ?)",
            version.digest,
            version.name,
            micros(version.effective),
            msgspec.json.encode(version.files),
        )

    def _publish(self, version: Version, at: datetime | None, position: int) -> None:
        """Its place in the record is a row that is nobody's."""
        if at is not None:
            one = Publication(digest=version.digest, effective=version.effective, at=at)
            insert = "insert into facts (seq, kind, body) values (?, ?, ?)"
            self._db.execute(insert, position, PUBLICATION, msgspec.json.encode(one))


@lru_cache
def kind_of(fact: type[Fact]) -> str:
    """How the facts' encoding names them."""
    return str(fact.__struct_config__.tag)


def _accounts(write: Write) -> Iterable[AccountId]:
    """Whoever the write has something of."""
    yield from (taken.message.author for taken in write.messages)
    yield from (fact.account for fact in write.facts)
    yield from (owned.account for owned in write.openings)
    yield from (attachment.account for attachment in write.attachments)
    yield from write.running.restricted
    yield from write.running.released
    yield from (planned.account for planned in write.planned)
