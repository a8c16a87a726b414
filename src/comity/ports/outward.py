"""What leaves the service by itself: events to webhooks, statements by e-mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from comity.model.ids import DecisionId
from comity.model.mail import Answered, Mail, Pause
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


class Mails(Protocol):
    """Statements of one record on their way by e-mail, each at most once. Each method is one transaction."""

    @property
    def position(self) -> int | None:
        """Up to where the record is seen to; None: nothing was sent yet."""

    @property
    def pause(self) -> Pause | None: ...

    def put_off(self, pause: Pause | None) -> None: ...

    def put(self, statements: Mapping[DecisionId, int], position: int, at: datetime) -> None:
        """These are to be told from `at` on, each with the event that it is told for, and all up to `position` are
        seen to. One that is on its way already tells of the newer event; one that was given up is tried again.
        """

    def due(self, at: datetime, most: int) -> Sequence[Mail]:
        """What is to be sent now, oldest event first."""

    def waiting(self) -> int:
        """How many are still to be sent."""

    def dead(self) -> Sequence[Mail]:
        """Those that were given up, oldest event first."""

    def keep(self, mail: Mail) -> None:
        """It was not taken: what is known of it now."""

    def drop(self, mail: Mail) -> None:
        """It was taken, or there is nobody to send it to."""

    def again(self, at: datetime) -> int:
        """All that were given up are sent anew; how many."""


class MailSession(Protocol):
    """A connection to the mail server."""

    def send(self, to: str, content: bytes) -> Answered:
        """Raises `UnreachableError` if there is no answer, or one that says nothing of this mail."""


class MailLink(Protocol):
    """Reaches the mail server."""

    def connected(self) -> AbstractContextManager[MailSession]:
        """Raises `UnreachableError`."""
