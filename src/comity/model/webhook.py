"""Addresses to which events are sent, and the events on their way there."""

from __future__ import annotations

from datetime import datetime
from typing import NewType

import msgspec

WebhookId = NewType("WebhookId", str)
"""What a webhook is listed and retired by: 8 lower-case letters and digits; not secret."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where events go. `source`: those of its messages; None: what anybody may know. `position`: up to which they went.

    `may_be_private`: its address may be one that is not reached from outside.
    """

    id: WebhookId
    url: str
    secret: str
    source: str | None
    may_be_private: bool
    created: datetime
    position: int


class Letter(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event on its way to a webhook. `due`: when it is sent next; None: it was given up, and waits for a person.

    Of the event only the id is kept: what it says is read from the record when it is sent.
    """

    hook: WebhookId
    event: str
    attempts: int
    due: datetime | None
    error: str = ""
