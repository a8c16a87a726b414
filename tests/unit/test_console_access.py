"""Who may ask for which page: each page of the console with each role of people, and with none."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_parts import SECRETS, bearer, parts
from console_browser import Served
from console_site import routers
from litestar.routes import HTTPRoute
from litestar.testing import TestClient
from test_flow_record import NOW, World, agreement

from comity.api.app import make_app
from comity.console.asking import Reader
from comity.flow.sign_in import form_token
from comity.model.access import Role
from comity.model.ids import ReviewerId
from comity.model.routes import ANYBODY, MACHINES, PEOPLE, TABLE
from comity.model.user import STAFF, User


@pytest.fixture
def world() -> World:
    return World(agreement("| 1 | suspend | posts | 2 days |"), "live")


def test_every_route_of_the_whole_service_stands_in_the_one_table_and_nothing_else(
    world: World, tmp_path: Path
) -> None:
    served = Served(world, tmp_path)
    reader = Reader(world.store)
    app = make_app(parts(world, tmp_path), "1", lambda queue: [*routers(world, queue, reader), served.console()])
    reader.close()
    served.close()
    routes = [route for route in app.routes if isinstance(route, HTTPRoute)]
    known = {f"{how} {route.path_format}" for route in routes for how in route.methods - {"OPTIONS", "HEAD"}}
    of_openapi = {"GET /openapi.json/{path}", "GET /openapi.json/openapi.json"}
    assert known - of_openapi == set(TABLE)
    assert MACHINES.keys().isdisjoint(PEOPLE)


def test_each_page_is_for_the_roles_of_the_table_and_for_no_other(world: World, tmp_path: Path) -> None:
    served = Served(world, tmp_path)
    with served.browser() as browser:
        for route, allowed in PEOPLE.items():
            method, path = route.replace("{number}", "0").replace("{", "").replace("}", "").split()
            for role in STAFF:
                name = ReviewerId(role.name.lower())
                served.users.put(User(name=name, roles=frozenset({role}), created=NOW))
                secret = served.sign_in.by_link(served.sign_in.make_link(name, NOW), NOW)
                told = ask(browser.client, method, path, secret)
                is_kept_out = told[0] == 403 or told[1].startswith("/sign-in?")
                assert is_kept_out == (allowed is not ANYBODY and role not in allowed), (route, role, told)
            if allowed is not ANYBODY:
                status, place = ask(browser.client, method, path, "made-up")
                assert (status, place[:9]) == (303, "/sign-in?"), route
                status, place = ask(browser.client, method, path, None)
                assert (status, place[:9]) in ((303, "/sign-in?"), (403, "")), route
    served.close()


def test_a_machines_token_opens_no_page(world: World, tmp_path: Path) -> None:
    served = Served(world, tmp_path)
    app = make_app(parts(world, tmp_path), "1", lambda _: [served.console()])
    with TestClient(app) as client:
        for role in SECRETS:
            told = client.get("/console", headers=bearer(SECRETS[role]), follow_redirects=False)
            assert told.headers["Location"].startswith("/sign-in?")
    served.close()


def test_a_person_has_no_role_of_a_machine() -> None:
    assert {Role.SOURCE, Role.GATE}.isdisjoint(STAFF)
    assert all(allowed <= set(STAFF) for allowed in PEOPLE.values())


def ask(client: TestClient, method: str, path: str, secret: str | None) -> tuple[int, str]:
    """Status and where to; with the session's own form token."""
    headers = {} if secret is None else {"Cookie": f"comity={secret}", "X-CSRF-Token": form_token(secret)}
    client.cookies.clear()
    told = client.request(method, path, headers=headers, follow_redirects=False)
    return told.status_code, told.headers.get("location", "")
