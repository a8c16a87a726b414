"""Notices (EU DSA Article 16): anybody reports a message, and gets a receipt."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import JSONBody, PathParameter
from litestar.types import ControllerRouterHandler

from comity.api.access import TokenRequest, demand_channel
from comity.api.desk import Queue
from comity.api.messages import Parse
from comity.api.once import Key, Once
from comity.api.problems import ProblemError
from comity.casework.appeal import LONGEST_TEXT
from comity.casework.case_facts import Notifier
from comity.casework.facts import AppealOutcome
from comity.flow import reports, review
from comity.flow.accounts import by_account
from comity.flow.evenly import evenly
from comity.flow.message import Proceedings
from comity.flow.rate import Rate
from comity.model.access import Role, Token
from comity.model.ids import AppealId, ClauseId, MessageId, NoticeId
from comity.model.message import Message
from comity.model.statement import Origin
from comity.ports import Clock

_AT_ONCE = 10
_EACH = timedelta(minutes=6)
_ORIGINS = (Origin.USER, Origin.TRUSTED_FLAGGER, Origin.AUTHORITY)
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
Short = Annotated[str, msgspec.Meta(max_length=1_024)]
NoticePath = Annotated[str, PathParameter(pattern="^[0-9a-f]{32}$", description="The number of the notice's receipt.")]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What is reported: the message by `source` and `id`, or whole as `content`, which only a source may give.

    `where`: the very place, such as an address; it stands for the message where no `id` is given. `quote`: what the
    message says, and `channel`: on which channel it was seen; both help where its text is not kept. `good_faith`: it is
    believed to be true. `name` and `contact` may be left out where the law asks for none. `origin`: who reports it;
    only a source may say `trusted flagger` or `authority`.
    """

    why: Text
    good_faith: bool
    where: Short = ""
    source: Short = ""
    id: Short = ""
    quote: Annotated[str, msgspec.Meta(max_length=10_000)] = ""
    channel: Annotated[str, msgspec.Meta(max_length=100)] = ""
    content: dict[str, object] | None = None
    clause: ClauseId | None = None
    name: Short = ""
    contact: Short = ""
    origin: Origin = Origin.USER


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The notice was received. Keep its number: `GET /v1/notices/{notice}` tells what is decided."""

    notice: NoticeId


class Decision(StrEnum):
    """`waiting`: nobody decided yet."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a notice. `reason`: why it was dismissed. `outcome`: of its sender's appeal."""

    notice: NoticeId
    decision: Decision
    decided: datetime | None
    reason: str
    appealed: bool
    outcome: AppealOutcome | None
    outcome_reason: str


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """Why the decision on a notice is wrong, in its sender's own words."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TEXT)]


class Objected(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who took no part decides it."""

    appeal: AppealId
    notice: NoticeId


def notice_routes(queue: Queue, once: Once, parse: Parse, clock: Clock) -> list[ControllerRouterHandler]:
    return [*_reporting(once, parse, clock), *_hearing(queue, clock)]


def _reporting(once: Once, parse: Parse, clock: Clock) -> list[ControllerRouterHandler]:
    rate = Rate(_AT_ONCE, _EACH)

    @post("/v1/notices", status_code=HTTPStatus.CREATED)
    async def report(request: TokenRequest, data: JSONBody[Notice], key: Key = None) -> Receipt:
        """Report a message. Without a token, ten at once and ten an hour.

        A person decides, also where the text of the message is not kept: then by what the notice says. Whether it is
        kept is told to nobody but the message's own source, which is asked to send it along.
        """
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
        review.demand_said(data.why, good_faith=data.good_faith)
        if message is None:
            async with evenly():
                return await once.act(request, key, lambda run: _named(run, data, by, clock), Receipt)

        def act(running: Proceedings) -> Receipt:
            (own,) = by_account(running, [message])
            return Receipt(notice=review.notice(running, _notice(data, own), clock.now()).notice)

        return await once.act(request, key, act, Receipt)

    return [report]


def _hearing(queue: Queue, clock: Clock) -> list[ControllerRouterHandler]:
    @get("/v1/notices/{notice:str}")
    async def hear(notice: NoticePath) -> Heard:
        """What was decided on a notice, for whoever has its number."""
        return await queue.read(lambda running: _heard(reports.heard(running, NoticeId(notice))))

    @post("/v1/notices/{notice:str}/appeals", status_code=HTTPStatus.CREATED)
    async def object_to(notice: NoticePath, data: JSONBody[Objection]) -> Objected:
        """Its sender appeals against what was decided, within the agreement's time for appeals."""
        id_ = NoticeId(notice)
        filed = await queue.act(lambda running: reports.object_to(running, id_, data.text, clock.now()))
        return Objected(appeal=filed.appeal, notice=id_)

    return [hear, object_to]


def _named(running: Proceedings, data: Notice, by: Token | None, clock: Clock) -> Receipt:
    """Of a message that is only named. Raises `ProblemError` to a source whose own message's text is not kept."""
    source, id_ = data.source or (by.name if by else ""), MessageId(data.id or data.where)
    if by is not None and source == by.name and running.store.message(source, id_) is None:
        detail = "The text of that message is not kept here. Send it along, as `content`."
        raise ProblemError(HTTPStatus.NOT_FOUND, detail)
    now = clock.now()
    notice = reports.report(running, source, id_, lambda message: _notice(data, message), now, channel=data.channel)
    return Receipt(notice=notice)


def _notice(data: Notice, message: Message) -> review.Notice:
    return review.Notice(
        message=message,
        where=data.where,
        why=data.why,
        good_faith=data.good_faith,
        origin=data.origin,
        clause=data.clause,
        notifier=Notifier(name=data.name, contact=data.contact),
        quote=data.quote,
    )


def _heard(one: reports.Heard) -> Heard:
    decided = Decision.CONFIRMED if one.told and one.told.confirmed else Decision.DISMISSED
    return Heard(
        notice=one.id,
        decision=decided if one.told else Decision.WAITING,
        decided=one.told.at if one.told else None,
        reason=one.reason,
        appealed=one.appealed,
        outcome=one.outcome.outcome if one.outcome else None,
        outcome_reason=one.outcome.why if one.outcome else "",
    )


def _given(data: Notice, by: Token | None, parse: Parse) -> Message | None:
    """The message that a source reports whole. Raises `ProblemError`."""
    if by is None and (data.content is not None or data.origin is not Origin.USER):
        raise ProblemError(HTTPStatus.FORBIDDEN, "Only a source, with its token, may give `content` or an `origin`.")
    if not (data.id or data.where or data.content):
        detail = "Say what is reported: the message's `source` and `id`, or `where` it can be seen."
        raise ProblemError(HTTPStatus.BAD_REQUEST, detail)
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
