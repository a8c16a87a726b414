"""What the shell asks of the world. Each is made of something in `stores` or `app`, and of something else in tests."""

from comity.ports.kept import (
    LARGEST_ATTACHMENT,
    Answer,
    Attachment,
    Feed,
    Kept,
    Outcome,
    OvertakenError,
    Owned,
    Running,
    Sender,
    Snapshot,
    StoreError,
    Taken,
    Told,
    Version,
    Write,
)
from comity.ports.log import Cosigned, CosignedLog, PublishedLog, Reply, UnreachableError, WitnessLink, WitnessState
from comity.ports.outward import WebhookLink, Webhooks
from comity.ports.people import Passwords, Users
from comity.ports.store import Store
from comity.ports.world import Begun, Clock, Entropy, GateAcks, Replies, TokenList, Tokens

__all__ = [
    "LARGEST_ATTACHMENT",
    "Answer",
    "Attachment",
    "Begun",
    "Clock",
    "Cosigned",
    "CosignedLog",
    "Entropy",
    "Feed",
    "GateAcks",
    "Kept",
    "Outcome",
    "OvertakenError",
    "Owned",
    "Passwords",
    "PublishedLog",
    "Replies",
    "Reply",
    "Running",
    "Sender",
    "Snapshot",
    "Store",
    "StoreError",
    "Taken",
    "TokenList",
    "Tokens",
    "Told",
    "UnreachableError",
    "Users",
    "Version",
    "WebhookLink",
    "Webhooks",
    "WitnessLink",
    "WitnessState",
    "Write",
]
