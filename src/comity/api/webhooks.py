"""What operators see of webhooks: where events go, what could not be delivered, and sending that again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import PathParameter
from litestar.types import ControllerRouterHandler

from comity.api.problems import ProblemError
from comity.model.webhook import Webhook, WebhookId
from comity.ports import Clock, Webhooks

HookPath = Annotated[str, PathParameter(pattern="^[a-z0-9]{8}$", description="The webhook's id.")]


class Undelivered(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was given up, and what was wrong last."""

    event: str
    attempts: int
    error: str


class WebhookNow(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook; its secret is never shown again. `waiting`: events still to be sent."""

    id: WebhookId
    url: str
    source: str | None
    position: int
    waiting: int
    dead: tuple[Undelivered, ...]


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """How many events are sent anew."""

    events: int


def webhook_routes(hooks: Webhooks, clock: Clock) -> list[ControllerRouterHandler]:
    @get("/v1/webhooks")
    async def every() -> list[WebhookNow]:
        """All webhooks, with the events that could not be delivered (dead letters)."""
        return [_now(hooks, hook) for hook in hooks.every()]

    @post("/v1/webhooks/{hook:str}/again", status_code=HTTPStatus.OK)
    async def again(hook: HookPath) -> Again:
        """Send the dead letters of a webhook anew."""
        if hook not in [each.id for each in hooks.every()]:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no webhook {hook}.")
        return Again(events=hooks.again(WebhookId(hook), clock.now()))

    return [every, again]


def _now(hooks: Webhooks, hook: Webhook) -> WebhookNow:
    dead = (Undelivered(event=each.event, attempts=each.attempts, error=each.error) for each in hooks.dead(hook.id))
    return WebhookNow(
        id=hook.id,
        url=hook.url,
        source=hook.source,
        position=hook.position,
        waiting=hooks.waiting(hook.id),
        dead=tuple(dead),
    )
