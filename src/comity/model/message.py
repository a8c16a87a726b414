"""One thing that an account sent over a channel; immutable once taken in."""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.model.ids import AccountId, Channel, MessageId


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message as its source gave it. `None` means: not given, so derived from the text when judged.

    Strings hold no lone surrogates. `sent` and `author_created` are aware UTC. `id` is unique within `source`.
    """

    id: MessageId
    author: AccountId
    channel: Channel
    text: str
    sent: datetime
    source: str = ""
    subject: str = ""
    language: str = "und"
    unquoted: str | None = None
    links: tuple[str, ...] | None = None
    domains: tuple[str, ...] | None = None
    mentions: tuple[str, ...] | None = None
    hashtags: tuple[str, ...] | None = None
    attachments: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    is_reply: bool = False
    edit_of: str = ""
    reach: int = 0
    meta: dict[str, str] = {}
    label: str = ""
    author_created: datetime | None = None
    author_roles: tuple[str, ...] = ()
    author_labels: tuple[str, ...] = ()
