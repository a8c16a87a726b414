"""One account in the console, its statements, and the appeals that came in its name by a link that many may have."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from comity.casework.refused import RefusedError
from comity.console.case import Desk
from comity.console.queue import titles
from comity.console.refusals import PageError
from comity.console.sent import Sent
from comity.console.shell import onward
from comity.console.told import told
from comity.console.visit import PageRequest
from comity.flow import account as flow
from comity.flow import amend, appeal, review, subject
from comity.flow.agreement import Versions
from comity.flow.links import Links, Purpose
from comity.flow.message import Proceedings
from comity.flow.preview import Statement
from comity.flow.reached import last_changes, reached, reached_lines
from comity.model.access import Role
from comity.model.ids import AccountId, AppealId, DecisionId, ReviewerId
from comity.ports import GateAcks

_BACK: Final = ("/console/accounts", "To the accounts")
Asked = Annotated[str, QueryParameter(max_length=1_024)]
StatementPath = Annotated[str, PathParameter(max_length=100)]
Why = Annotated[str, msgspec.Meta(max_length=10_000)]


class Settling(Sent, frozen=True):
    """Whether an offered appeal is the account's: `take` or `decline`."""

    act: Annotated[str, msgspec.Meta(max_length=20)]


class Amending(Sent, frozen=True):
    """`lift`, `correct` or `link`. `instead`: of a correction, milder measures as the ladder's rows are written."""

    act: Annotated[str, msgspec.Meta(max_length=20)]
    why: Why = ""
    instead: Annotated[str, msgspec.Meta(max_length=1_000)] = ""


def account_routes(of: Desk, links: Links, url: str, gates: GateAcks) -> list[ControllerRouterHandler]:
    return [*_accounts(of, gates), *_statements(of, links, url)]


def _accounts(of: Desk, gates: GateAcks) -> list[ControllerRouterHandler]:
    offers = flow.Offers()

    @get("/console/accounts")
    async def account(request: PageRequest, account: Asked = "", done: Asked = "") -> Response[str]:
        """One account by its id, which stands in no path since it may be anything."""
        now, wanted = of.clock.now(), account.strip()
        versions = await of.asks.read(_versions)
        account_ = AccountId(wanted)
        found = await of.reader.look(lambda store: flow.dossier(store, versions, account_, now)) if wanted else None
        waiting = () if wanted else await of.reader.look(offers.now)
        status = HTTPStatus.NOT_FOUND if wanted and found is None else HTTPStatus.OK
        named = titles(versions)
        clauses = {
            one.id: ", ".join(named.get(each, each) for each in one.clauses)
            for one in (found.record.decisions if found else ())
        }
        arrived = await _arrived(of, gates, found) if found else ()
        told_ = {"found": found, "clauses": clauses, "wanted": wanted, "offered": waiting, "done": done, "now": now}
        return of.shell.answer(request, "account", status=status, arrived=arrived, **told_)

    @post("/console/offers/{offer:str}", status_code=HTTPStatus.OK)
    async def settle(request: PageRequest, offer: StatementPath, data: URLEncodedBody[Settling]) -> Redirect:
        """Take up an offered appeal as the account's, or say that it is not."""
        by, now = request.auth.name, of.clock.now()
        await of.asks.act(lambda running: _settled(running, AppealId(offer), data.act, by, now))
        return onward(f"/console/accounts?done={'taken' if data.act == 'take' else 'declined'}")

    return [account, settle]


async def _arrived(of: Desk, gates: GateAcks, found: flow.Dossier) -> tuple[str, ...]:
    """At which gates the account's last changes are in force, in words; nothing where no gate is concerned."""
    channels = [each.channel for each in found.standings]
    changes = await of.reader.look(lambda store: last_changes(store, found.record.account, channels))
    at = reached(changes, gates)
    return tuple(reached_lines(at, found.standings)) if at else ()


def _statements(of: Desk, links: Links, url: str) -> list[ControllerRouterHandler]:
    async def page(request: PageRequest, id_: DecisionId, *, new_link: str = "", problem: str = "") -> Response[str]:
        versions = await of.asks.read(_versions)
        found = await of.reader.look(lambda store: flow.decision(store, versions, id_))
        if found is None:
            detail = "It may have been erased with its account's data."
            raise PageError(HTTPStatus.NOT_FOUND, "There is no such statement", detail, back=_BACK)
        one, version = found
        (shown,) = told([Statement(one=one, agreement=version)], of.shell.zone)
        may_lift = any(each.channels and not each.is_over(of.clock.now()) for each in one.measures) and one.is_live
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        told_ = {"one": one, "shown": shown, "may_lift": may_lift, "new_link": new_link, "problem": problem}
        return of.shell.answer(request, "console_statement", status=status, **told_)

    @get("/console/statements/{statement:str}")
    async def statement(request: PageRequest, statement: StatementPath) -> Response[str]:
        return await page(request, DecisionId(statement))

    @post("/console/statements/{statement:str}", status_code=HTTPStatus.OK)
    async def amended(request: PageRequest, statement: StatementPath, data: URLEncodedBody[Amending]) -> Response[str]:
        """Lift the measures, correct the statement, or replace its link, which is shown once."""
        id_, by, now = DecisionId(statement), request.auth.name, of.clock.now()
        if data.act == "link" and Role.OPERATOR not in request.auth.roles:
            detail = "The link shows everything, and whoever has it can appeal in the account's name."
            raise PageError(HTTPStatus.FORBIDDEN, "Only an operator replaces a link", detail, back=_BACK)
        try:
            await of.asks.act(lambda running: _amended(running, id_, data, by, now))
        except RefusedError as error:
            return await page(request, id_, problem=f"Refused: {error}.")
        if data.act != "link":
            return await page(request, id_)
        path = await of.asks.read(lambda running: _own_path(running, links, id_))
        return await page(request, id_, new_link=url + path)

    return [statement, amended]


def _versions(running: Proceedings) -> Versions:
    return running.versions


def _own_path(running: Proceedings, links: Links, id_: DecisionId) -> str:
    one = running.record(review.account_of(running, id_)).decision(id_)
    return subject.path(links, Purpose.STATEMENT, one) if one else ""


def _settled(running: Proceedings, offer: AppealId, act: str, by: ReviewerId, now: datetime) -> None:
    if act == "take":
        appeal.take_offer(running, offer, now, by=by)
    elif act == "decline":
        appeal.decline_offer(running, offer, by, now)
    else:
        raise RefusedError(f"there is no act {act!r}")


def _amended(running: Proceedings, id_: DecisionId, data: Amending, by: ReviewerId, now: datetime) -> None:
    why = data.why.replace("\r\n", "\n").strip()
    match data.act:
        case "lift":
            amend.lift(running, id_, by, why, now)
        case "correct":
            amend.correct(running, id_, by, why, now, instead=data.instead.strip() or None)
        case "link":
            subject.replace_link(running, id_, by, now)
        case _:
            raise RefusedError(f"there is no act {data.act!r}")
