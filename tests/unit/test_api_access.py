"""Who may ask for what: each route of the service with each role, and tokens that do not hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from api_parts import SECRETS, bearer, by_link, parts
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient
from test_flow_record import NOW, World, agreement

from comity.api.app import make_app
from comity.casework.case_facts import CaseOpened
from comity.gates.sound import demand_sound
from comity.ledger.feed import decode_entry
from comity.model.access import Role
from comity.model.ids import AccountId, CaseId
from comity.model.routes import ANYBODY, MACHINES


@pytest.fixture
def world() -> World:
    return World(agreement("| 1 | suspend | posts | 2 days |"), "live")


@pytest.fixture
def app(world: World, tmp_path: Path) -> Litestar:
    return make_app(parts(world, tmp_path), "1")


@pytest.fixture
def client(app: Litestar) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def routes(app: Litestar) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method in route.methods - {"OPTIONS", "HEAD"}:
                yield method, route.path_format


def test_every_route_stands_in_the_table_and_nothing_else(app: Litestar) -> None:
    known = {f"{method} {path}" for method, path in routes(app)}
    of_openapi = {"GET /openapi.json/{path}", "GET /openapi.json/openapi.json"}
    assert known - of_openapi == set(MACHINES)


def test_each_route_is_for_the_roles_of_the_table_and_for_no_other(world: World, client: TestClient) -> None:
    statement = world.say("spam").statement
    assert statement is not None
    brought = {role: bearer(secret) for role, secret in SECRETS.items()} | {Role.ACCOUNT: by_link(statement)}
    assert set(brought) == set(Role)
    for route, allowed in MACHINES.items():
        method, path = route.replace("{statement}", statement).split()
        if route == "GET /v1/standings":  # it does not end; a feed of another name does
            path += "?epoch=none&after=0"
        for role, headers in brought.items():
            status = client.request(method, path.replace("{", "").replace("}", ""), headers=headers).status_code
            is_let_in = status not in (401, 403)
            assert is_let_in == (allowed is ANYBODY or role in allowed), (route, role, status)
        without = client.request(method, path).status_code
        assert (without == 401) == (allowed is not ANYBODY), (route, without)


def test_a_token_that_is_wrong_expired_or_no_bearers_is_refused_with_what_to_bring(
    world: World, client: TestClient
) -> None:
    path = "/v1/standing?account=ann&channel=posts"
    assert client.get(path, headers=bearer(SECRETS[Role.GATE])).status_code == 200
    for header in ("", "Bearer", "Bearer x", f"Basic {SECRETS[Role.GATE]}", SECRETS[Role.GATE]):
        refused = client.get(path, headers={"Authorization": header})
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        assert "comity token new" in refused.json()["detail"]
    world.clock.at += timedelta(days=31)
    assert client.get(path, headers=bearer(SECRETS[Role.GATE])).status_code == 401


def test_a_token_of_one_channel_is_of_no_use_on_another(client: TestClient) -> None:
    only_mail = bearer("comity_mail")
    assert client.get("/v1/standing?account=ann&channel=mail", headers=only_mail).status_code == 200
    assert client.get("/v1/standing?account=ann&channel=posts", headers=only_mail).status_code == 403
    lines = b"".join(
        b'{"id":"%d","author":"ann","channel":"%b","sent":"2026-06-01T12:00:00Z","text":"hello"}\n' % (number, channel)
        for number, channel in enumerate((b"posts", b"mail", b"posts"))
    )
    told = client.post("/v1/messages", content=lines, headers={**only_mail, "Content-Type": "application/x-ndjson"})
    assert [("answer" in line, "not for the channel 'posts'" in line) for line in told.text.splitlines()] == [
        (False, True),
        (True, False),
        (False, True),
    ]


def test_messages_are_answered_once_and_again_the_same(client: TestClient) -> None:
    sent = {"id": "1", "author": "ann", "channel": "posts", "sent": "2026-06-01T12:00:00Z", "text": "spam"}
    first = client.post("/v1/messages", json=sent, headers=bearer(SECRETS[Role.SOURCE]))
    assert first.status_code == 200
    assert first.json()["clauses"] == ["spam"]
    assert client.post("/v1/messages", json=sent, headers=bearer(SECRETS[Role.SOURCE])).json() == first.json()
    next_one = client.post("/v1/messages", json={**sent, "id": "2"}, headers=bearer(SECRETS[Role.SOURCE])).json()
    assert (next_one["answer"], next_one["outcome"], next_one["statement"]) == (
        "deny",
        "refused",
        first.json()["statement"],
    )
    standing = client.get("/v1/standing?account=ann&channel=posts", headers=bearer(SECRETS[Role.GATE])).json()
    assert (standing["state"], standing["statement"]) == ("cut", first.json()["statement"])


def test_it_is_told_at_which_gates_an_accounts_last_change_has_arrived(world: World, client: TestClient) -> None:
    def told(secret: str = SECRETS[Role.SOURCE]) -> dict[str, object]:
        return client.get("/v1/standing/gates?account=ann", headers=bearer(secret)).json()

    assert world.say("spam").statement
    none = {"account": "ann", "said": "no gate has reported that it was told of this account", "gates": []}
    assert told() == none
    applied = {"cursor": world.store.feed.cursor, "applied_at": (NOW + timedelta(milliseconds=3)).isoformat()}
    gate = bearer(SECRETS[Role.GATE])
    assert client.post("/v1/gates/ack", json={**applied, "gate": "web"}, headers=gate).status_code == 204
    assert told() == told(SECRETS[Role.REVIEWER])
    assert told()["said"] == "cut off at 1 of 1 gate, slowest 3 ms"
    assert told()["gates"] == [{"gate": "a gate/web", "cursor": applied["cursor"], "milliseconds": 3.0}]
    assert told("comity_mail") == none  # nothing changed on the one channel that it is for


def test_a_message_is_by_the_account_that_its_author_is_a_handle_of_on_that_channel_and_at_that_time(
    client: TestClient,
) -> None:
    source, name = bearer(SECRETS[Role.SOURCE]), "@ann:example.org"
    given = {"account": "ann", "channel": "posts", "since": "2026-06-01T11:00:00Z", "until": "2026-06-01T13:00:00Z"}
    assert client.put("/v1/handles", json={**given, "handle": name}, headers=source).status_code == 204

    def state_after(id_: str, channel: str, time: str) -> str:
        sent = {"id": id_, "author": name, "channel": channel, "text": "spam", "sent": f"2026-06-01T{time}Z"}
        assert client.post("/v1/messages", json=sent, headers=source).status_code == 200
        return client.get("/v1/standing?account=ann&channel=posts", headers=source).json()["state"]

    assert state_after("1", "mail", "12:00:00") == "open"
    assert state_after("2", "posts", "13:00:00") == "open"
    assert state_after("3", "posts", "12:59:59") == "cut"


@pytest.mark.parametrize(("since", "sound"), [("2026-05-01T14:00:00+02:00", 204), ("2026-05-01T12:00:00", 400)])
def test_gates_believe_what_came_with_a_time_of_another_zone_and_none_comes_without(
    client: TestClient, since: str, sound: int
) -> None:
    source, gate = bearer(SECRETS[Role.SOURCE]), bearer(SECRETS[Role.GATE])
    until = "2026-07-01T00:00:00-02:00"
    given = {"account": "ann", "channel": "posts", "handle": "@ann", "since": since, "until": until}
    assert client.put("/v1/handles", json=given, headers=source).status_code == sound
    sent = {"id": "1", "author": "ann", "channel": "posts", "sent": "2026-06-01T12:00:00Z", "text": "spam"}
    assert client.post("/v1/messages", json=sent, headers=source).status_code == 200
    (entry,) = client.get("/v1/standings/snapshot", headers=gate).json()["entries"]
    demand_sound(decode_entry(json.dumps(entry).encode()))


@pytest.mark.parametrize("at", ["2026-06-01T12:00:00", "9999-12-31T23:59:59-10:00"])
@pytest.mark.parametrize(
    ("role", "route", "body"),
    [
        (Role.SOURCE, "PUT /v1/handles", {"account": "ann", "channel": "posts", "handle": "@ann", "since": "T"}),
        (Role.SOURCE, "PUT /v1/handles", {"account": "ann", "channel": "posts", "handle": "@ann", "until": "T"}),
        (Role.SOURCE, f"POST /v1/statements/{'0' * 32}/delivered", {"at": "T"}),
        (Role.GATE, "POST /v1/gates/ack", {"cursor": 0, "applied_at": "T"}),
        (Role.OPERATOR, "POST /v1/agreements", {"text": "# Rules", "effective": "T"}),
    ],
)
def test_a_time_without_an_offset_or_out_of_bounds_is_a_stated_error(
    client: TestClient, at: str, role: Role, route: str, body: dict[str, object]
) -> None:
    method, path = route.split()
    named = {name: at if value == "T" else value for name, value in body.items()}
    told = client.request(method, path, json=named, headers=bearer(SECRETS[role]))
    assert told.status_code == 400, told.json()


def test_a_line_that_is_no_message_is_named_and_stops_no_other(client: TestClient) -> None:
    good = b'{"id":"1","author":"ann","channel":"posts","sent":"2026-06-01T12:00:00Z","text":"hello"}'
    body = b"\n".join([b"{", good, b"", b'{"id":"2"}', b"\xff\xfe", good.replace(b'"1"', b'"3"')])
    headers = {**bearer(SECRETS[Role.SOURCE]), "Content-Type": "application/x-ndjson"}
    told = [json.loads(line) for line in client.post("/v1/messages", content=body, headers=headers).text.splitlines()]
    assert [line.get("id") for line in told] == [None, "1", None, None, "3"]
    assert [line["detail"].split(":")[0] for line in told if "detail" in line] == ["Line 1", "Line 4", "Line 5"]
    assert "at least `id`, `author`" in told[2]["detail"]


def test_a_body_that_does_not_fit_is_refused_with_its_place(client: TestClient) -> None:
    refused = client.post("/v1/gates/ack", json={"cursor": -1}, headers=bearer(SECRETS[Role.GATE]))
    assert refused.status_code == 400
    assert refused.headers["Content-Type"] == "application/problem+json"
    large = client.post("/v1/gates/ack", content=b" " * (2 << 20), headers=bearer(SECRETS[Role.GATE]))
    assert large.status_code == 413


def test_a_decision_on_what_has_changed_meanwhile_is_refused(world: World, client: TestClient) -> None:
    case = CaseId("c" * 32)
    world.proceedings.note(CaseOpened(account=AccountId("ann"), at=NOW, case=case, why="Look."))
    reviewer = bearer(SECRETS[Role.REVIEWER])
    (waiting,) = client.get("/v1/cases", headers=reviewer).json()
    given = {"confirm": False, "by": "mara", "why": "It is a quotation."}
    path = f"/v1/cases/{case}/decision"
    read = f'"{waiting["version"]}"'
    for version, status in (("99", 412), ("x", 400), (read, 200), (read, 412)):
        told = client.post(path, json=given, headers={**reviewer, "If-Match": version})
        assert told.status_code == status, told.text
    assert client.get("/v1/cases", headers=reviewer).json() == []


def test_the_openapi_document_has_every_route_of_the_table_and_says_who_may_ask(client: TestClient) -> None:
    told = client.get("/openapi.json").json()
    assert told["openapi"].startswith("3.1")
    shown = {
        f"{method.upper()} {path}": each for path, methods in told["paths"].items() for method, each in methods.items()
    }
    assert set(shown) == set(MACHINES) - {"GET /openapi.json"}
    for route, each in shown.items():
        assert (each["security"] == [{}]) == (MACHINES[route] is ANYBODY), route
