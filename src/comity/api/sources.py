"""What sources report of accounts: acceptances, handles, contacts, deliveries, attestations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import post, put
from litestar.params import JSONBody, PathParameter
from litestar.types import ControllerRouterHandler

from comity.api.access import TokenRequest, demand_channel
from comity.api.once import Key, Once
from comity.api.times import Time, in_utc
from comity.casework.facts import AcceptedBy, ContactGiven, HandleGiven, How
from comity.flow import accounts, amend
from comity.flow.message import Proceedings
from comity.model.access import Role
from comity.model.ids import AccountId, Channel, DecisionId, Digest
from comity.ports import Clock

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
Statement = Annotated[str, PathParameter(pattern="^[0-9a-f]{32}$", description="The statement's id.")]


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """The account accepted a version; without one, the last published.

    `by`: `notice` if it was told of the version and has not answered; it is refused unless the agreement that binds
    the account says that going on counts.
    """

    account: Line
    agreement: Digest | None = None
    language: str | None = None
    by: AcceptedBy = AcceptedBy.ACCOUNT


class Handle(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel calls the account, from `since` (now, if left out) until `until`."""

    account: Line
    channel: Line
    handle: Line
    since: Time | None = None
    until: Time | None = None


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """The e-mail address that the account is written to, in place of any before; empty: it is written to no more."""

    account: Line
    address: Annotated[str, msgspec.Meta(max_length=254)]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """When the account got the statement; now, if left out."""

    at: Time | None = None


class Attestation(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that a measure lasts until is met."""

    statement: DecisionId
    condition: Line


def _accept(running: Proceedings, data: Acceptance, now: datetime) -> None:
    accounts.accept(running, AccountId(data.account), data.agreement, data.language, now, by=data.by)


async def _done(once: Once, request: TokenRequest, key: str | None, work: Callable[[Proceedings], object]) -> None:
    def act(running: Proceedings) -> None:
        work(running)

    await once.act(request, key, act, type(None))


def source_routes(once: Once, clock: Clock) -> list[ControllerRouterHandler]:
    @post("/v1/acceptances", status_code=HTTPStatus.NO_CONTENT)
    async def accept(request: TokenRequest, data: JSONBody[Acceptance], key: Key = None) -> None:
        """An account is bound by a version from now on."""
        now = clock.now()
        await _done(once, request, key, lambda running: _accept(running, data, now))

    @put("/v1/handles", status_code=HTTPStatus.NO_CONTENT)
    async def handle(request: TokenRequest, data: JSONBody[Handle], key: Key = None) -> None:
        """Say what a channel calls an account. A handle belongs to at most one account at a time."""
        demand_channel(request.auth, Channel(data.channel))
        given = HandleGiven(
            account=AccountId(data.account),
            at=clock.now(),
            channel=Channel(data.channel),
            handle=data.handle,
            since=in_utc(data.since or clock.now()),
            until=in_utc(data.until) if data.until else None,
        )
        await _done(once, request, key, lambda running: accounts.give_handle(running, given))

    @put("/v1/contacts", status_code=HTTPStatus.NO_CONTENT)
    async def contact(request: TokenRequest, data: JSONBody[Contact], key: Key = None) -> None:
        """Say where an account is written to. It is kept with its data, and erased with them."""
        given = ContactGiven(account=AccountId(data.account), at=clock.now(), address=data.address)
        await _done(once, request, key, lambda running: accounts.give_contact(running, given))

    @post("/v1/statements/{statement:str}/delivered", status_code=HTTPStatus.NO_CONTENT)
    async def delivered(request: TokenRequest, statement: Statement, data: JSONBody[Delivery], key: Key = None) -> None:
        """The account was shown the statement; the earliest time counts."""
        how = How.GATE if request.auth.role is Role.GATE else How.SOURCE
        at = in_utc(data.at or clock.now())
        await _done(once, request, key, lambda running: amend.deliver(running, DecisionId(statement), how, at))

    @post("/v1/attestations", status_code=HTTPStatus.NO_CONTENT)
    async def attest(request: TokenRequest, data: JSONBody[Attestation], key: Key = None) -> None:
        """A measure ends when all of its conditions are met."""
        by, now = request.auth.name, clock.now()
        await _done(once, request, key, lambda running: amend.attest(running, data.statement, data.condition, by, now))

    return [accept, handle, contact, delivered, attest]
