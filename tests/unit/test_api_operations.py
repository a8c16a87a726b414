"""What operators see of the running service: metrics, readiness, errors; and that none of it names anybody."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_parts import TOLD, as_, serving
from litestar.testing import TestClient
from test_flow_record import NOW, World, agreement

from comity.app.log_lines import told_to
from comity.model.access import Role
from comity.stores.world import FixedClock

CANARY = "canary-7f3a"
MESSAGE = {"id": CANARY, "author": CANARY, "channel": "posts", "sent": "2026-06-01T12:00:00Z", "text": f"spam {CANARY}"}


@pytest.fixture
def world() -> World:
    return World(agreement("| 1 | suspend | posts | 2 days |"), "live")


@pytest.fixture
def client(world: World, tmp_path: Path) -> Iterator[TestClient]:
    TOLD.clear()
    with serving(world, tmp_path) as client:
        yield client


def value(text: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def test_metrics_count_requests_and_messages_by_route_and_outcome_and_name_nobody(client: TestClient) -> None:
    for number in range(3):
        client.post("/v1/messages", json={**MESSAGE, "id": f"{CANARY}{number}"}, headers=as_(Role.SOURCE))
    for path in (f"/{CANARY}", f"/v1/statements/{CANARY}", f"/v1/standing?account={CANARY}&channel=posts"):
        client.get(path, headers=as_(Role.GATE))
    client.request(CANARY.upper(), "/healthz")
    ack = {"cursor": 0, "applied_at": NOW.isoformat()}
    client.post("/v1/gates/ack", json=ack, headers=as_(Role.GATE))
    text = client.get("/metrics").text
    assert CANARY not in text.lower()
    posted = 'method="POST",route="/v1/messages",status="200"'
    assert value(text, f"comity_request_seconds_count{{{posted}}}") == 3
    assert value(text, 'comity_messages_total{outcome="allowed"}') == 1
    assert value(text, 'comity_messages_total{outcome="refused"}') == 2
    assert value(text, "comity_messages_queued") == 0
    assert value(text, "comity_ledger_unpublished") == 0
    assert value(text, 'comity_gate_changes_behind{gate="a gate"}') == 1
    assert value(text, 'comity_gate_quiet_seconds{gate="a gate"}') == 0


def test_paths_that_lead_nowhere_make_no_series_each(client: TestClient) -> None:
    for number in range(50):
        client.get(f"/nothing/{number}")
    series = [
        line for line in client.get("/metrics").text.splitlines() if line.startswith("comity_request_seconds_count")
    ]
    assert len(series) == 1
    assert 'route="other",status="404"' in series[0]


def test_readiness_says_what_could_be_safer_and_503_while_the_ledger_is_not_published(
    world: World, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = client.get("/readyz")
    assert (told.status_code, told.json()["status"]) == (200, "ok")
    assert told.json()["warnings"] == ["nothing vouches for the ledger"]
    earlier = world.log.files["checkpoint"]
    client.post("/v1/messages", json=MESSAGE, headers=as_(Role.SOURCE))
    monkeypatch.setitem(world.log.files, "checkpoint", earlier)
    told = client.get("/readyz")
    assert (told.status_code, told.json()["status"]) == (503, "not ready")
    assert "not published" in told.json()["problems"][0]
    assert client.get("/healthz").status_code == 200


def test_an_error_that_nobody_foresaw_is_a_problem_to_the_client_and_a_place_in_the_log_and_names_nobody(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise KeyError(f"no such account: {CANARY}")

    monkeypatch.setattr("comity.api.standings._standing", wrong)
    told = client.get(f"/v1/standing?account={CANARY}&channel=posts", headers=as_(Role.GATE))
    assert (told.status_code, told.headers["Content-Type"]) == (500, "application/problem+json")
    (line,) = TOLD
    assert (line["route"], line["error"]) == ("/v1/standing", "KeyError")
    assert CANARY not in told.text + json.dumps(TOLD)


def test_lines_of_the_log_are_json_unless_somebody_sits_there() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, line in (
        (io.StringIO(), '{"at":"2026-06-01T12:00:00Z","level":"error","what":"it fell","route":"/r"}\n'),
        (Terminal(), "12:00:00 it fell route=/r\n"),
    ):
        told_to(stream, FixedClock(NOW))("it fell", {"route": "/r"})
        assert stream.getvalue() == line
