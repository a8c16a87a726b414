"""The fields of a message as archives give them: which there are, which are required, and how each is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from comity.intake import values
from comity.intake.times import moment

META_PREFIX: Final = "meta."
"""A column `meta.KEY` holds one value of `meta`."""


class Kind(StrEnum):
    """What a typed archive (Parquet) must hold in the field's column."""

    ID = "strings or whole numbers"
    STRING = "strings"
    LABEL = "strings, lists of strings, numbers or booleans"
    TIME = "timestamps, RFC 3339 strings or seconds since 1970"
    LIST = "lists of strings, or strings"
    CLAIM = "booleans, numbers or strings"
    WHOLE = "numbers or strings"
    META = "maps or structs of strings, or JSON strings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """`read` gets any value but a missing one. `usual` are names that archives often give it: hints, never guesses."""

    kind: Kind
    read: Callable[[object], object]
    required: bool = False
    default: object = ""
    usual: frozenset[str] = frozenset()


def _required(kind: Kind, read: Callable[[object], object], usual: str) -> Field:
    return Field(kind=kind, read=read, required=True, usual=frozenset(usual.split()))


def _list(read: Callable[[object], object] = values.strings, default: object = None, usual: str = "") -> Field:
    return Field(kind=Kind.LIST, read=read, default=default, usual=frozenset(usual.split()))


FIELDS: Final[Mapping[str, Field]] = {
    "id": _required(Kind.ID, values.name, "_id message_id msg_id messageid uuid guid post_id comment_id tweet_id"),
    "author": _required(
        Kind.ID,
        values.name,
        "user username user_id user_name author_id author_name account sender from nick screen_name",
    ),
    "channel": _required(Kind.STRING, values.channel, "room service medium"),
    "text": _required(Kind.STRING, values.text, "body content message msg comment tweet post"),
    "sent": _required(
        Kind.TIME, moment, "ts timestamp time date datetime created created_at created_utc sent_at posted_at date_time"
    ),
    "subject": Field(kind=Kind.STRING, read=values.line, usual=frozenset({"title"})),
    "language": Field(kind=Kind.STRING, read=values.tag, default="und", usual=frozenset({"lang", "locale"})),
    "links": _list(usual="urls"),
    "mentions": _list(values.words("@＠")),
    "hashtags": _list(values.words("#＃"), usual="tags"),
    "attachments": _list(values.media_types, default=()),
    "hashes": _list(default=()),
    "to": _list(default=(), usual="recipients"),
    "is_reply": Field(kind=Kind.CLAIM, read=values.claim, default=False),
    "edit_of": Field(kind=Kind.ID, read=values.name),
    "reach": Field(kind=Kind.WHOLE, read=values.reach, default=0, usual=frozenset({"followers", "audience"})),
    "meta": Field(kind=Kind.META, read=values.meta, default={}),
    "label": Field(kind=Kind.LABEL, read=values.label, usual=frozenset({"labels", "class"})),
    "author_created": Field(kind=Kind.TIME, read=moment, default=None),
    "author_roles": _list(default=(), usual="roles"),
    "author_labels": _list(default=()),
}
REQUIRED: Final = tuple(name for name, field in FIELDS.items() if field.required)
