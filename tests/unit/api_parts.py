"""A service for tests: one record in memory, a token a role, and requests to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from litestar.testing import TestClient
from test_flow_record import NOW, World

from comity.api.app import Parts, addresses, make_app
from comity.api.ending import Ending
from comity.app.serve import parse
from comity.flow.desk import Desk
from comity.flow.links import Links, Purpose
from comity.flow.mail import Postman
from comity.flow.message import Proceedings
from comity.flow.webhooks import Courier
from comity.model.access import GIVEN, Role, Token, TokenId
from comity.model.ids import Channel, DecisionId
from comity.ports import UnreachableError, WebhookLink
from comity.stores.mails import MailFile
from comity.stores.replies import ReplyFile
from comity.stores.webhooks import WebhookFile
from comity.stores.world import CountedEntropy, FixedClock

SECRETS = {role: f"comity_{role.name.lower()}" for role in GIVEN}
TOLD: list[dict[str, object]] = []
"""What was written to the log."""
LINKS = Links(b"k" * 32)


class KnownTokens:
    """One token a role, for all channels, and one source that may only use mail."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.known = {secret: self.token(role, None) for role, secret in SECRETS.items()}
        self.known["comity_mail"] = self.token(Role.SOURCE, frozenset({Channel("mail")}))

    def token(self, role: Role, channels: frozenset[Channel] | None) -> Token:
        end = NOW + timedelta(days=30)
        return Token(id=TokenId(role), name=f"a {role}", role=role, channels=channels, created=NOW, expires=end)

    def find(self, hashed: bytes, at) -> Token | None:
        found = (token for secret, token in self.known.items() if sha256(secret.encode()).digest() == hashed)
        return next((token for token in found if token.expires > at), None)


class NoAcks:
    def add(self, ack) -> None:
        self.last = ack

    def every(self) -> list:
        return [self.last] if hasattr(self, "last") else []

    def first_after(self, gate, seq):
        return next((each for each in self.every() if each.cursor >= seq), None)


def current(world: World) -> Proceedings:
    """The world's own proceedings, or new ones in their place."""
    if world.proceedings.is_spent:
        world.proceedings = world.again()
    return world.proceedings


class NoLink:
    def post(self, hook, headers, body) -> int:
        raise UnreachableError("there is nothing outside")


def parts(world: World, folder: Path, link: WebhookLink | None = None, postman: Postman | None = None) -> Parts:
    hooks = WebhookFile(folder / "webhooks.db")
    return Parts(
        desk=Desk(world.store, lambda: current(world)),
        reading=world.store,
        apart=world.store,
        log=world.log,
        tokens=KnownTokens(world.clock),
        acks=NoAcks(),
        replies=ReplyFile(folder / "replies.db"),
        secret=b"s" * 32,
        hooks=hooks,
        courier=Courier(
            world.store, hooks, link or NoLink(), world.clock, CountedEntropy(), addresses(LINKS, "https://example.org")
        ),
        mails=MailFile(folder / "mail.db"),
        postman=postman,
        links=LINKS,
        clock=world.clock,
        parse=parse,
        zone=ZoneInfo("UTC"),
        url="https://example.org",
        ending=Ending(),
        tell=lambda what, fields: TOLD.append({"what": what, **fields}),
        warnings=("nothing vouches for the ledger",),
    )


@contextmanager
def serving(
    world: World, folder: Path, link: WebhookLink | None = None, postman: Postman | None = None
) -> Iterator[TestClient]:
    with TestClient(make_app(parts(world, folder, link, postman), "1"), raise_server_exceptions=False) as client:
        yield client


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def as_(role: Role, **more: str) -> dict[str, str]:
    """Headers with that role's token; `If_Match="1"` becomes `If-Match`."""
    return {**bearer(SECRETS[role]), **{name.replace("_", "-"): value for name, value in more.items()}}


def by_link(statement: str) -> dict[str, str]:
    """Headers with the statement's own link."""
    return {"Authorization": f"Link {LINKS.token(Purpose.STATEMENT, DecisionId(statement))}"}
