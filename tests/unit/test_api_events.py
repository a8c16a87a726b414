"""What sources and auditors are told of what happened, in order, and no more than they may know."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from api_parts import LINKS, as_, by_link, serving
from litestar.testing import TestClient
from test_flow_record import NOW, World, agreement

from comity.casework.facts import Fact
from comity.flow.links import Purpose
from comity.flow.news import Addresses, Reader, page
from comity.model.access import Role
from comity.model.ids import DecisionId, Digest
from comity.ports import Version, Write
from comity.stores.memory import MemoryStore
from comity.testing.store_values import decided

CANARY = "canary-7f3a"
MESSAGE = {"id": "m1", "author": CANARY, "channel": "posts", "sent": "2026-06-01T12:00:00Z", "text": f"spam {CANARY}"}


class Service:
    """A record whose agreement has these rows, served."""

    def __init__(self, client: TestClient, world: World) -> None:
        self.client, self.world, self.begin = client, world, world.store.position

    def send(self, id_: str, text: str) -> dict[str, str]:
        given = {**MESSAGE, "id": id_, "text": text}
        told = self.client.post("/v1/messages", json=given, headers=as_(Role.SOURCE))
        assert told.status_code == 200, told.text
        return told.json()

    def events(self, role: Role, after: int = 0, **more: int) -> list[dict[str, object]]:
        """From the agreement's publication on, at the earliest."""
        after = max(after, self.begin)
        told = self.client.get("/v1/events", params={"after": after, **more}, headers=as_(role))
        assert told.status_code == 200, told.text
        return told.json()["events"]

    def types(self, role: Role, after: int = 0) -> list[str]:
        return [str(each["type"]) for each in self.events(role, after)]

    def due(self) -> list[dict[str, str]]:
        return self.client.get("/v1/removals", headers=as_(Role.SOURCE)).json()

    def decide(self, *, confirm: bool, clauses: Sequence[str] = (), kind: str = "") -> None:
        cases = self.client.get("/v1/cases", headers=as_(Role.REVIEWER)).json()
        (case,) = (each for each in cases if kind in ("", each["kind"]))
        headers = as_(Role.REVIEWER, If_Match=f'"{case["version"]}"')
        given = {"confirm": confirm, "by": "mara", "why": "I looked.", "clauses": list(clauses)}
        done = self.client.post(f"/v1/cases/{case['id']}/decision", json=given, headers=headers)
        assert done.status_code == 200, done.text

    def reverse(self, statement: str) -> None:
        path = f"/v1/statements/{statement}/appeals"
        filed = self.client.post(path, json={"text": "It was a quotation."}, headers=by_link(statement)).json()
        outcome = {"outcome": "reversed", "by": "bob", "why": "It was."}
        path = f"/v1/appeals/{filed['appeal']}/outcome"
        assert self.client.post(path, json=outcome, headers=as_(Role.APPEALS_REVIEWER)).status_code == 200


@pytest.fixture
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    world = World(agreement(*request.param), "live")
    with serving(world, tmp_path) as client:
        yield Service(client, world)


def rows(*given: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("service", [given], indirect=True)


@rows("| 1 | suspend | posts | 2 days |")
def test_an_auditor_is_told_what_anybody_may_know_to_the_hour_and_of_nobody(service: Service) -> None:
    service.world.clock.at = NOW.replace(minute=34)
    statement = service.send("m1", str(MESSAGE["text"]))["statement"]
    service.reverse(statement)
    told = service.client.get(f"/v1/events?after={service.begin}", headers=as_(Role.AUDITOR))
    assert CANARY not in told.text
    assert "34:" not in told.text
    issued, filed, decided = told.json()["events"]
    assert (issued["type"], issued["statement"], issued["clauses"]) == ("statement.issued", statement, ["spam"])
    assert issued["measures"] == [
        {"kind": "suspend", "channels": ["posts"], "start": "2026-06-01T12:00:00Z", "end": "2026-06-03T13:00:00Z"}
    ]
    assert (filed["type"], filed["party"]) == ("appeal.filed", "account")
    assert (decided["type"], decided["outcome"], decided["by_person"]) == ("appeal.decided", "reversed", True)
    ids = [each["id"] for each in told.json()["events"]]
    assert len(set(ids)) == len(ids)


@rows("| 1 | suspend | posts | 2 days |")
def test_events_go_on_where_they_stopped_and_end_with_what_was_erased(service: Service) -> None:
    for number in range(5):
        service.world.say("spam", author=f"a{number}")
    seen, after = [], service.begin
    for _ in range(10):
        page = service.client.get(f"/v1/events?after={after}&limit=2", headers=as_(Role.AUDITOR)).json()
        seen += [each["id"] for each in page["events"]]
        after = page["next"]
        if page["is_last"]:
            break
    assert len(seen) == len(set(seen)) == 5
    assert after == service.world.store.position
    ahead = service.client.get(f"/v1/events?after={after + 1}", headers=as_(Role.AUDITOR))
    assert ahead.status_code == 410
    service.world.store.erase(service.world.proceedings.record("a1").account)
    assert len(service.events(Role.AUDITOR)) == 4


@rows("| 1 | warn | | |")
@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SOURCE])
def test_a_version_of_the_agreement_is_told_once_in_its_place_with_the_time_from_which_it_is_in_force(
    service: Service, role: Role
) -> None:
    service.send("m1", "spam")
    one = agreement("| 1 | warn, limit reach | posts | 2 days |")
    service.world.publish(one, NOW + timedelta(days=30, minutes=34))
    service.send("m2", "spam")
    assert service.types(role) == ["statement.issued", "agreement.published", "statement.joined"]
    told = service.events(role)[1]
    assert (told["agreement"], told["effective"]) == (one.digest, "2026-07-01T12:34:00Z")
    assert told["at"] == "2026-06-01T12:00:00Z"
    first, second = service.events(role)[::2]
    assert int(str(first["id"])) < int(str(told["id"])) < int(str(second["id"]))
    assert service.types(role, int(str(told["id"]))) == ["statement.joined"]


@rows("| 1 | remove, warn | | |", "decide=review")
def test_a_message_that_passed_is_withheld_when_a_person_decides_and_restored_when_that_is_reversed(
    service: Service,
) -> None:
    assert service.send("m1", "spam")["answer"] == "allow"
    service.decide(confirm=True)
    issued, withhold = service.events(Role.SOURCE)
    assert (withhold["type"], withhold["message"], withhold["account"]) == ("message.withhold", "m1", CANARY)
    statement = str(issued["statement"])
    assert issued["link"] == f"https://example.org/s/{LINKS.token(Purpose.STATEMENT, DecisionId(statement))}"
    (due,) = service.client.get("/v1/removals", headers=as_(Role.SOURCE)).json()
    assert (due["message"], due["treatment"], due["statement"]) == ("m1", "withheld", statement)
    done = {"message": "m1", "treatment": "restored"}
    assert service.client.post("/v1/removals", json=done, headers=as_(Role.SOURCE)).status_code == 409
    done["treatment"] = "withheld"
    assert service.client.post("/v1/removals", json=done, headers=as_(Role.SOURCE)).status_code == 204
    assert service.client.get("/v1/removals", headers=as_(Role.SOURCE)).json() == []
    at = service.world.store.position
    service.reverse(statement)
    assert service.types(Role.SOURCE, at) == ["appeal.filed", "appeal.decided", "message.restore"]
    assert service.client.get("/v1/removals", headers=as_(Role.SOURCE)).json()[0]["treatment"] == "restored"
    assert "message.withhold" not in service.types(Role.AUDITOR)
    only_mail = {"Authorization": "Bearer comity_mail"}
    told = service.client.get(f"/v1/events?after={service.begin}", headers=only_mail)
    assert told.json()["events"] == []


@pytest.mark.parametrize(("confirm", "says"), [(True, "message.refused"), (False, "message.released")])
@rows("| 1 | remove, warn | | |", "decide=hold")
def test_a_message_that_waits_is_released_or_refused_by_the_decision(
    service: Service, confirm: bool, says: str
) -> None:
    assert [service.send("m1", "spam")["answer"] for _ in range(2)] == ["hold", "hold"]
    service.decide(confirm=confirm)
    (told,) = [each for each in service.events(Role.SOURCE) if str(each["type"]).startswith("message.")]
    assert (told["type"], told["message"]) == (says, "m1")
    if confirm:
        token = LINKS.token(Purpose.REFUSAL, DecisionId(str(told["statement"])))
        assert (told["clauses"], told["refusal"]) == (["spam"], f"https://example.org/r/{token}")
    assert {"clauses", "refusal"} <= told.keys() or not confirm
    assert "link" not in told  # the statement's own is for its account
    assert "spam" not in str({**told, "clauses": ()}), "what was said is told to nobody"
    assert confirm or not {"clauses", "refusal"} & told.keys()
    again = service.send("m1", "spam")
    assert again["answer"] == ("deny" if confirm else "allow")
    assert (again.get("statement"), again.get("link")) == (told.get("statement"), told.get("refusal"))


@rows("| 1 | warn | | |", "decide=hold")
def test_a_message_that_waited_and_was_passed_on_with_a_warning_is_answered_with_its_statement(
    service: Service,
) -> None:
    assert service.send("m1", "spam")["answer"] == "hold"
    service.decide(confirm=True)
    (issued, released) = service.events(Role.SOURCE)
    assert (issued["type"], released["type"]) == ("statement.issued", "message.released")
    again = service.send("m1", "spam")
    assert (again["answer"], again["statement"], again["clauses"]) == ("allow", issued["statement"], ["spam"])
    assert again["measures"] == ["warn"]
    assert "/r/" in again["link"]
    service.reverse(str(issued["statement"]))
    assert service.send("m1", "spam")["statement"] is None, "nothing stands against it any more"


def waits_for_two_cases(service: Service) -> int:
    """A message of an account on hold in which something was found: one case for each."""
    service.send("m0", "spam")
    service.decide(confirm=True)
    assert service.send("m1", "spam")["answer"] == "hold"
    return service.world.store.position


@rows("| 1 | remove, hold | posts | 9 days |", "decide=review")
def test_a_message_that_waits_for_one_case_is_refused_at_once_when_anothers_decision_removes_it(
    service: Service,
) -> None:
    at = waits_for_two_cases(service)
    service.decide(confirm=True, kind="review")
    told = [each for each in service.events(Role.SOURCE, at) if str(each["type"]).startswith("message.")]
    assert [(each["type"], each["message"]) for each in told] == [("message.refused", "m1")]
    assert "m1" not in [each["message"] for each in service.due()], "nobody ever saw it"
    at = service.world.store.position
    service.decide(confirm=False, kind="on hold")
    assert [each for each in service.types(Role.SOURCE, at) if each.startswith("message.")] == []


@rows("| 1 | remove, hold | posts | 9 days |", "decide=review")
def test_a_message_that_waits_for_two_cases_is_released_by_the_last_of_them(service: Service) -> None:
    at = waits_for_two_cases(service)
    service.decide(confirm=False, kind="review")
    assert service.types(Role.SOURCE, at) == []
    service.decide(confirm=False, kind="on hold")
    assert service.types(Role.SOURCE, at) == ["message.released"]


@rows("| 1 | remove, warn | | |", "decide=hold")
def test_a_message_that_waited_and_was_released_is_withheld_when_a_notice_of_it_is_confirmed(service: Service) -> None:
    assert service.send("m1", "spam")["answer"] == "hold"
    service.decide(confirm=False)
    service.world.clock.at += timedelta(days=2)
    notice = {"source": "a source", "id": "m1", "why": "Rude.", "good_faith": True}
    assert service.client.post("/v1/notices", json=notice, headers=as_(Role.SOURCE)).status_code == 201
    at = service.world.store.position
    service.decide(confirm=True, clauses=["spam"])
    assert [each for each in service.types(Role.SOURCE, at) if each.startswith("message.")] == ["message.withhold"]
    assert [each["treatment"] for each in service.due()] == ["withheld"]


@rows("| 1 | remove, warn | | |", "decide=hold")
def test_a_message_that_waited_too_long_is_withheld_by_the_decision_and_restored_when_that_is_reversed(
    service: Service,
) -> None:
    assert service.send("m1", "spam")["answer"] == "hold"
    service.world.clock.at += timedelta(hours=24)
    assert service.send("m1", "spam")["answer"] == "allow"
    service.decide(confirm=True)
    assert service.send("m1", "spam")["answer"] == "deny"
    issued, withhold = service.events(Role.SOURCE)
    assert withhold["type"] == "message.withhold"
    done = {"message": "m1", "treatment": "withheld"}
    assert service.client.post("/v1/removals", json=done, headers=as_(Role.SOURCE)).status_code == 204
    service.world.clock.at += timedelta(days=1)
    service.reverse(str(issued["statement"]))
    assert service.types(Role.SOURCE)[-1] == "message.restore"
    assert [each["treatment"] for each in service.due()] == ["restored"]


@rows("| 1 | remove, warn | | |", "decide=hold")
def test_a_message_that_waited_and_was_refused_is_not_withheld_again_however_late_it_is(service: Service) -> None:
    assert service.send("m1", "spam")["answer"] == "hold"
    service.decide(confirm=True)
    service.world.clock.at += timedelta(days=2)
    assert service.due() == []
    service.reverse(str(service.events(Role.SOURCE)[0]["statement"]))
    assert service.types(Role.SOURCE)[-1] == "message.restore"
    assert [each["treatment"] for each in service.due()] == ["restored"]


@rows("| 1 | remove, warn | | |")
def test_a_message_that_was_denied_at_once_is_not_withheld_again_and_may_be_restored(service: Service) -> None:
    statement = service.send("m1", "spam")["statement"]
    assert service.types(Role.SOURCE) == ["statement.issued"]
    service.reverse(statement)
    assert service.types(Role.SOURCE)[-1] == "message.restore"


@rows("| 1 | suspend | posts | 2 days |")
def test_whoever_waits_is_told_as_soon_as_something_happens(service: Service) -> None:
    told: list[list[dict[str, object]]] = []
    waiting = threading.Thread(target=lambda: told.append(service.events(Role.AUDITOR, wait=20)))
    waiting.start()
    service.send("m1", "spam")
    waiting.join(timeout=10)
    assert [[each["type"] for each in one] for one in told] == [["statement.issued"]]


class Overtaken(MemoryStore):
    """Between its reading of facts and of publications somebody writes both, once."""

    def numbered(self, kinds: Sequence[type[Fact]], *, after: int) -> Iterator[tuple[int, Fact]]:
        found = list(super().numbered(kinds, after=after))
        if self.position == 0:
            one = Version(digest=Digest("sha256:" + "1" * 64), name="rules.md", effective=NOW, files=())
            self.append(Write(size=0, position=0, facts=[decided("ann", "d" * 32)], version=one, published=NOW))
        return iter(found)


def test_what_is_kept_while_a_page_is_read_is_told_whole_by_the_next() -> None:
    store, pages = Overtaken(), Addresses(own=lambda _: "", refusal=lambda _: "")
    first = page(store, 0, 10, Reader(), pages)
    assert (first.events, first.next) == ((), 0)
    told = page(store, first.next, 10, Reader(), pages).events
    assert [each.type for each in told] == ["statement.issued", "agreement.published"]
