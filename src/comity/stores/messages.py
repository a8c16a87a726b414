"""The messages of one store: what was answered, who sent them, what windows count, and the texts that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from comity.model.ids import AccountId, MessageId
from comity.model.message import Message
from comity.ports import Answer, Kept, Outcome, Sender
from comity.stores.database import Database
from comity.stores.keys import KeyFile
from comity.stores.layout import (
    Private,
    listed,
    message_key,
    micros,
    moment,
    place_of_body,
    place_of_message,
    unpack_private,
)
from comity.stores.people import People

_EARLIEST: Final = -(1 << 63)
_MESSAGE: Final = msgspec.json.Decoder(Message)


class Messages:
    """Only read here; `Appending` writes them."""

    def __init__(self, db: Database, keys: KeyFile, people: People) -> None:
        self._db, self._keys, self._people = db, keys, people

    def answers(self, source: str, ids: Sequence[MessageId]) -> dict[MessageId, Answer]:
        by_key = {message_key(self._keys, source, each): each for each in ids}
        query = "select key, subject, private from messages where key in (select unhex(value) from json_each(?))"
        rows = self._db.rows(tuple[bytes, int | None, bytes | None], query, listed(key.hex() for key in by_key))
        return {by_key[key]: self._answer(by_key[key], key, subject, sealed) for key, subject, sealed in rows}

    def senders(self, source: str, ids: Sequence[MessageId]) -> dict[MessageId, Sender]:
        by_key = {message_key(self._keys, source, each): each for each in ids}
        query = (
            "select key, subject, sent, private from messages"
            " where subject is not null and key in (select unhex(value) from json_each(?))"
        )
        found = dict[MessageId, Sender]()
        rows = self._db.rows(tuple[bytes, int, int, bytes], query, listed(key.hex() for key in by_key))
        for key, subject, sent, sealed in rows:
            private, account = self._private(key, subject, sealed), self._people.account(subject)
            if private is not None and account is not None:
                found[by_key[key]] = Sender(account=account, sent=moment(sent), trace=private.trace)
        return found

    def _answer(self, id_: MessageId, key: bytes, subject: int | None, sealed: bytes | None) -> Answer:
        private = None if subject is None or sealed is None else self._private(key, subject, sealed)
        return Answer(message=id_, outcome=Outcome.ERASED) if private is None else private.answer

    def _private(self, key: bytes, subject: int, sealed: bytes) -> Private | None:
        content = self._people.unseal(subject, place_of_message(key), sealed)
        return None if content is None else unpack_private(content)

    def message(self, source: str, message: MessageId) -> Message | None:
        key = message_key(self._keys, source, message)
        query = "select subject, body from messages where key = ? and body is not null"
        for subject, body in self._db.rows(tuple[int, bytes], query, key):
            content = self._people.unseal(subject, place_of_body(key), body)
            return None if content is None else _MESSAGE.decode(content)
        return None

    def kept_messages(self, *, until: datetime) -> Iterator[Kept]:
        # +: by the index of what is kept, since that of times has all that was ever sent
        return self._kept("body is not null and +sent <= ? order by seq", micros(until))

    def kept_of(self, account: AccountId) -> Iterator[Kept]:
        return self._kept("subject = ? and body is not null order by seq", self._people.subject(account))

    def kept_last(self, count: int) -> Sequence[Kept]:
        return tuple(self._kept("body is not null order by seq desc limit ?", count))[::-1]

    def _kept(self, which: str, *values: int | None) -> Iterator[Kept]:
        query = f"select key, subject, sent, private from messages where {which}"  # noqa: S608 - of constants
        for key, subject, sent, sealed in self._db.rows(tuple[bytes, int, int, bytes], query, *values):
            private, account = self._private(key, subject, sealed), self._people.account(subject)
            if private is not None and account is not None:
                yield Kept(source=private.source, id=private.id, account=account, sent=moment(sent))

    def traces(self, *, after: int = 0, since: datetime | None = None) -> Iterator[bytes]:
        earliest, first = _EARLIEST, 0
        if since is not None:
            earliest = micros(since)
            first = self._db.number("select coalesce(min(seq), 1 << 62) from messages where sent >= ?", earliest)
        query = "select key, subject, private from messages where seq >= ? and sent >= ? order by seq"
        for key, subject, sealed in self._db.rows(tuple[bytes, int, bytes], query, max(first, after + 1), earliest):
            private = self._private(key, subject, sealed)
            if private is not None:
                yield private.trace
