"""What leaves the service by itself: events to webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from comity.model.webhook import Letter, Webhook, WebhookId


class Webhooks(Protocol):
    """The webhooks of one record and what is on its way to them. Each method is one transaction."""

    def every(self) -> Sequence[Webhook]:
        """Oldest first."""

    def put(self, hook: WebhookId, events: Sequence[str], position: int, at: datetime) -> None:
        """These events are to be sent from `at` on, and all up to `position` are seen to."""

    def due(self, hook: WebhookId, at: datetime, most: int) -> Sequence[Letter]:
        """What is to be sent now, oldest event first."""

    def is_paused(self, hook: WebhookId, at: datetime) -> bool:
        """Whether one that failed a time or two is to be tried again before all others."""

    def waiting(self, hook: WebhookId) -> int:
        """How many are still to be sent."""

    def dead(self, hook: WebhookId) -> Sequence[Letter]:
        """Those that were given up, oldest event first."""

    def keep(self, letter: Letter) -> None:
        """It was not taken: what is known of it now."""

    def drop(self, letter: Letter) -> None:
        """It was taken, or there is nothing to send any more."""

    def again(self, hook: WebhookId, at: datetime) -> int:
        """All that were given up are sent anew; how many."""


class WebhookLink(Protocol):
    """Reaches webhooks."""

    def post(self, hook: Webhook, headers: Mapping[str, str], body: bytes) -> int:
        """The status that it answers, within a stated time. Raises `UnreachableError`."""
