"""How values stand in rows: sealed contents and the places they are bound to, hashes that find them, times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from comity.ledger.canonical import canonical_json
from comity.ledger.commitment import Opening
from comity.model.ids import AccountId, Channel, Digest, MessageId
from comity.ports import Answer
from comity.stores.keys import KeyFile

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


class Private(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed of a message, its body apart."""

    source: str
    id: MessageId
    answer: Answer
    trace: bytes


_ID: Final = b'"id":"'  # in canonical form, no other name that stands behind an entry's id reads like this
_ID_LENGTH: Final = 32
_PACK: Final = msgspec.msgpack.Encoder()
_PRIVATE: Final = msgspec.msgpack.Decoder(Private)
_OPENINGS: Final = msgspec.msgpack.Decoder(list[tuple[str, bytes, bytes]])


def pack_private(private: Private) -> bytes:
    return _PACK.encode(private)


def unpack_private(content: bytes) -> Private:
    return _PRIVATE.decode(content)


def pack_openings(openings: Iterable[Opening]) -> bytes:
    """The openings of one entry that are one account's."""
    return _PACK.encode([(each.field, each.salt, canonical_json(each.value)) for each in openings])


def unpack_openings(entry: str, content: bytes) -> list[Opening]:
    return [
        Opening(entry_id=entry, field=field, salt=salt, value=msgspec.json.decode(value))
        for field, salt, value in _OPENINGS.decode(content)
    ]


def id_in(entry: bytes) -> str:
    """The id of an entry of the ledger; of bytes that are none, anything."""
    return entry.rpartition(_ID)[2][:_ID_LENGTH].decode("ascii", "replace")


def message_key(keys: KeyFile, source: str, id_: str) -> bytes:
    """What finds a message, and still does when its author was erased."""
    return keys.hash(b"message", source, id_)


def handle_key(keys: KeyFile, channel: Channel, handle: str) -> bytes:
    return keys.hash(b"handle", channel, handle)


def terminated_key(keys: KeyFile, account: AccountId) -> bytes:
    return keys.hash(b"terminated", account)


def attachment_key(keys: KeyFile, account: AccountId, digest: Digest) -> bytes:
    return keys.hash(b"attachment", account, digest)


def place_of_fact(seq: int) -> bytes:
    return b"fact/%d" % seq


def place_of_message(key: bytes) -> bytes:
    return b"message/" + key


def place_of_body(key: bytes) -> bytes:
    return b"body/" + key


def place_of_openings(entry: str) -> bytes:
    return b"openings/" + entry.encode()


def place_of_plan(row: int) -> bytes:
    return b"plan/%d" % row


def place_of_attachment(name: bytes) -> bytes:
    return b"attachment/" + name


PLACE_OF_SNAPSHOT: Final = b"snapshot/"


def micros(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def moment(at: int) -> datetime:
    return EPOCH + at * MICROSECOND


def listed(values: Iterable[str | int]) -> str:
    """A list as SQLite's `json_each` reads it."""
    return msgspec.json.encode(list(values)).decode()
