"""What came of reading messages that somebody sent: messages, and what is none."""

from __future__ import annotations

import msgspec

from comity.model.message import Message


class Unread(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line that is no message, and the mend."""

    line: int
    reason: str
    mend: str


class Read(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What lines of JSON came to: messages in order, and the lines, counted from 1, that are none."""

    messages: tuple[Message, ...]
    unread: tuple[Unread, ...]
