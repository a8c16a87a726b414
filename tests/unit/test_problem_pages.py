"""What goes wrong is told on a page to browsers, and as problem details to programs, wherever it goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from api_parts import as_, parts
from console_browser import Served
from console_site import routers, words_in
from litestar.testing import TestClient
from test_flow_record import World, agreement

from comity.api.app import make_app
from comity.console.asking import Reader
from comity.console.pages import Pages
from comity.console.problems import problem_page
from comity.model.access import Role

AS_BROWSERS = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
AS_PROGRAMS = {"Accept": "application/json"}
MOST_HELD = 4_096


@pytest.fixture
def world() -> World:
    return World(agreement("| 1 | suspend | posts | 2 days |"), "live")


@pytest.fixture
def client(world: World, tmp_path: Path) -> Iterator[TestClient]:
    """The whole service: what machines ask, the console, and the pages for everybody."""
    served, reader = Served(world, tmp_path), Reader(world.store)
    app = make_app(
        parts(world, tmp_path),
        "1",
        lambda queue: [served.console(), *routers(world, queue, reader)],
        partial(problem_page, Pages(ZoneInfo("UTC"))),
        most_held=MOST_HELD,
    )
    with TestClient(app, base_url="https://example.org", raise_server_exceptions=False) as client:
        yield client
    reader.close()
    served.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/console/nothing", "/console/cases/a/b/c", "/nothing", "/agreement/no/such"])
def test_an_unknown_address_is_a_page_that_says_where_to_go_on(client: TestClient, path: str, method: str) -> None:
    page = client.request(method, path, headers=AS_BROWSERS)
    assert (page.status_code, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    on = "/console" if path.startswith("/console") else "/"
    assert f'href="{on}"' in page.text
    assert "There is no such page" in words_in(page.text)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    told = client.request(method, path, headers=AS_PROGRAMS)
    assert (told.status_code, told.headers["Content-Type"]) == (404, "application/problem+json")


def test_an_address_that_takes_no_forms_says_so_on_a_page(client: TestClient) -> None:
    page = client.post("/transparency", headers=AS_BROWSERS)
    assert (page.status_code, "takes no forms" in page.text) == (405, True)


def test_programs_read_problem_details_of_pages_too(client: TestClient) -> None:
    for path in ("/agreements/nothing", "/notices/nothing"):
        told = client.get(path, headers=AS_PROGRAMS)
        assert (told.status_code, told.json()["status"]) == (404, 404)
        assert told.headers["Content-Type"] == "application/problem+json"


def test_what_machines_ask_is_never_answered_on_a_page(client: TestClient) -> None:
    for path, status in (("/v1/cases", 401), ("/v1/nothing", 404), ("/v1/log/nothing", 404)):
        told = client.get(path, headers=AS_BROWSERS)
        assert (told.status_code, told.headers["Content-Type"]) == (status, "application/problem+json")


def test_a_fault_of_ours_is_a_page_to_a_browser_and_tells_nothing(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("ann said so")

    monkeypatch.setattr(world.store, "account_of", fails)
    page = client.get("/notices/" + "0" * 32, headers=AS_BROWSERS)
    assert (page.status_code, page.headers["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert "Something went wrong here" in page.text
    assert "ann" not in words_in(page.text).split()


def test_bodies_on_their_way_are_bounded_together_and_the_next_hears_when_to_come_back(
    client: TestClient, world: World
) -> None:
    message = {"id": "m1", "author": "ann", "channel": "posts", "sent": "2026-06-01T12:00:00Z", "text": "x" * MOST_HELD}
    refused = client.post("/v1/messages", json=message, headers=as_(Role.SOURCE))
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert "send less at once" in refused.json()["detail"]
    lines = {**as_(Role.SOURCE), "Content-Type": "application/x-ndjson"}
    streamed = client.post("/v1/messages", json=message, headers=lines)
    assert (streamed.status_code, '"status":503' in streamed.text, "Line 1" in streamed.text) == (200, True, True)
    page = client.post("/notice", data={"why": "x" * MOST_HELD}, headers=AS_BROWSERS)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "1")
    assert "send less at once" in words_in(page.text)
    for number in range(9):  # what was answered is held no more
        told = client.post(
            "/v1/messages", json={**message, "id": f"n{number}", "text": "x" * 2_000}, headers=as_(Role.SOURCE)
        )
        assert told.status_code == 200, told.text
    assert world.store.message("a source", "m1") is None
