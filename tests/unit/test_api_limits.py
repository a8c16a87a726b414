"""What is refused, and in which words: bodies that are too large or empty, notices that name nothing, floods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from api_parts import as_, serving
from litestar.testing import TestClient
from test_flow_record import NOW, World, agreement

from comity.app.errors import StopError
from comity.app.settings import settings
from comity.casework.facts import ContactGiven
from comity.flow.queue import waiting_in
from comity.flow.rate import Rate
from comity.ledger.log import CHECKPOINT_PATH
from comity.model.access import Role

SPAM = {"id": "1", "author": "ann", "channel": "posts", "text": "spam", "sent": NOW.isoformat()}
GIVEN = {"why": "It is a fraud.", "good_faith": True}


@pytest.fixture
def world() -> World:
    return World(agreement("| 1 | warn | | |", "points=3 decide=review"), "live")


@pytest.fixture
def client(world: World, tmp_path: Path) -> Iterator[TestClient]:
    with serving(world, tmp_path) as client:
        yield client


@pytest.mark.parametrize(("route", "most"), [("/v1/acceptances", 1 << 20), ("/v1/messages", 16 << 20)])
def test_a_body_that_is_too_large_is_told_how_large_it_may_be(client: TestClient, route: str, most: int) -> None:
    told = client.post(route, content=b" " * (most + 1), headers=as_(Role.SOURCE, Content_Type="application/json"))
    assert told.status_code == 413
    assert (
        told.json()["detail"] == f"The body is longer than the {most:,} bytes that are taken here. Send less at once."
    )


def test_an_empty_body_is_said_to_be_empty(client: TestClient) -> None:
    told = client.post("/v1/acceptances", headers=as_(Role.SOURCE, Content_Type="application/json"))
    assert (told.status_code, told.json()["places"]) == (400, ["body: it is empty; send one JSON object"])


def test_several_messages_in_a_list_are_told_how_to_come(client: TestClient) -> None:
    told = client.post("/v1/messages", json=[{"id": "1"}], headers=as_(Role.SOURCE))
    assert (told.status_code, "give each record as an object, one a line" in told.json()["detail"]) == (400, True)


def test_the_ledgers_texts_name_their_characters_once(world: World, client: TestClient) -> None:
    client.post("/v1/messages", json=SPAM, headers=as_(Role.SOURCE))
    assert CHECKPOINT_PATH in world.log.files
    assert client.get("/v1/log/checkpoint").headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({}, 400, "the message's `source` and `id`, or `where`"),
        ({"id": "1", "clause": "spin"}, 409, "no clause 'spin'; leave it out, or name one of spam"),
        ({"id": "1", "good_faith": False}, 409, "believe it to be true (`good_faith`)"),
    ],
)
def test_a_notice_that_cannot_be_followed_is_refused_with_what_to_mend(
    client: TestClient, given: dict[str, object], status: int, said: str
) -> None:
    told = client.post("/v1/notices", json={**GIVEN, **given})
    assert (told.status_code, said in told.json()["detail"]) == (status, True), told.json()


def test_messages_that_are_only_said_to_be_somewhere_are_as_many_as_their_places(
    world: World, client: TestClient
) -> None:
    for where in ("https://example.org/1", "https://example.org/2", "https://example.org/1"):
        assert client.post("/v1/notices", json={**GIVEN, "where": where}).status_code == 201
    assert len(dict(world.store.waiting())) == 2


def test_what_sources_report_and_anybodys_notices_come_twice_under_their_key_and_are_kept_once(
    world: World, client: TestClient
) -> None:
    headers = as_(Role.SOURCE, Idempotency_Key="k")
    for _ in range(2):
        contact = {"account": "ann", "address": "ann@example.org"}
        assert client.put("/v1/contacts", json=contact, headers=headers).status_code == 204
    assert sum(isinstance(fact, ContactGiven) for fact in world.store.facts()) == 1
    receipts = [
        client.post("/v1/notices", json={**GIVEN, "id": "1"}, headers={"Idempotency-Key": "k"}).json() for _ in range(2)
    ]
    assert receipts[0] == receipts[1]
    other = client.post("/v1/notices", json={**GIVEN, "id": "2"}, headers={"Idempotency-Key": "k"})
    assert other.status_code == 422


def test_what_anybody_makes_up_stands_behind_what_the_record_knows_whichever_clause_it_names(
    world: World, client: TestClient
) -> None:
    for number in range(3):
        client.post("/v1/notices", json={**GIVEN, "id": f"made up {number}", "clause": "spam"})
    world.clock.at += timedelta(days=3)
    world.say("spam", author="ann")
    told = client.post(
        "/v1/notices",
        json={**GIVEN, "id": "flagged", "clause": "spam", "origin": "trusted flagger"},
        headers=as_(Role.SOURCE),
    )
    assert told.status_code == 404, "of its own message a source sends the text"
    flagged = {**GIVEN, "source": "another", "id": "flagged", "clause": "spam", "origin": "trusted flagger"}
    assert client.post("/v1/notices", json=flagged, headers=as_(Role.SOURCE)).status_code == 201
    severities = [each.urgency.severity for each in waiting_in(world.store, world.clock.at)]
    assert severities == [3, 3, 0, 0, 0]


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "testclient", False),
    ],
)
def test_of_ipv6_a_network_is_one_sender(one: str, other: str, are_one: bool) -> None:
    rate = Rate(1, timedelta(minutes=6))
    assert rate.wait(one, NOW) is None
    assert (rate.wait(other, NOW) is not None) == are_one


@pytest.mark.parametrize("value", ["*", "localhost", "10.0.0.1/8"])
def test_a_web_server_in_front_is_named_by_its_address(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("COMITY_SERVE_PROXIES", value)
    with pytest.raises(StopError, match="COMITY_SERVE_PROXIES has"):
        settings({})
    monkeypatch.setenv("COMITY_SERVE_PROXIES", " 127.0.0.1, 10.0.0.0/8 ")
    assert settings({}).proxies == ("127.0.0.1", "10.0.0.0/8")
