"""Every form of every page, filled in by somebody who means no good: always an answer that says what to do.

`FORMS_SECONDS=600` goes on for ten minutes, `FORMS_SEED` otherwise.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from console_browser import PLACE, Browser, Served
from console_site import link, routers
from litestar import Litestar
from litestar.testing import TestClient
from test_flow_record import World, agreement

from comity.console.asking import Reader
from comity.model.ids import DecisionId
from comity.model.routes import PEOPLE
from comity.model.user import STAFF

SECONDS = float(os.environ.get("FORMS_SECONDS", "0"))
SEED = int(os.environ.get("FORMS_SEED", "1"))
ROUNDS = 300
ANSWERS = {200, 303, 400, 403, 404, 409, 412, 413, 415, 422, 429}
VALUES = (
    b"",
    b"x",
    b"%00",
    b"%FF%FE",
    b"%ED%A0%80",
    b"%",
    b"%E2%80%AE%E2%80%8B",
    b"-1",
    b"0",
    b"1e309",
    b"999999999999999999999999999999",
    b"NaN",
    b"2026-13-45T99:99",
    b"9999-12-31T23:59",
    b"0001-01-01T00:00",
    b"%0D%0ASet-Cookie:+a=b",
    b"//elsewhere.example",
    b"..%2F..%2Fetc%2Fpasswd",
    b"%3Cscript%3Erun()%3C/script%3E",
    b"{{7*7}}%27+or+1=1--",
    b"suspend+|+posts+|+3+days",
    b"remove",
    b"dismiss",
    b"own",
    b"spam",
    b"all",
    "ß漢🜨".encode(),
    b"0" * 32,
    b"y" * 70_000,
)
TYPES = ("application/x-www-form-urlencoded",) * 8 + (
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=no-such",
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    "application/json",
    "text/plain",
    "",
)


@pytest.fixture
def world() -> World:
    return World(agreement("| 1 | remove, suspend | posts | 2 days |", "decide=review"), "live")


@pytest.fixture
def statement(world: World) -> DecisionId:
    found = world.say("other").statement
    assert found is not None
    return found


@pytest.fixture
def everybody(world: World, tmp_path: Path) -> Iterator[Browser]:
    """Somebody with all roles, before all pages."""
    served, reader = Served(world, tmp_path), Reader(world.store)
    app = Litestar(
        [served.console(), *routers(world, served.asks, reader)],
        on_startup=[served.asks.start],
        on_shutdown=[served.asks.stop],
        openapi_config=None,
    )
    with TestClient(app, base_url=PLACE, raise_server_exceptions=False) as client:
        browser = Browser(client, served)
        browser.sign_in("all", *STAFF)
        yield browser
    reader.close()
    served.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A form of a page. `fields`: their names with what stands in them."""

    method: str
    action: str
    fields: tuple[tuple[str, str], ...]


class Forms(HTMLParser):
    """The forms of a page; a button that sends elsewhere makes another."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found = list[Asked]()
        self._open: tuple[str, str, list[tuple[str, str]], list[str]] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = told.get("method", "get"), told.get("action", ""), [], []
        elif self._open and tag in ("input", "textarea", "select", "button"):
            if "name" in told:
                self._open[2].append((told["name"], told.get("value", "")))
            self._open[3].extend([told["formaction"]] if "formaction" in told else [])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._open:
            method, action, fields, others = self._open
            self.found += [Asked(method=method, action=each, fields=tuple(fields)) for each in (action, *others)]
            self._open = None


def pages(world: World, browser: Browser, statement: DecisionId) -> Iterator[str]:
    """Every page, with what there is to decide on it."""
    for route in PEOPLE:
        method, path = route.split()
        if method == "GET" and "{" not in path:
            yield path
    yield link(world, statement)
    yield from (f"/console/{what}/{id_}" for id_, _ in world.store.waiting() for what in ("cases", "appeals"))
    yield f"/console/statements/{statement}"
    yield "/console/accounts?account=ann"
    yield "/console/bulk?clause=spam"


def forms_of(world: World, browser: Browser, statement: DecisionId) -> list[Asked]:
    own = link(world, statement)
    browser.client.post("/notice", data={"source": "s", "id": "1", "why": "It is.", "good_faith": "yes"})
    browser.client.post(f"{own}/appeal", data={"text": "No."})
    found = [form for path in pages(world, browser, statement) for form in Forms(browser.get(path).text).found]
    sent = {"cases": "decision", "appeals": "outcome"}
    found += [
        replace(each, action=each.action.replace("preview", sent[each.action.split("/")[2]]))
        for each in found
        if each.action.endswith("/preview")
    ]
    return [each for each in dict.fromkeys(found) if each.action.startswith("/") and "sign-out" not in each.action]


def body_of(form: Asked, chance: random.Random) -> bytes:
    """Some fields as they are, some hostile, some twice, some missing, some that the form does not have."""
    parts = list[bytes]()
    for name, value in form.fields:
        given = quote_plus(value).encode()
        is_kept = name == "csrf" or chance.random() < 0.6
        for _ in range(chance.choice((0, 1, 1, 1, 1, 2, 3)) if name != "csrf" else 1):
            parts.append(quote_plus(name).encode() + b"=" + (given if is_kept else chance.choice(VALUES)))
    if chance.random() < 0.2:
        parts.append(chance.choice((b"role=operator", b"account=eve", b"by=mara", b"=", b"&&", b"csrf=x", b"a%00=1")))
    chance.shuffle(parts)
    return b"&".join(parts)


def test_no_form_breaks_by_what_is_filled_in(world: World, everybody: Browser, statement: DecisionId) -> None:
    forms = forms_of(world, everybody, statement)
    assert len({each.action.split("?")[0] for each in forms}) >= 19, sorted(each.action for each in forms)
    chance, until, count = random.Random(SEED), time.monotonic() + SECONDS, 0
    while count < ROUNDS or time.monotonic() < until:
        count += 1
        if count % 100 == 0:
            everybody.sign_in("all", *STAFF)  # somebody may have taken their roles
            world.say("spam", author=f"a{count}")
            forms = forms_of(world, everybody, statement)  # what was decided has no form any more
        form, kind = chance.choice(forms), chance.choice(TYPES)
        body = body_of(form, chance)
        if form.method == "get":
            told = everybody.client.get(f"{form.action}?{body[:20_000].decode()}", follow_redirects=False)
        else:
            headers = {"Accept": "text/html"} | ({"Content-Type": kind} if kind else {})
            told = everybody.client.post(form.action, content=body, headers=headers, follow_redirects=False)
        assert told.status_code in ANSWERS, (
            form.method,
            form.action,
            kind,
            body[:600],
            told.status_code,
            told.text[:800],
        )
        assert "<script>run" not in told.text, (form.action, body[:600])
        assert not told.headers.get("Location", "/").startswith(("//", "http")), (form.action, told.headers)
        assert "a=b" not in told.headers.get("Set-Cookie", "")
