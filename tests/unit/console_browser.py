"""The console over a record in memory, and a browser that keeps cookies and sends forms as they stand on a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from api_parts import LINKS, current
from litestar import Litestar, Router
from litestar.testing import TestClient
from test_flow_record import KEY, NOW, World

from comity.api.desk import Queue
from comity.console.alike import Likeness
from comity.console.app import Parts, console
from comity.console.asking import Reader
from comity.console.assets import asset_routes
from comity.console.checking import Checks
from comity.console.lately import Measuring
from comity.console.more import More, more_routes
from comity.console.numbers import Counting
from comity.console.pages import Pages
from comity.console.people import Staff
from comity.console.public import Public
from comity.flow.desk import Desk
from comity.flow.sign_in import SignIn
from comity.ledger.log import VKEY_PATH
from comity.model.access import GateAck, Role, Token
from comity.model.ids import ReviewerId
from comity.model.user import User
from comity.stores.passwords import Argon2
from comity.stores.tokens import TokenFile
from comity.stores.users import UserFile
from comity.stores.world import CountedEntropy, MemoryCounts

PLACE = "https://console.example.org"


class Form(HTMLParser):
    """The first form of a page that is sent to `action`, with the values that it has."""

    def __init__(self, page: str, action: str) -> None:
        super().__init__()
        self._action, self._is_inside, self.fields = action, False, dict[str, list[str]]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form":
            self._is_inside = told.get("action") == self._action and not self.fields
        is_chosen = told.get("type") not in ("radio", "checkbox") or "checked" in told
        if self._is_inside and tag in ("input", "button") and "name" in told and "disabled" not in told and is_chosen:
            self.fields.setdefault(told["name"] or "", []).append(told.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "form"


class Apart:
    """Another browser's cookies, put in the place of the first one's for each request."""

    def __init__(self, client: TestClient[Litestar]) -> None:
        self._client, self.cookies = client, httpx.Cookies()

    def get(self, path: str, **options: object) -> httpx.Response:
        return self._request("GET", path, **options)

    def post(self, path: str, **options: object) -> httpx.Response:
        return self._request("POST", path, **options)

    def _request(self, method: str, path: str, **options: object) -> httpx.Response:
        theirs, self._client.cookies = httpx.Cookies(self._client.cookies), self.cookies
        told = self._client.request(method, path, **options)
        self.cookies, self._client.cookies = httpx.Cookies(self._client.cookies), theirs
        return told


class Browser:
    """One person at one browser."""

    def __init__(self, client: TestClient[Litestar] | Apart, served: Served) -> None:
        self.client, self.served = client, served

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path, follow_redirects=False)

    def send(self, path: str, action: str | None = None, **fields: str | list[str]) -> httpx.Response:
        """Fills in the form on the page `path`."""
        return self.send_on(self.get(path).text, action or path, **fields)

    def send_on(self, page: str, action: str, **fields: str | list[str]) -> httpx.Response:
        """Fills in a form of a page that was loaded before."""
        form = Form(page, action)
        assert "csrf" in form.fields, f"there is no form for {action}"
        return self.client.post(action, data={**form.fields, **fields}, follow_redirects=False)

    def sign_in(self, name: str, *roles: Role) -> None:
        self.served.users.put(User(name=ReviewerId(name), roles=frozenset(roles), created=NOW))
        link = self.served.sign_in.make_link(ReviewerId(name), self.served.world.clock.now())
        assert self.send(f"/enter/{link}").status_code == 303


class KnownGates:
    """What gates have acknowledged."""

    def __init__(self) -> None:
        self.acks: list[GateAck] = []

    def add(self, *acks: GateAck) -> None:
        self.acks.extend(acks)

    def every(self) -> list[GateAck]:
        return self.acks

    def first_after(self, gate: str, seq: int) -> GateAck | None:
        return next((ack for ack in self.acks if ack.gate == gate and ack.cursor >= seq), None)


class Served:
    """The console of one record, its people and its machines."""

    def __init__(self, world: World, folder: Path, *, is_secure: bool = False) -> None:
        world.log.files[VKEY_PATH] = f"{KEY.verifier}\n".encode()
        self.world, self.users = world, UserFile(folder / "access.db")
        self.tokens, self.gates, self.checks = TokenFile(folder / "access.db"), KnownGates(), Checks(world.log)
        self.sign_in = SignIn(self.users, Argon2(), CountedEntropy())
        self.reader = Reader(world.store)
        self.asks = Queue(Desk(world.store, lambda: current(world)), lambda: None)
        self.parts = Parts(
            pages=Pages(ZoneInfo("UTC")),
            asks=self.asks,
            reader=self.reader,
            sign_in=self.sign_in,
            clock=world.clock,
            entropy=CountedEntropy("cookies"),
            zone=ZoneInfo("UTC"),
            is_secure=is_secure,
            blurs=True,
            likeness=Likeness(self.reader),
        )
        self.app = Litestar(
            [asset_routes(), self.console()],
            on_startup=[self.asks.start],
            on_shutdown=[self.asks.stop],
            openapi_config=None,
        )

    def console(self) -> Router:
        """All of its pages."""
        public = Public(
            asks=self.asks,
            log=self.world.log,
            clock=self.world.clock,
            zone=self.parts.zone,
            pages=self.parts.pages,
            url=PLACE,
            checks=self.checks,
            counting=Counting(self.reader, MemoryCounts()),
            measuring=Measuring(self.reader, MemoryCounts()),
        )
        staff = Staff(
            users=self.users,
            tokens=self.tokens,
            sign_in=self.sign_in,
            entropy=CountedEntropy("tokens"),
            url=PLACE,
        )
        more = More(public=public, links=LINKS, gates=self.gates, staff=staff)
        return console(self.parts, lambda desk: more_routes(desk, more))

    def token(self, secret: str, at: datetime) -> Token | None:
        return self.tokens.find(sha256(secret.encode()).digest(), at)

    @contextmanager
    def browser(self) -> Iterator[Browser]:
        with TestClient(self.app, base_url=PLACE, raise_server_exceptions=True) as client:
            yield Browser(client, self)

    def another(self, browser: Browser) -> Browser:
        """Of somebody else, with cookies of its own, over the same connection."""
        return Browser(Apart(browser.client), self)

    def close(self) -> None:
        self.reader.close()
        self.checks.close()
        self.users.close()
        self.tokens.close()


@contextmanager
def reviewing(world: World, folder: Path) -> Iterator[Browser]:
    """The console, with mara signed in, who reviews."""
    served = Served(world, folder)
    with served.browser() as browser:
        browser.sign_in("mara", Role.REVIEWER)
        yield browser
    served.close()
