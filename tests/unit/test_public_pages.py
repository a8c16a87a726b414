"""What anybody may see: the agreement and what changed in it, numbers that name nobody, the ledger checked, reports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from console_site import browsing, in_order, words_in
from litestar import Litestar
from litestar.testing import TestClient
from test_flow_record import DAY, NOW, World, agreement, agreement_text, none

from comity.agreement import load
from comity.casework.case_facts import Noticed
from comity.casework.facts import Appealed, AppealOutcome
from comity.casework.openness import Openness, told
from comity.casework.review import Deciding
from comity.console.changes import between
from comity.console.rendering import rendered
from comity.flow import amend, appeal, issue, review
from comity.flow.agreement import version_of
from comity.flow.openness import up_to_date
from comity.ledger.log import CHECKPOINT_PATH
from comity.model.agreement import Agreement
from comity.model.ids import ClauseId, DecisionId, ReviewerId

Client = TestClient[Litestar]
MARA, NOOR = ReviewerId("mara"), ReviewerId("noor")
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def world() -> World:
    return World(agreement("| 1 | suspend | posts | 2 days |"), "live")


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    with browsing(world) as client:
        yield client


def decided(world: World, author: str) -> DecisionId:
    statement = world.say("spam", author=author).statement
    assert statement is not None
    return statement


def published(world: World, version: Agreement) -> None:
    issue.issue(world.proceedings, version_of(version, name="rules.md", effective=NOW + DAY), NOW)
    world.proceedings = world.again()


def broken(world: World) -> None:
    """Somebody writes another measure into what was published."""
    path = [path for path in world.log.files if path.startswith("tile/entries")][-1]
    assert b"suspend" in world.log.files[path]
    world.log.files[path] = world.log.files[path].replace(b"suspend", b"warning")


def test_the_first_page_says_what_this_is_and_where_to_go_on(client: Client) -> None:
    page = client.get("/")
    in_order(
        page.text,
        "Rules",
        "People communicate here",
        "The agreement",
        "Numbers",
        "The ledger",
        "Report",
        "Kept by tests",
    )
    for path in re.findall(r'<a[^>]* href="(/[a-z]*)"', page.text):
        assert client.get(path).status_code == 200 or path == "/sign-in", path


def test_the_version_in_force_is_read_as_a_document_with_its_rules_folded_in(world: World, client: Client) -> None:
    page = client.get("/agreement")
    assert page.url.path == f"/agreements/{world.proceedings.versions.every[0].version.digest}"
    in_order(page.text, "Rules", "in force", "since", "spam", "Do not.", "The rule that a program applies", "Measures")
    assert 'id="clause-spam"' in page.text
    assert "{#spam}" not in page.text
    assert page.text.count("<h1>") == 1
    assert "suspend" in words_in(page.text)


def test_html_in_an_agreement_is_text_and_a_link_that_runs_something_is_none() -> None:
    page = rendered(f"---\ncomity: 1\n---\n# T\n\n{SCRIPT}\n\n[x](javascript:alert(1)) <b>\n\n```rule\n{SCRIPT}\n```\n")
    assert "<script" not in page
    assert "href" not in page
    assert "comity: 1" not in page


def test_versions_are_listed_newest_first_with_what_changed_word_by_word(world: World) -> None:
    first = world.proceedings.versions.every[0].version.digest
    published(world, agreement("| 1 | suspend | posts | 5 days |\n| 3 | suspend | all | 9 days |"))
    second = world.proceedings.versions.every[1].version.digest
    with browsing(world) as client:
        page = client.get("/agreements")
        assert page.text.index(second) < page.text.index(first)
        in_order(page.text, "to come", "What changed", "in force")
        changed = client.get(f"/agreements/{second}/changes")
        in_order(changed.text, "What changed", "Measures", "2 days", "5 days", "stricter")
        assert "the first version" in words_in(client.get(f"/agreements/{first}/changes").text)
        assert client.get("/agreements/sha256:0").status_code == 404


def test_prose_that_changed_is_shown_word_by_word(world: World) -> None:
    text = agreement_text("| 1 | suspend | posts | 2 days |").replace("Do not.", f"Please do not {SCRIPT}.", 1)
    checked = load("rules.md", text.encode(), none)
    assert checked.agreement is not None
    published(world, checked.agreement)
    with browsing(world) as client:
        page = client.get(f"/agreements/{checked.agreement.digest}/changes").text
        assert "<ins>Please" in page
        assert "<del>Do" in page
        assert "<script" not in page


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("one two", "one three", [("same", "one "), ("del", "two"), ("ins", "three")]),
        ("", "new", [("ins", "new")]),
        ("a b\n" * 1_500, "a b\n" * 1_500 + "c d", [("same", "a b\n" * 1_500), ("ins", "c d")]),
        ("a\n" * 2_500, "b\n" * 2_500, [("del", "a\n" * 2_500), ("ins", "b\n" * 2_500)]),
    ],
)
def test_long_texts_are_compared_in_larger_pieces(old: str, new: str, pieces: list[tuple[str, str]]) -> None:
    found = list(between(old, new))
    assert [(each.kind, each.text) for each in found] == pieces


def test_the_numbers_are_those_of_the_record_and_small_ones_are_told_as_small(world: World, client: Client) -> None:
    assert "Nothing was decided" in client.get("/transparency").text
    for number in range(7):
        statement = decided(world, f"somebody-{number}")
    amend.lift(world.proceedings, statement, MARA, "Enough.", NOW)
    filed = appeal.file(world.proceedings, appeal.Complaint(decision=statement, text="No."), NOW)
    world.clock.at = NOW + 3 * DAY
    appeal.give_outcome(world.proceedings, filed.appeal, AppealOutcome.REVERSED, NOOR, "Right.", world.clock.at)
    page = client.get("/transparency")
    in_order(
        page.text,
        "7 decisions with a statement",
        "7 of them by a rule",
        "under 5 appeals by those concerned",
        "under 5 decisions reversed on appeal",
        "too few to say to decide half of the appeals",
        "Which clauses were breached",
        "spam",
        "an account was suspended",
        "the decision was reversed",
        "How long things are kept",
    )
    assert "somebody-" not in page.text
    assert re.search(r"<title>2026-06: 7</title>", page.text)
    assert re.search(r"<title>2026-06: under 5</title>", page.text)


def test_counting_on_gives_what_counting_at_once_gives(world: World) -> None:
    running = Openness()
    for number in range(30):
        statement = decided(world, f"a{number}")
        if number % 3 == 0:
            appeal.file(world.proceedings, appeal.Complaint(decision=statement, text="No."), NOW)
        up_to_date(running, world.store)
    for filed in [fact for fact in world.store.facts() if isinstance(fact, Appealed)][:4]:
        world.clock.at += timedelta(hours=7)
        appeal.give_outcome(world.proceedings, filed.appeal, AppealOutcome.UPHELD, MARA, "No.", world.clock.at)
    assert up_to_date(running, world.store) == up_to_date(Openness(), world.store)
    (month,) = running.months.values()
    assert (month.statements, month.appeals, sum(month.outcomes.values()), running.waiting) == (30, 10, 4, 6)
    assert dict(month.appeal_hours) == {7: 1, 14: 1, 21: 1, 28: 1}
    waits = next(account for _, account in world.store.waiting())
    world.store.erase(waits)
    assert up_to_date(running, world.store).waiting == up_to_date(Openness(), world.store).waiting == 5


def test_a_count_that_could_say_who_it_was_is_not_told() -> None:
    assert [told(count) for count in (0, 1, 4, 5, 1_234)] == ["0", "under 5", "under 5", "5", "1,234"]


def test_the_page_checks_the_ledger_and_says_what_is_wrong_with_it(world: World, client: Client) -> None:
    decided(world, "ann")
    assert "Nobody has asked" in client.get("/verify").text
    page = client.post("/verify")
    in_order(page.text, "all 4 entries are in order", "example.org/log signed just these 4", "Check it yourself")
    assert "comity verify https://example.org/v1/log" in page.text
    broken(world)
    assert "4 entries are in order" in client.post("/verify").text  # nothing was added: not read again
    decided(world, "bob")
    broken(world)
    assert "not as they must be" in client.post("/verify").text
    assert world.log.files[CHECKPOINT_PATH].decode().split("\n")[2] in client.get("/verify").text


def test_another_site_cannot_make_the_server_check(world: World, client: Client) -> None:
    assert client.post("/verify", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert "Nobody has asked" in client.get("/verify").text


REPORT = {"source": "s", "id": "1", "why": f"It sells. {SCRIPT}", "good_faith": "yes", "name": "Nina", "clause": "spam"}


def test_a_report_gets_a_receipt_that_tells_what_was_decided_and_takes_an_appeal(world: World, client: Client) -> None:
    decided(world, "ann")
    receipt = client.post("/notice", data=REPORT)
    assert re.fullmatch(r"/notices/[0-9a-f]{32}", receipt.url.path)
    assert receipt.headers["Cache-Control"] == "no-store"
    in_order(receipt.text, "We received it.", "It waits for a person to decide.")
    (noticed,) = (fact for fact in world.store.facts() if isinstance(fact, Noticed))
    assert (noticed.notifier.name, noticed.clause, noticed.why) == ("Nina", ClauseId("spam"), REPORT["why"])
    case = world.proceedings.record(noticed.account).case(noticed.case)
    assert case is not None
    deciding = Deciding(case=case.id, version=case.version, by=MARA, why=f"A quotation. {SCRIPT}")
    review.dismiss(world.proceedings, deciding, NOW)
    told_ = client.get(receipt.url.path)
    in_order(told_.text, "does not breach the agreement", "A quotation.", "Send the appeal")
    assert "<script" not in told_.text
    assert "ann" not in words_in(told_.text).split()
    appealed = client.post(f"{receipt.url.path}/appeal", data={"text": "It is not."})
    in_order(appealed.text, "You have appealed.", "Somebody who took no part")
    assert client.post(f"{receipt.url.path}/appeal", data={"text": "Again."}).status_code == 422


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": ""}, "which message it is"),
        ({"why": " "}, "why the message breaks"),
        ({"why": "x" * 10_001}, "10,001 characters"),
        ({"name": "x" * 1_025}, "The field “name” has 1,025 characters"),
        ({"good_faith": ""}, "believe what you write"),
    ],
)
def test_a_report_that_cannot_be_taken_says_what_to_mend_and_keeps_what_was_typed(
    world: World, client: Client, change: dict[str, str], says: str
) -> None:
    decided(world, "ann")
    given = {**REPORT, **change}
    page = client.post("/notice", data=given)
    assert page.status_code == 422
    in_order(page.text, "This was not sent", says)
    assert given["why"].strip() in page.text.replace("&lt;", "<").replace("&gt;", ">")
    assert not any(isinstance(fact, Noticed) for fact in world.store.facts())


def test_a_report_about_a_message_that_is_not_kept_gets_the_same_receipt(world: World, client: Client) -> None:
    decided(world, "ann")
    kept, unknown = (client.post("/notice", data={**REPORT, "id": id_}) for id_ in ("1", "unknown"))
    numbers = [each.url.path.rsplit("/", 1)[1] for each in (kept, unknown)]
    assert all(world.store.account_of(each) for each in numbers), "a person decides both"
    bare = [each.text.replace(number, "N") for each, number in zip((kept, unknown), numbers, strict=True)]
    assert bare[0] == bare[1]
    refused = [client.post(f"/notices/{each}/appeal", data={"text": "No."}) for each in numbers]
    bare = [each.text.replace(number, "N") for each, number in zip(refused, numbers, strict=True)]
    assert (refused[0].status_code, bare[0]) == (422, bare[1])


def test_reports_from_one_address_are_so_many_and_no_more(world: World, client: Client) -> None:
    decided(world, "ann")
    told_ = [client.post("/notice", data=REPORT, follow_redirects=False).status_code for _ in range(12)]
    assert told_ == [303] * 10 + [422] * 2
    world.clock.at += timedelta(minutes=6)
    assert client.post("/notice", data=REPORT, follow_redirects=False).status_code == 303


def test_a_page_that_is_not_there_says_so_on_a_page(client: Client) -> None:
    for path in ("/notices/nothing", "/agreements/nothing", "/static/nothing.css"):
        page = client.get(path)
        assert (page.status_code, "text/html" in page.headers["Content-Type"] or "static" in path) == (404, True)


def test_every_public_page_forbids_scripts_of_others_and_frames(client: Client) -> None:
    for path in ("/", "/agreements", "/agreement", "/transparency", "/verify", "/notice"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"], path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
