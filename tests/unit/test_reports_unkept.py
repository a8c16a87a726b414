"""Reports on messages whose texts are not kept (EU DSA Article 16): a person decides them too, and all hear of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from api_parts import as_, serving
from console_browser import Browser, reviewing
from litestar.testing import TestClient
from test_console_cases import text_of
from test_flow_record import World, agreement

from comity.casework.case_facts import Known, Noticed
from comity.flow.reports import nobody_known
from comity.model.access import Role
from comity.model.ids import AccountId, MessageId

FINE = {"id": "m1", "author": "ann", "channel": "mail", "sent": "2026-06-01T12:00:00Z", "text": "Good morning."}
GIVEN = {"why": "It is a fraud.", "good_faith": True, "where": "https://example.org/1", "quote": "Send me <b>gold</b>."}
ROWS = "| 1 | remove, suspend | posts | 2 days |"


@pytest.fixture
def world() -> World:
    return World(agreement(ROWS), "live")


@pytest.fixture
def client(world: World, tmp_path: Path) -> Iterator[TestClient]:
    with serving(world, tmp_path) as client:
        yield client


def noticed(world: World) -> Noticed:
    (one,) = (fact for fact in world.store.facts([Noticed]) if isinstance(fact, Noticed))
    return one


def decide(client: TestClient, **said: object) -> int:
    (case,) = client.get("/v1/cases", headers=as_(Role.REVIEWER)).json()
    headers = as_(Role.REVIEWER, If_Match=f'"{case["version"]}"')
    given = {"confirm": True, "by": "mara", "why": "I read it at its place.", "clauses": ["spam"], **said}
    return client.post(f"/v1/cases/{case['id']}/decision", json=given, headers=headers).status_code


def test_a_report_on_a_message_that_passed_comes_before_a_person_and_its_author_is_known(
    world: World, client: TestClient
) -> None:
    assert client.post("/v1/messages", json=FINE, headers=as_(Role.SOURCE)).json()["answer"] == "allow"
    given = {**GIVEN, "source": "a source", "id": "m1", "channel": "mail"}
    receipt = client.post("/v1/notices", json=given).json()["notice"]
    one = noticed(world)
    assert (one.account, one.known, one.message.channel, one.message.text) == ("ann", Known.SENDER, "mail", "")
    assert decide(client) == 200
    assert client.get(f"/v1/notices/{receipt}").json()["decision"] == "confirmed"
    (made,) = world.proceedings.record(AccountId("ann")).decisions
    assert [each.text for each in made.decided.statement.messages] == [""], "what a notifier quotes is not ann's word"
    assert [each["message"] for each in client.get("/v1/removals", headers=as_(Role.SOURCE)).json()] == ["m1"]


def test_of_a_message_that_nobody_knows_here_only_the_message_can_be_dealt_with(
    world: World, client: TestClient
) -> None:
    given = {**GIVEN, "source": "a source", "id": "never seen"}
    receipt = client.post("/v1/notices", json=given).json()["notice"]
    one = noticed(world)
    assert (one.account, one.known) == (nobody_known("a source", MessageId("never seen")), Known.NOTHING)
    assert decide(client) == 409, "the agreement's measure would be on an account"
    assert client.get(f"/v1/notices/{receipt}").json()["decision"] == "waiting"
    assert decide(client, instead="remove") == 200
    assert client.get(f"/v1/notices/{receipt}").json()["decision"] == "confirmed"
    (event,) = (
        each
        for each in client.get("/v1/events", headers=as_(Role.SOURCE)).json()["events"]
        if each["type"] == "message.withhold"
    )
    assert event["message"] == "never seen"


def test_several_reports_on_an_unknown_message_are_one_case_and_all_hear_of_it(
    world: World, client: TestClient
) -> None:
    given = {**GIVEN, "source": "a source", "id": "never seen"}
    receipts = [client.post("/v1/notices", json=given).json()["notice"] for _ in range(2)]
    assert decide(client, confirm=False, clauses=[]) == 200
    heard = [client.get(f"/v1/notices/{each}").json() for each in receipts]
    assert [(each["decision"], each["reason"]) for each in heard] == [("dismissed", "I read it at its place.")] * 2


def test_a_channel_that_the_agreement_does_not_name_is_refused_for_any_message(
    world: World, client: TestClient
) -> None:
    world.say("spam")
    for id_ in ("1", "unknown"):
        told = client.post("/v1/notices", json={**GIVEN, "source": "s", "id": id_, "channel": "fax"})
        assert (told.status_code, "posts, mail" in told.json()["detail"]) == (409, True)


@pytest.fixture
def mara(world: World, tmp_path: Path) -> Iterator[Browser]:
    with reviewing(world, tmp_path) as browser:
        yield browser


@pytest.mark.parametrize("is_known", [True, False])
def test_a_reviewer_reads_what_is_claimed_as_a_claim(
    world: World, client: TestClient, mara: Browser, is_known: bool
) -> None:
    if is_known:
        client.post("/v1/messages", json=FINE, headers=as_(Role.SOURCE))
    client.post("/v1/notices", json={**GIVEN, "source": "a source", "id": "m1"})
    case = next(id_ for id_, _ in world.store.waiting())
    page = text_of(mara.get(f"/console/cases/{case}").text)
    for said in (
        "The text of message a source/m1 is not kept here",
        "https://example.org/1",
        "Whoever reported it says that it reads: Send me <b>gold</b>.",
    ):
        assert said in page, said
    assert ("it is not known who sent it" in page) != is_known
