"""People and tokens: who may sign in with which roles, and what machines bring. Secrets are shown once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.params import URLEncodedBody
from litestar.types import ControllerRouterHandler

from comity.casework.refused import RefusedError
from comity.console.case import Desk
from comity.console.sent import Sent
from comity.console.visit import PageRequest
from comity.flow import machines, staff
from comity.flow.message import Proceedings
from comity.flow.sign_in import SignIn
from comity.model.access import GIVEN, Role, TokenId
from comity.model.ids import Channel, ReviewerId
from comity.model.user import STAFF
from comity.ports import Entropy, TokenList, Users

_DAYS: Final = 365
Name = Annotated[str, msgspec.Meta(max_length=200)]


class Acting(Sent, frozen=True):
    """What is done to one of the people. A role is ticked, or not sent."""

    act: Annotated[str, msgspec.Meta(max_length=20)]
    name: Name
    reviewer: str = ""
    appeals_reviewer: str = ""
    operator: str = ""
    auditor: str = ""

    @property
    def roles(self) -> frozenset[Role]:
        ticked = {
            Role.REVIEWER: self.reviewer,
            Role.APPEALS_REVIEWER: self.appeals_reviewer,
            Role.OPERATOR: self.operator,
            Role.AUDITOR: self.auditor,
        }
        return frozenset(role for role, value in ticked.items() if value)


class Making(Sent, frozen=True):
    """A new token. `channels`: their names with commas between; none: all."""

    name: Name
    role: Annotated[str, msgspec.Meta(max_length=40)]
    channels: Annotated[str, msgspec.Meta(max_length=1_000)] = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=machines.LONGEST_DAYS)] = _DAYS


class Revoking(Sent, frozen=True):
    id: Annotated[str, msgspec.Meta(max_length=40)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """What the page needs besides the desk. `url`: where the service is reached."""

    users: Users
    tokens: TokenList
    sign_in: SignIn
    entropy: Entropy
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What is shown once, what for, and what was done or refused."""

    secret: str = ""
    what: str = ""
    done: str = ""
    problem: str = ""


_NOTHING: Final = Made()


def people_routes(of: Desk, with_: Staff) -> list[ControllerRouterHandler]:
    async def page(request: PageRequest, made: Made = _NOTHING) -> Response[str]:
        channels = await of.asks.read(_channels)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if made.problem else HTTPStatus.OK
        told: dict[str, object] = {"users": with_.users.every(), "tokens": with_.tokens.every(), "made": made}
        told |= {"channels": channels, "staff": STAFF, "given": GIVEN, "now": of.clock.now(), "days": _DAYS}
        return of.shell.answer(request, "people", status=status, **told)

    async def done(request: PageRequest, work: Callable[[], Made]) -> Response[str]:
        try:
            made = work()
        except RefusedError as error:
            made = Made(problem=f"Refused: {error}.")
        return await page(request, made)

    @get("/console/people")
    async def people(request: PageRequest) -> Response[str]:
        return await page(request)

    @post("/console/people", status_code=HTTPStatus.OK)
    async def act(request: PageRequest, data: URLEncodedBody[Acting]) -> Response[str]:
        """Add somebody, give roles, let in again, remove."""
        return await done(request, lambda: _acted(of, with_, data, request.auth.name))

    @post("/console/tokens", status_code=HTTPStatus.OK)
    async def make(request: PageRequest, data: URLEncodedBody[Making]) -> Response[str]:
        """Its secret is on the page that answers, and nowhere after that."""
        known = await of.asks.read(_channels)
        return await done(request, lambda: _made(of, with_, data, known))

    @post("/console/tokens/revoke", status_code=HTTPStatus.OK)
    async def revoke(request: PageRequest, data: URLEncodedBody[Revoking]) -> Response[str]:
        """Refused from now on."""
        return await done(request, lambda: _revoked(with_, TokenId(data.id)))

    return [people, act, make, revoke]


def _acted(of: Desk, with_: Staff, data: Acting, by: ReviewerId) -> Made:
    users, now, name = with_.users, of.clock.now(), data.name.strip().lower()
    match data.act:
        case "add":
            token = staff.add(users, with_.sign_in, name, data.roles, now)
            return Made(secret=f"{with_.url}/enter/{token}", what=f"This link signs {name} in once, within a day.")
        case "link":
            token = staff.link(users, with_.sign_in, name, now)
            return Made(secret=f"{with_.url}/enter/{token}", what=f"This link signs {name} in once, within a day.")
        case "roles":
            staff.give_roles(users, name, data.roles, by)
            return Made(done=f"{name} has other roles from the next page on.")
        case "unlock":
            staff.unlock(users, name)
            return Made(done=f"{name} can try again at once.")
        case "remove":
            staff.remove(users, name, by)
            return Made(done=f"{name} was removed and is signed out everywhere.")
        case _:
            raise RefusedError(f"there is no act {data.act!r}")


def _made(of: Desk, with_: Staff, data: Making, known: frozenset[Channel]) -> Made:
    wanted = frozenset(Channel(each.strip()) for each in data.channels.split(",") if each.strip())
    if data.role not in GIVEN:
        raise RefusedError(f"no token can have the role {data.role!r}")
    if not wanted <= known:
        raise RefusedError(
            f"the agreement has the channels {', '.join(sorted(known))}, not {', '.join(wanted - known)}"
        )
    token, secret = machines.make(
        with_.tokens,
        with_.entropy,
        of.clock.now(),
        name=data.name,
        role=Role(data.role),
        channels=wanted,
        days=data.days,
    )
    return Made(secret=secret, what=f"The token of {token.name}, a {token.role}. Put it where the program reads it.")


def _revoked(with_: Staff, id_: TokenId) -> Made:
    if not with_.tokens.revoke(id_):
        raise RefusedError(f"there is no token {id_}")
    return Made(done=f"The token {id_} is refused from now on.")


def _channels(running: Proceedings) -> frozenset[Channel]:
    """Of all versions: a token may be for one that is only to come."""
    return running.versions.channels
