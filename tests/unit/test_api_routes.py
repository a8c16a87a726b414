"""What reviewers, accounts, operators and anybody ask of the service, from the first request to the last answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from api_parts import as_, by_link, serving
from litestar.testing import TestClient
from test_flow_record import DAY, KEY, NOW, World, agreement, agreement_text

from comity.casework.case_facts import CaseOpened
from comity.casework.facts import Appealed, Decided, Noticed
from comity.flow.reports import nobody_known
from comity.ledger.log import VKEY_PATH
from comity.ledger.tlog_proof import parse_proof
from comity.model.access import Role
from comity.model.ids import AccountId, CaseId, DecisionId, Digest, MessageId
from comity.ports import StoreError

MESSAGE = {"id": "m1", "author": "ann", "channel": "posts", "sent": "2026-06-01T12:00:00Z", "text": "spam"}


@pytest.fixture
def world() -> World:
    return World(agreement("| 1 | suspend | posts | 2 days |"), "live")


@pytest.fixture
def client(world: World, tmp_path: Path) -> Iterator[TestClient]:
    with serving(world, tmp_path) as client:
        yield client


@pytest.fixture
def statement(world: World) -> DecisionId:
    found = world.say("spam").statement
    assert found is not None
    return found


def opened(world: World, case: str) -> None:
    world.proceedings.note(CaseOpened(account=AccountId("ann"), at=NOW, case=CaseId(case), why="Look."))


def test_a_dry_run_says_what_would_come_of_a_message_and_keeps_nothing(world: World, client: TestClient) -> None:
    before = world.store.position, world.store.size
    source = as_(Role.SOURCE)
    for _ in range(2):
        told = client.post("/v1/messages?dry_run=1", json=MESSAGE, headers=source).json()
        assert (told["outcome"], told["clauses"], "statement" in told) == ("allowed", ["spam"], True)
        assert told["statement"] is None
    line = str(MESSAGE).replace("'", '"')
    lines = client.post(
        "/v1/messages?dry_run=1", content=line, headers={**source, "Content-Type": "application/x-ndjson"}
    )
    assert '"spam"' in lines.text
    assert (world.store.position, world.store.size) == before
    assert client.post("/v1/messages", json=MESSAGE, headers=source).json()["statement"]
    refused = client.post("/v1/messages?dry_run=1", json={**MESSAGE, "id": "m2"}, headers=source).json()
    assert refused["outcome"] == "refused"
    assert refused["statement"]


def test_an_answer_names_the_measures_behind_it_and_the_version_that_is_yet_to_be_accepted(
    world: World, client: TestClient
) -> None:
    def told(id_: str, text: str, query: str = "") -> tuple[list[str], str | None]:
        message = {**MESSAGE, "id": id_, "text": text}
        found = client.post(f"/v1/messages{query}", json=message, headers=as_(Role.SOURCE)).json()
        return found["measures"], found["acceptance_due"]

    def accept(digest: Digest) -> None:
        accepted = {"account": "ann", "agreement": digest, "language": "und"}
        assert client.post("/v1/acceptances", json=accepted, headers=as_(Role.SOURCE)).status_code == 204

    first = world.store.versions()[0].digest
    assert told("a", "hello") == ([], None)  # who has accepted nothing is bound by what is in force
    accept(first)
    assert told("b", "hello") == ([], None)
    text = agreement_text("| 1 | warn | | |")
    second = client.post("/v1/agreements", json={"text": text}, headers=as_(Role.OPERATOR)).json()["digest"]
    assert told("c", "hello") == ([], second)
    assert told("d", "spam", "?dry_run=1") == (["suspend"], second)
    assert told("e", "spam") == (["suspend"], second)
    assert told("f", "hello") == (["suspend"], second)  # refused, by what was decided on the one before
    by_notice = {"account": "ann", "agreement": second, "by": "notice"}
    refused = client.post("/v1/acceptances", json=by_notice, headers=as_(Role.SOURCE))
    assert (refused.status_code, "going on counts" in refused.text) == (409, True)
    accept(second)
    assert told("e", "spam") == (["suspend"], None)


def test_a_case_is_claimed_handed_over_released_and_escalated_as_it_was_read(world: World, client: TestClient) -> None:
    opened(world, "c" * 32)
    path, mara = "/v1/cases/" + "c" * 32, {"by": "mara"}

    def do(what: str, version: str, body: dict[str, str]) -> int:
        return client.post(f"{path}/{what}", json=body, headers=as_(Role.REVIEWER, If_Match=version)).status_code

    read = client.get(path, headers=as_(Role.REVIEWER))
    assert read.headers["ETag"] == '"1"'
    assert client.get(path, headers=as_(Role.REVIEWER, If_None_Match='"1"')).status_code == 304
    assert do("claim", '"1"', mara) == 200
    assert do("claim", '"1"', {"by": "bob"}) == 412  # a race that was lost
    assert do("claim", '"2"', {"by": "bob"}) == 409  # mara works on it
    assert client.get(path, headers=as_(Role.REVIEWER)).json()["holder"] == "mara"
    assert do("hand-over", '"2"', {"by": "mara", "to": "bob"}) == 200
    assert do("release", '"3"', mara) == 409
    assert do("release", '"3"', {"by": "bob"}) == 200
    assert do("escalate", '"4"', {**mara, "why": "It is beyond me."}) == 200
    assert client.get(path, headers=as_(Role.REVIEWER)).json()["is_escalated"]
    unknown = client.get("/v1/cases/" + "d" * 32, headers=as_(Role.REVIEWER))
    assert (unknown.status_code, unknown.headers["Content-Type"]) == (404, "application/problem+json")


def test_the_list_of_cases_goes_on_where_it_stopped(world: World, client: TestClient) -> None:
    for digit in "abcde":
        opened(world, digit * 32)
    found, path = [], "/v1/cases?limit=2"
    for _ in range(3):
        page = client.get(path, headers=as_(Role.REVIEWER))
        found += [each["id"][0] for each in page.json()]
        link = page.headers.get("Link", "")
        path = link.partition("<")[2].partition(">")[0]
    assert ("".join(found), path) == ("abcde", "")


def test_what_comes_again_under_its_key_is_done_once_and_answered_the_same(world: World, client: TestClient) -> None:
    opened(world, "c" * 32)
    path, given = "/v1/cases/" + "c" * 32 + "/claim", {"by": "mara"}
    headers = as_(Role.REVIEWER, If_Match='"1"', Idempotency_Key="k")
    first = client.post(path, json=given, headers=headers)
    position = world.store.position
    assert client.post(path, json=given, headers=headers).json() == first.json() == {"case": "c" * 32, "version": 2}
    assert world.store.position == position
    other = client.post(path, json={"by": "bob"}, headers=headers)
    assert (other.status_code, other.headers["Content-Type"]) == (422, "application/problem+json")
    refused = as_(Role.REVIEWER, If_Match='"1"', Idempotency_Key="k2")
    assert client.post(path, json=given, headers=refused).status_code == 412
    mended = as_(Role.REVIEWER, If_Match='"2"', Idempotency_Key="k2")
    assert client.post(path, json=given, headers=mended).status_code == 200  # what was refused was not done


def test_what_comes_many_times_at_once_under_its_key_is_done_once(world: World, client: TestClient) -> None:
    opened(world, "c" * 32)
    path, position = "/v1/cases/" + "c" * 32 + "/claim", world.store.position
    headers = as_(Role.REVIEWER, If_Match='"1"', Idempotency_Key="k")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: client.post(path, json={"by": "mara"}, headers=headers), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert world.store.position == position + 1


def test_a_key_whose_act_was_cut_short_is_done_if_nothing_was_and_else_asked_about(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(world, "c" * 32)
    path = "/v1/cases/" + "c" * 32 + "/claim"

    def die(*_: object) -> None:
        raise RuntimeError

    def claim(version: str, key: str) -> int:
        with serving(world, tmp_path) as client:
            headers = as_(Role.REVIEWER, If_Match=version, Idempotency_Key=key)
            return client.post(path, json={"by": "mara"}, headers=headers).status_code

    with monkeypatch.context() as patch:
        patch.setattr("comity.flow.review.claim", die)
        assert claim('"1"', "before") == 500
    assert claim('"1"', "before") == 200
    with monkeypatch.context() as patch:
        patch.setattr("comity.stores.replies.ReplyFile.end", die)
        assert claim('"2"', "after") == 500
    assert claim('"2"', "after") == 409


def test_a_statement_is_for_its_account_by_its_link_and_for_reviewers(client: TestClient, statement: str) -> None:
    path = f"/v1/statements/{statement}"
    told = client.get(path, headers=by_link(statement))
    assert told.json()["statement"]["messages"][0]["text"] == "spam"
    assert told.headers["Cache-Control"] == "no-store"
    assert client.get(path, headers=as_(Role.REVIEWER)).json() == told.json()
    assert client.get(path, headers=by_link("0" * 32)).status_code == 401
    assert client.get("/v1/statements/" + "0" * 32, headers=as_(Role.REVIEWER)).status_code == 404
    assert client.get(path, headers={"Authorization": "Link " + "x" * 43}).status_code == 401


def test_an_appeal_is_filed_by_the_link_and_decided_by_somebody_who_took_no_part(
    world: World, client: TestClient, statement: str
) -> None:
    path = f"/v1/statements/{statement}"
    note = {"by": "mara", "note": "It was one day.", "instead": "suspend | posts | 1 day"}
    corrected = client.post(f"{path}/corrections", json=note, headers=as_(Role.REVIEWER))
    assert (corrected.status_code, corrected.json().get("versions")) == (201, 2), corrected.text
    file = {"name": "proof.txt", "content": base64.b64encode(b"I was not there.").decode()}
    body = {"text": "It was a quotation.", "files": [file]}
    filed = client.post(f"{path}/appeals", json=body, headers=by_link(statement))
    assert filed.status_code == 201
    assert client.post(f"{path}/appeals", json=body, headers=by_link(statement)).status_code == 409
    (fact,) = (each for each in world.store.facts() if isinstance(each, Appealed))
    assert [each.name for each in fact.attachments] == ["proof.txt"]
    decide = f"/v1/appeals/{filed.json()['appeal']}/outcome"
    outcome = {"outcome": "reversed", "by": "mara", "why": "It was one."}
    same = client.post(decide, json=outcome, headers=as_(Role.APPEALS_REVIEWER))
    assert (same.status_code, "mara took part" in same.json()["detail"]) == (403, True)
    assert client.post(decide, json={**outcome, "by": "bob"}, headers=as_(Role.APPEALS_REVIEWER)).status_code == 200
    assert not client.get(path, headers=by_link(statement)).json()["stands"]


def test_a_measure_is_lifted_with_a_reason(client: TestClient, statement: str) -> None:
    path, lifting = f"/v1/statements/{statement}/lift", {"by": "mara", "why": "It was enough."}
    assert client.post(path, json={**lifting, "why": ""}, headers=as_(Role.REVIEWER)).status_code == 400
    assert client.post(path, json=lifting, headers=as_(Role.REVIEWER)).status_code == 204
    assert client.post(path, json=lifting, headers=as_(Role.OPERATOR)).status_code == 409
    standing = client.get("/v1/standing?account=ann&channel=posts", headers=as_(Role.GATE)).json()
    assert standing["state"] == "open"


def test_what_a_bad_rule_caused_is_shown_then_undone_at_once(world: World, client: TestClient, statement: str) -> None:
    other = world.say("spam", author="bob").statement
    given, operator = {"clause": "spam", "by": "olga", "why": "The rule was wrong."}, as_(Role.OPERATOR)
    shown = client.post("/v1/undo?dry_run=1", json=given, headers=operator).json()
    assert set(shown["reversed"]) == {statement, other}
    assert client.get(f"/v1/statements/{statement}", headers=by_link(statement)).json()["stands"]
    assert client.post("/v1/undo", json=given, headers=operator).json()["reversed"] == shown["reversed"]
    assert not client.get(f"/v1/statements/{statement}", headers=by_link(statement)).json()["stands"]
    assert client.post("/v1/undo", json=given, headers=operator).status_code == 409


def test_a_persons_data_are_given_held_and_erased(world: World, client: TestClient, statement: str) -> None:
    operator, ann = as_(Role.OPERATOR), {"account": "ann"}
    assert client.get("/v1/export?account=ann", headers=operator).json()["statements"]
    assert client.get("/v1/export?account=nobody", headers=operator).status_code == 404
    hold = {**ann, "by": "olga", "why": "A court asks."}
    assert client.post("/v1/holds", json=hold, headers=operator).status_code == 204
    world.clock.at += 3 * DAY
    refused = client.post("/v1/erasures", json=ann, headers=operator)
    assert (refused.status_code, "A court asks" in refused.json()["detail"]) == (409, True)
    assert client.post("/v1/holds", json={**hold, "ends": True}, headers=operator).status_code == 204
    assert client.post("/v1/erasures", json=ann, headers=operator).status_code == 204
    assert client.get("/v1/export?account=ann", headers=operator).status_code == 404
    gone = client.get(f"/v1/statements/{statement}", headers=by_link(statement))
    assert gone.status_code == 401  # with the statement its link has ended
    again = {**MESSAGE, "id": "later", "author": "bob", "sent": (NOW + 3 * DAY).isoformat()}
    assert client.post("/v1/messages", json=again, headers=as_(Role.SOURCE)).status_code == 200  # the desk goes on


def test_versions_are_listed_read_and_published(world: World, client: TestClient) -> None:
    (first,) = client.get("/v1/agreements").json()
    whole = client.get(f"/v1/agreements/{first['digest']}")
    assert whole.json()["text"].startswith("---\ncomity: 1")
    assert "immutable" in whole.headers["Cache-Control"]
    known = {"If-None-Match": whole.headers["ETag"]}
    assert client.get(f"/v1/agreements/{first['digest']}", headers=known).status_code == 304
    text, operator = agreement_text("| 1 | warn | | |"), as_(Role.OPERATOR)
    broken = client.post("/v1/agreements", json={"text": text.replace("says", "sags")}, headers=operator)
    assert broken.status_code == 422
    assert broken.json()["places"][0].startswith("agreement.md:")
    tried = client.post("/v1/agreements?dry_run=1", json={"text": text}, headers=operator)
    assert tried.status_code == 201
    assert len(client.get("/v1/agreements").json()) == 1
    assert client.post("/v1/agreements", json={"text": text}, headers=operator).json() == tried.json()
    assert client.post("/v1/agreements", json={"text": text}, headers=operator).status_code == 409
    page = client.get("/v1/agreements?limit=1")
    assert page.headers["Link"] == f'</v1/agreements?after={first["digest"].replace(":", "%3A")}&limit=1>; rel="next"'
    assert client.post("/v1/messages", json=MESSAGE, headers=as_(Role.SOURCE)).json()["clauses"] == ["spam"]
    standing = client.get("/v1/standing?account=ann&channel=posts", headers=as_(Role.GATE)).json()
    assert standing["state"] == "open"  # the new version warns, and suspends nobody


def test_anybody_reports_a_message_whose_text_is_kept_but_not_without_end(
    world: World, client: TestClient, statement: str
) -> None:
    notice = {"source": "s", "id": "1", "why": "It is a fraud.", "good_faith": True, "where": "https://example.org/1"}
    receipt = client.post("/v1/notices", json=notice)
    assert (receipt.status_code, list(receipt.json())) == (201, ["notice"])
    (noticed,) = (each for each in world.store.facts() if isinstance(each, Noticed))
    assert (noticed.notice, noticed.message.text) == (receipt.json()["notice"], "spam")
    assert client.post("/v1/notices", json={**notice, "good_faith": False}).status_code == 409
    assert client.post("/v1/notices", json={**notice, "content": MESSAGE}).status_code == 403
    assert client.post("/v1/notices", json={**notice, "origin": "authority"}).status_code == 403
    assert client.post("/v1/notices", json=notice, headers={"Authorization": "Bearer x"}).status_code == 401
    codes = [client.post("/v1/notices", json=notice).status_code for _ in range(7)]
    assert codes == [201] * 6 + [429]
    refused = client.post("/v1/notices", json=notice)
    assert 0 < int(refused.headers["Retry-After"]) <= 360
    world.clock.at += timedelta(minutes=6)
    assert client.post("/v1/notices", json=notice).status_code == 201


def test_whoever_reports_hears_the_same_whether_or_not_the_text_is_kept(
    world: World, client: TestClient, statement: str
) -> None:
    notice = {"source": "s", "why": "It is a fraud.", "good_faith": True}
    other = as_(Role.SOURCE)  # a source, and not the one whose message it is
    for headers in ({}, other):
        kept, unknown = (client.post("/v1/notices", json={**notice, "id": id_}, headers=headers) for id_ in ("1", "2"))
        assert _shape(kept) == _shape(unknown)
        kept, unknown = (each.json()["notice"] for each in (kept, unknown))
        assert len(kept) == len(unknown)
        assert world.store.account_of(kept) == "ann"
        assert world.store.account_of(unknown) == nobody_known("s", MessageId("2"))
        heard = [client.get(f"/v1/notices/{each}") for each in (kept, unknown)]
        assert _shape(heard[0]) == _shape(heard[1])
        assert {each.json()["decision"] for each in heard} == {"waiting"}
        refused = [client.post(f"/v1/notices/{each}/appeals", json={"text": "No."}) for each in (kept, unknown)]
        assert [each.status_code for each in refused] == [409, 409]
        assert refused[0].json() == refused[1].json()
    bad = [client.post("/v1/notices", json={**notice, "id": id_, "why": " "}) for id_ in ("1", "2")]
    assert bad[0].json() == bad[1].json()
    own = client.post("/v1/notices", json={**notice, "source": "a source", "id": "2"}, headers=other)
    assert (own.status_code, "Send it along" in own.json()["detail"]) == (404, True)


def _shape(told: httpx.Response) -> tuple[int, list[str], list[str]]:
    """All of an answer but its numbers."""
    return told.status_code, sorted(told.headers), list(told.json())


def test_the_sender_of_a_notice_hears_what_was_decided_and_appeals(
    world: World, client: TestClient, statement: str
) -> None:
    given = {"source": "s", "id": "1", "why": "It is a fraud.", "good_faith": True}
    notice = client.post("/v1/notices", json=given).json()["notice"]
    account = world.store.account_of(notice)
    assert account is not None
    (case,) = (each for each in world.proceedings.record(account).cases if each.closed is None)
    decision = {"confirm": False, "by": "mara", "why": "A quotation."}
    headers = as_(Role.REVIEWER, If_Match=f'"{case.version}"')
    assert client.post(f"/v1/cases/{case.id}/decision", json=decision, headers=headers).status_code == 200
    heard = client.get(f"/v1/notices/{notice}").json()
    assert (heard["decision"], heard["reason"], heard["appealed"]) == ("dismissed", "A quotation.", False)
    assert account not in str(heard)
    filed = client.post(f"/v1/notices/{notice}/appeals", json={"text": "It is none."})
    assert (filed.status_code, filed.json()["notice"]) == (201, notice)
    assert client.post(f"/v1/notices/{notice}/appeals", json={"text": "Again."}).status_code == 409
    (waiting,) = client.get("/v1/appeals", headers=as_(Role.APPEALS_REVIEWER)).json()
    assert (waiting["id"], waiting["party"]) == (filed.json()["appeal"], "notifier")
    outcome = {"outcome": "reversed", "by": "vera", "why": "It is one after all."}
    path = f"/v1/appeals/{waiting['id']}/outcome"
    assert client.post(path, json=outcome, headers=as_(Role.APPEALS_REVIEWER)).status_code == 200
    heard = client.get(f"/v1/notices/{notice}").json()
    assert (heard["outcome"], heard["outcome_reason"]) == ("reversed", "It is one after all.")
    assert client.get("/v1/appeals", headers=as_(Role.APPEALS_REVIEWER)).json() == []


def test_the_list_of_appeals_goes_on_where_it_stopped(world: World, client: TestClient, statement: str) -> None:
    others = [
        client.post("/v1/messages", json={**MESSAGE, "id": name, "author": name}, headers=as_(Role.SOURCE)).json()
        for name in ("bo", "cy")
    ]
    filed = [statement, *(each["statement"] for each in others)]
    for each in filed:
        appeal = client.post(f"/v1/statements/{each}/appeals", json={"text": "No."}, headers=by_link(each))
        assert appeal.status_code == 201, appeal.text
        world.clock.at += timedelta(minutes=1)
    reviewer, found, path = as_(Role.APPEALS_REVIEWER), [], "/v1/appeals?limit=2"
    while path:
        page = client.get(path, headers=reviewer)
        found += [each["statement"] for each in page.json()]
        path = page.headers.get("Link", "").partition("<")[2].partition(">")[0]
    assert found == filed
    assert client.get("/v1/appeals", headers=as_(Role.REVIEWER)).status_code == 403


def test_a_source_reports_what_the_record_does_not_keep(world: World, client: TestClient) -> None:
    notice = {"content": MESSAGE, "why": "It is a fraud.", "good_faith": True, "origin": "trusted flagger"}
    for number in range(15):
        headers = as_(Role.SOURCE, Idempotency_Key=str(number // 2))
        assert client.post("/v1/notices", json=notice, headers=headers).status_code == 201
    noticed = [each for each in world.store.facts() if isinstance(each, Noticed)]
    assert len(noticed) == 8  # each key once
    assert (noticed[0].message.id, noticed[0].message.source) == (MessageId("m1"), "a source")
    only_mail = {"Authorization": "Bearer comity_mail"}
    assert client.post("/v1/notices", json=notice, headers=only_mail).status_code == 403
    bad = client.post("/v1/notices", json={**notice, "content": {"id": "x"}}, headers=as_(Role.SOURCE))
    assert (bad.status_code, "at least `id`" in bad.json()["detail"]) == (400, True)


def test_anybody_gets_the_proof_of_a_statement(world: World, client: TestClient, statement: str) -> None:
    world.log.files[VKEY_PATH] = f"{KEY.verifier}\n".encode()
    told = client.get(f"/v1/log/proof/{statement}")
    proof = parse_proof(told.content)
    index = world.store.entry_index(statement)
    assert (told.status_code, proof.index) == (200, index)
    assert client.get("/v1/log/proof/" + "0" * 32).status_code == 404
    world.log.files["cosigned"] = b"the last that met the policy"
    for path, kept in (
        ("checkpoint", "no-cache"),
        ("cosigned", "no-cache"),
        (next(iter(world.log.files)), "immutable"),
    ):
        got = client.get(f"/v1/log/{path}")
        assert got.status_code == 200
        assert kept in got.headers["Cache-Control"]
    assert sum(isinstance(fact, Decided) for fact in world.store.facts()) == 1


def test_a_store_that_keeps_nothing_is_told_line_by_line_and_nothing_is_acknowledged(
    world: World, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    before = world.store.position
    lines = "\n".join(json.dumps({**MESSAGE, "id": str(number)}) for number in range(3))
    headers = as_(Role.SOURCE, Content_Type="application/x-ndjson")
    with monkeypatch.context() as patch:
        patch.setattr(world.store, "append", full)
        told = client.post("/v1/messages", content=lines, headers=headers).text.splitlines()
        one = client.post("/v1/messages", json=MESSAGE, headers=as_(Role.SOURCE))
    assert [json.loads(line)["status"] for line in told] == [503] * 3
    assert (one.status_code, one.headers["Retry-After"]) == (503, "1")
    world.proceedings = world.again()
    assert world.store.position == before
    told = client.post("/v1/messages", content=lines, headers=headers).text.splitlines()
    assert [json.loads(line)["answer"] for line in told] == ["allow", "deny", "deny"]


def test_when_too_much_waits_the_next_is_told_when_to_come_back(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity.api.desk._MOST_WAITING", 2)
    one = client.post("/v1/messages", json=MESSAGE, headers=as_(Role.SOURCE))
    assert one.status_code == 200
    lines = "\n".join(json.dumps({**MESSAGE, "id": str(number)}) for number in range(3))
    headers = as_(Role.SOURCE, Content_Type="application/x-ndjson")
    told = client.post("/v1/messages", content=lines, headers=headers).text.splitlines()
    assert [json.loads(line)["status"] for line in told] == [429] * 3
    monkeypatch.setattr("comity.api.desk._MOST_WAITING", 0)
    full = client.post("/v1/messages", json={**MESSAGE, "id": "9"}, headers=as_(Role.SOURCE))
    assert (full.status_code, full.headers["Retry-After"]) == (429, "1")


@pytest.mark.parametrize("path", ["/healthz", "/v1/agreements", "/v1/log/checkpoint", "/openapi.json", "/nothing"])
def test_what_answers_get_answers_head_with_the_same_headers_and_no_body(client: TestClient, path: str) -> None:
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head.headers == whole.headers
    assert client.head("/v1/cases").status_code == 401


def test_head_of_a_stream_without_end_ends(world: World, client: TestClient) -> None:
    epoch = world.store.feed.epoch
    told = client.head(f"/v1/standings?epoch={epoch}&after=0", headers=as_(Role.GATE))
    assert (told.status_code, told.content) == (200, b"")
