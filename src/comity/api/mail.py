"""What operators see of statements that leave by e-mail: what waits, why, what was given up; and sending that again."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from litestar import get, post
from litestar.types import ControllerRouterHandler

from comity.model.ids import DecisionId
from comity.ports import Clock, Mails


class Unsent(msgspec.Struct, frozen=True, kw_only=True):
    """A statement whose mail was given up, and what was wrong last."""

    statement: DecisionId
    attempts: int
    error: str


class MailNow(msgspec.Struct, frozen=True, kw_only=True):
    """`waiting`: mails still to be sent. `problem`: why the mail server takes none now; empty: it does."""

    waiting: int
    problem: str
    dead: tuple[Unsent, ...]


class SentAnew(msgspec.Struct, frozen=True, kw_only=True):
    """How many mails are sent anew."""

    mails: int


def mail_routes(mails: Mails, clock: Clock) -> list[ControllerRouterHandler]:
    @get("/v1/mail")
    async def now() -> MailNow:
        """Statements that are on their way by e-mail, and those that could not be delivered (dead letters)."""
        dead = tuple(Unsent(statement=one.statement, attempts=one.attempts, error=one.error) for one in mails.dead())
        pause = mails.pause
        return MailNow(waiting=mails.waiting(), problem=pause.error if pause else "", dead=dead)

    @post("/v1/mail/again", status_code=HTTPStatus.OK)
    async def again() -> SentAnew:
        """Send the dead letters anew."""
        return SentAnew(mails=mails.again(clock.now()))

    return [now, again]
