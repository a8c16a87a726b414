"""Events on their way to webhooks: gathered from the record, signed, sent, and sent again until they are taken.

Signed as Standard Webhooks has it (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body. Delivery is
off the path of decisions: nothing here writes to the record, or waits for it.
"""

from __future__ import annotations

import base64
import hmac
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

import msgspec
from msgspec.structs import replace

from comity.casework.events import Event
from comity.flow import news
from comity.flow.news import Addresses, Reader
from comity.model.webhook import Letter, Webhook, WebhookId
from comity.ports import Clock, Entropy, Store, UnreachableError, WebhookLink, Webhooks

PREFIX: Final = "whsec_"
_WAITS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long after each failure it is tried again; then it is given up, three days and a half after the first try."""
_TAKEN: Final = range(200, 300)
_MOST_WAITING: Final = 1_000
_AT_ONCE: Final = 100
_SPREAD: Final = 0.2
_NO_ADDRESSES: Final = Addresses(own=lambda _: "", refusal=lambda _: "")


def next_try(attempts: int, at: datetime, chance: float) -> datetime | None:
    """When it is sent again after that many failures; None: never. `chance`: 0 to 1, so that not all come at once."""
    if attempts > len(_WAITS):
        return None
    return at + _WAITS[attempts - 1] * (1 - _SPREAD + 2 * _SPREAD * chance)


def signed(hook: Webhook, id_: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that show the receiver who sent it, and when."""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(hook.secret.removeprefix(PREFIX))
    tag = hmac.digest(key, f"{id_}.{stamp}.".encode() + body, "sha256")
    return {
        "webhook-id": id_,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(tag).decode()}",
        "content-type": "application/json",
        "user-agent": "comity",
    }


def written(event: Event) -> bytes:
    """The event as it is sent."""
    return msgspec.json.encode({"type": event.type, "timestamp": event.at, "data": event})


class Courier:
    """Sends one record's events. Several threads may ask, each for another webhook."""

    def __init__(
        self, store: Store, hooks: Webhooks, link: WebhookLink, clock: Clock, entropy: Entropy, addresses: Addresses
    ) -> None:
        """`store` is only read, and by nobody else. `addresses`: of statements, which only sources are told."""
        self._store, self._hooks, self._link, self._clock, self._entropy = store, hooks, link, clock, entropy
        self._addresses, self._lock = addresses, Lock()

    def hooks(self) -> tuple[WebhookId, ...]:
        with self._lock:
            return tuple(hook.id for hook in self._hooks.every())

    def send(self, id_: WebhookId) -> bool:
        """All that is due to one webhook, in order. True: it is reached, and there may be more."""
        with self._lock:
            hook = next((each for each in self._hooks.every() if each.id == id_), None)
            if hook is None:
                return False
            self._gather(hook)
            now = self._clock.now()
            due = () if self._hooks.is_paused(hook.id, now) else self._hooks.due(hook.id, now, _AT_ONCE)
        return bool(due) and all(self._sent(hook, letter) for letter in due)

    def _gather(self, hook: Webhook) -> None:
        """What happened since; while many wait, the record keeps the rest."""
        self._store.was_changed()
        while self._hooks.waiting(hook.id) < _MOST_WAITING:
            page = news.page(
                self._store, min(hook.position, self._store.position), _AT_ONCE, _reader(hook), _NO_ADDRESSES
            )
            if page.next != hook.position:
                self._hooks.put(hook.id, [each.id for each in page.events], page.next, self._clock.now())
                hook = replace(hook, position=page.next)
            if page.is_last:
                return

    def _sent(self, hook: Webhook, letter: Letter) -> bool:
        """False: it was not taken, so that what follows waits too."""
        with self._lock:
            event = news.event(self._store, letter.event, _reader(hook), self._addresses)
        error = "" if event is None else self._posted(hook, event)
        with self._lock:
            if not error:
                self._hooks.drop(letter)
            else:
                self._hooks.keep(self._failed(letter, error))
        return not error

    def _posted(self, hook: Webhook, event: Event) -> str:
        """What was wrong; empty: nothing."""
        body = written(event)
        try:
            status = self._link.post(hook, signed(hook, f"evt_{event.id}", self._clock.now(), body), body)
        except UnreachableError as error:
            return str(error)
        return "" if status in _TAKEN else f"it answered {status}"

    def _failed(self, letter: Letter, error: str) -> Letter:
        attempts, chance = letter.attempts + 1, int.from_bytes(self._entropy.token(4)) / 2**32
        return replace(letter, attempts=attempts, due=next_try(attempts, self._clock.now(), chance), error=error)


def _reader(hook: Webhook) -> Reader:
    return Reader(source=hook.source)
