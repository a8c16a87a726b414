"""Notices (EU DSA Article 16): anybody reports a message, and gets a receipt."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from comity.api.access import TokenRequest, demand_channel
from comity.api.desk import Queue
from comity.api.messages import Parse
from comity.api.once import Key, Once
from comity.api.problems import ProblemError
from comity.casework.case_facts import Notifier
from comity.flow import review
from comity.flow.accounts import by_account
from comity.flow.message import Proceedings
from comity.flow.rate import Rate
from comity.model.access import Role, Token
from comity.model.ids import ClauseId, MessageId, NoticeId
from comity.model.message import Message
from comity.model.statement import Origin
from comity.ports import Clock

_AT_ONCE = 10
_EACH = timedelta(minutes=6)
_ORIGINS = (Origin.USER, Origin.TRUSTED_FLAGGER, Origin.AUTHORITY)
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
Short = Annotated[str, msgspec.Meta(max_length=1_024)]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What is reported: the message by `source` and `id`, or whole as `content`, which only a source may give.

    `where`: the very place, such as an address. `good_faith`: it is believed to be true. `name` and `contact` may be
    left out where the law asks for none. `origin`: who reports it; only a source may say `trusted flagger` or
    `authority`.
    """

    why: Text
    good_faith: bool
    where: Short = ""
    source: Short = ""
    id: Short = ""
    content: dict[str, object] | None = None
    clause: ClauseId | None = None
    name: Short = ""
    contact: Short = ""
    origin: Origin = Origin.USER


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The notice was received. Keep its id: what is decided is told under it."""

    notice: NoticeId


def notice_routes(queue: Queue, once: Once, parse: Parse, clock: Clock) -> list[ControllerRouterHandler]:
    rate = Rate(_AT_ONCE, _EACH)

    @post("/v1/notices", status_code=HTTPStatus.CREATED)
    async def report(request: TokenRequest, data: JSONBody[Notice], key: Key = None) -> Receipt:
        """Report a message. Without a token, ten at once and ten an hour, about messages whose text is kept."""
        token = request.scope.get("auth")
        by = token if isinstance(token, Token) and token.role is Role.SOURCE else None
        if by is None and "authorization" in request.headers:
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "Bring a source's token that holds, or none.")
        if by is None:
            address = request.client.host if request.client else ""
            wait = rate.wait(address, clock.now())
            if wait is not None:
                detail = "There were many notices from your address. Send this one again later."
                raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, retry_after=wait)
        message = _given(data, by, parse)

        def act(running: Proceedings) -> Receipt:
            given = review.Notice(
                message=by_account(running, [message or _kept(running, data)])[0],
                where=data.where,
                why=data.why,
                good_faith=data.good_faith,
                origin=data.origin,
                clause=data.clause,
                notifier=Notifier(name=data.name, contact=data.contact),
            )
            return Receipt(notice=review.notice(running, given, clock.now()).notice)

        return await once.act(request, key if by else None, act, Receipt)

    return [report]


def _given(data: Notice, by: Token | None, parse: Parse) -> Message | None:
    """The message that a source reports whole. Raises `ProblemError`."""
    if by is None and (data.content is not None or data.origin is not Origin.USER):
        raise ProblemError(HTTPStatus.FORBIDDEN, "Only a source, with its token, may give `content` or an `origin`.")
    if data.origin not in _ORIGINS:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"Nobody reports as {data.origin}.")
    if by is None or data.content is None:
        return None
    read = parse([msgspec.json.encode(data.content)], by.name)
    if read.unread or not read.messages:
        reason = f"{read.unread[0].reason}; {read.unread[0].mend}" if read.unread else "it is empty"
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"`content` is no message: {reason}.")
    demand_channel(by, read.messages[0].channel)
    return read.messages[0]


def _kept(running: Proceedings, data: Notice) -> Message:
    message = running.store.message(data.source, MessageId(data.id))
    if message is None:
        detail = "The text of that message is not kept here. Report it where you saw it: the service can hand it on."
        raise ProblemError(HTTPStatus.NOT_FOUND, detail)
    return message
