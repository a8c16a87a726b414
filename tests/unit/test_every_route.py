"""What holds for every route of the whole service: nothing sent is script, no other site acts, nobody frames."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from api_parts import as_, parts
from console_browser import Browser, Served
from console_site import link, routers
from litestar.testing import TestClient
from test_flow_record import World, agreement

from comity.api.app import make_app
from comity.casework.case_facts import Noticed
from comity.console.asking import Reader
from comity.console.pages import Pages
from comity.console.problems import problem_page
from comity.flow.links import Purpose
from comity.model.access import Role
from comity.model.ids import DecisionId
from comity.model.routes import PEOPLE
from comity.model.user import STAFF

KINDS = {"s": Purpose.STATEMENT, "r": Purpose.REFUSAL}
SCRIPT = "\"'><script>run()</script><img src=x onerror=run()>"
AS_BROWSERS = {"Accept": "text/html"}
ELSEWHERE = {**AS_BROWSERS, "Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}


@pytest.fixture
def world() -> World:
    return World(agreement("| 1 | suspend | posts | 2 days |"), "live")


@pytest.fixture
def statement(world: World) -> DecisionId:
    found = world.say("spam").statement
    assert found is not None
    return found


@pytest.fixture
def everybody(world: World, tmp_path: Path) -> Iterator[Browser]:
    """Somebody with all roles, at a browser, before the whole service."""
    served, reader = Served(world, tmp_path), Reader(world.store)
    page = partial(problem_page, Pages(ZoneInfo("UTC")))
    app = make_app(parts(world, tmp_path), "1", lambda queue: [served.console(), *routers(world, queue, reader)], page)
    with TestClient(app, base_url="https://console.example.org", raise_server_exceptions=False) as client:
        browser = Browser(client, served)
        browser.sign_in("all", *STAFF)
        yield browser
    reader.close()
    served.close()


def test_what_an_address_has_is_never_script_on_the_page(
    world: World, everybody: Browser, statement: DecisionId
) -> None:
    names = ["clause", "kind", "who", "after", "done", "count", "next", "account", "source", "id", "against", "made"]
    own = link(world, statement).removeprefix("/s/")
    for route in PEOPLE:
        method, path = route.split()
        if method != "GET" or path.startswith("/static/"):
            continue
        for token in (own, quote(SCRIPT, safe="")):
            where = path.replace("{token}", token)
            where = re.sub(r"\{\w+\}", "0" if "{number}" in where else quote(SCRIPT, safe=""), where)
            for name in names:
                told = everybody.client.get(where, params={name: SCRIPT}, headers=AS_BROWSERS, follow_redirects=False)
                assert told.status_code < 500, (route, name)
                if "html" in told.headers.get("Content-Type", ""):
                    assert "<script>run" not in told.text, (route, name)
                    assert "<img src=x" not in told.text, (route, name)
                assert re.match("/(?!/)", told.headers.get("Location", "/")), (route, name)


def test_no_form_is_taken_from_another_site(world: World, everybody: Browser, statement: DecisionId) -> None:
    before = world.store.position
    links = {f"/{name}/{{token}}": link(world, statement, purpose) for name, purpose in KINDS.items()}
    for route in PEOPLE:
        method, path = route.split()
        if method == "POST":
            where = re.sub(r"\{\w+\}", "0" * 32, links.get(path[:10], path[:10]) + path[10:])
            told = everybody.client.post(where, data={"csrf": "made up"}, headers=ELSEWHERE, follow_redirects=False)
            assert told.status_code == 403, (route, told.status_code)
    assert world.store.position == before
    assert everybody.get("/console/password").status_code == 200  # and nobody was signed out


def test_a_form_of_the_console_needs_its_token_wherever_it_says_it_comes_from(everybody: Browser) -> None:
    for route in PEOPLE:
        method, path = route.split()
        if method == "POST" and path.startswith(("/console", "/sign-", "/enter")):
            where = re.sub(r"\{\w+\}", "0" * 32, path)
            told = everybody.client.post(where, headers={**AS_BROWSERS, "Sec-Fetch-Site": "same-origin"})
            assert (told.status_code, "form did not come from this page" in told.text) == (403, True), route


def test_every_answer_for_a_browser_stands_in_no_frame_and_runs_no_script_of_others(
    world: World, everybody: Browser, statement: DecisionId
) -> None:
    own = link(world, statement).removeprefix("/s/")
    for route in PEOPLE:
        method, path = route.split()
        if method == "GET":
            where = re.sub(r"\{\w+\}", "0", path.replace("{token}", own).replace("{name}", "comity.css"))
            told = everybody.client.get(where, headers=AS_BROWSERS, follow_redirects=False)
            if told.is_redirect:
                assert told.headers["Location"].startswith("/"), route
                continue
            assert told.headers["X-Content-Type-Options"] == "nosniff", route
            if "html" in told.headers["Content-Type"]:
                assert "frame-ancestors 'none'" in told.headers["Content-Security-Policy"], route
                assert told.headers["Referrer-Policy"] == "no-referrer", route
                assert "unsafe" not in told.headers["Content-Security-Policy"], route


def test_what_a_body_says_beyond_what_it_may_changes_nothing(
    world: World, everybody: Browser, statement: DecisionId
) -> None:
    """A source says neither who it is nor what was decided; whoever reports says not who decides."""
    ask = everybody.client.post
    message = {"id": "m1", "author": "bo", "channel": "posts", "sent": "2026-06-01T12:00:00Z", "text": "hello"}
    more = {"source": "another", "outcome": "allowed", "statement": statement, "role": "operator", "account": "ann"}
    told = ask("/v1/messages", json={**message, **more}, headers=as_(Role.SOURCE))
    assert told.status_code == 200, told.text
    assert world.store.message("another", "m1") is None
    notice = {"source": "s", "id": "1", "why": "It is.", "good_faith": True}
    more = {"account": "eve", "case": "0" * 32, "notice": "1" * 32, "message": message, "at": "2020-01-01T00:00:00Z"}
    assert ask("/v1/notices", json={**notice, **more}).status_code in (201, 400)
    for fact in world.store.facts([Noticed]):
        assert isinstance(fact, Noticed)
        assert (fact.account, fact.notice == "1" * 32, fact.message.text) == ("ann", False, "spam")
    appeal = {"text": "No.", "by": "eve", "party": "notifier", "decision": "0" * 32, "outcome": "reversed"}
    own = {"Authorization": "Link " + link(world, statement).removeprefix("/s/")}
    assert ask(f"/v1/statements/{statement}/appeals", json=appeal, headers=own).status_code in (201, 400)
    record = world.proceedings.record("ann")
    assert all(each.outcome is None and each.filed.party == "account" for each in record.appeals)
