"""The console beside its cases: accounts, statements, the agreement and its editor, quality, ledger, people, tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from console_browser import PLACE, Browser, Form, Served
from console_site import in_order, words_in
from test_flow_record import DAY, NOW, World, agreement, agreement_text, none

from comity.agreement import load
from comity.casework.facts import Accepted, Appealed, Corrected, Lifted, LinkReplaced
from comity.flow import amend, appeal
from comity.flow.account import Offers
from comity.model.access import GateAck, Role
from comity.model.ids import AccountId, DecisionId, Digest
from comity.model.routes import PEOPLE
from comity.model.user import STAFF

LADDER = "| 1 | suspend | posts | 2 days |"
SCRIPT = "<script>alert(1)</script>"
PLACES = ("accounts", "agreement", "quality", "reports", "ledger")


@pytest.fixture
def world() -> World:
    return World(agreement(LADDER), "live")


@pytest.fixture
def whole(world: World, tmp_path: Path) -> Iterator[Served]:
    one = Served(world, tmp_path)
    yield one
    one.close()


@pytest.fixture
def ola(whole: Served) -> Iterator[Browser]:
    """Signed in as an operator who reviews too."""
    with whole.browser() as browser:
        browser.sign_in("ola", Role.OPERATOR, Role.REVIEWER)
        yield browser


def decided(world: World, text: str = "spam", author: str = "ann") -> DecisionId:
    statement = world.say(text, author=author).statement
    assert statement is not None
    return statement


def facts(world: World, kind: type) -> list:
    return [fact for fact in world.store.facts() if isinstance(fact, kind)]


def test_every_page_says_what_to_do_while_there_is_nothing(ola: Browser) -> None:
    for place in PLACES:
        page = ola.get(f"/console/{place}")
        assert page.status_code == 200, place
        assert "<h1" in page.text
    assert "Whom do you look for?" in ola.get("/console/accounts").text
    assert "No rule was looked at yet" in ola.get("/console/quality").text
    assert "No gate has reported" in ola.get("/console/ledger").text
    assert "Nothing was decided" in ola.get("/console/reports").text
    assert "No machine has a token" in ola.get("/console/people").text


def test_an_account_is_shown_with_what_it_may_do_its_points_and_what_happened(world: World, ola: Browser) -> None:
    statement = decided(world, author="<b>ann</b> & co")
    page = ola.get("/console/accounts?account=%3Cb%3Eann%3C/b%3E%20%26%20co")
    in_order(
        page.text,
        "<b>ann</b> & co",
        "posts",
        "cut",
        "3 June 2026, 12:00 (UTC)",
        "suspend",
        "mail",
        "open",
        "1 point counts now",
        "Forgotten on",
        "spam",
        "Statements",
        "spam",
        "What happened",
        "spam: suspend on posts for 2 days by a rule",
    )
    assert page.text.count(f"/console/statements/{statement}") == 4
    assert "<b>ann" not in page.text
    assert ola.get("/console/accounts?account=nobody").status_code == 404


def test_an_account_is_shown_with_the_gates_at_which_its_last_change_has_arrived(
    world: World, whole: Served, ola: Browser
) -> None:
    decided(world)
    page = "/console/accounts?account=ann"
    assert "gate" not in ola.get(page).text.partition("What it may do now")[2].partition("Points")[0]
    cursor = world.store.feed.cursor
    later = NOW + timedelta(milliseconds=7)
    for gate, seen in (("mail", cursor), ("<i>web</i>", 0)):
        whole.gates.add(GateAck(gate=gate, channels=None, cursor=seen, applied_at=later))
    told = ola.get(page).text
    in_order(told, "Cut off at 1 of 2 gates, slowest 7 ms", "not yet at <i>web</i>: it is at change 0")
    assert "<i>web" not in told


def test_acceptances_are_listed_in_the_language_they_were_shown_in(world: World, ola: Browser) -> None:
    digest = Digest(world.proceedings.versions.every[0].version.digest)
    world.proceedings.note(Accepted(account=AccountId("ann"), at=NOW, agreement=digest, language="de"))
    in_order(ola.get("/console/accounts?account=ann").text, "Accepted", "in de:", digest[7:19])


def test_a_statement_is_lifted_and_corrected_with_reasons(world: World, ola: Browser) -> None:
    path = f"/console/statements/{decided(world)}"
    in_order(ola.get(path).text, "Statement of reasons", "You may not send anything on posts")
    refused = ola.send(path, act="lift", why=" ")
    assert (refused.status_code, "a reason is missing" in refused.text) == (422, True)
    assert facts(world, Lifted) == []
    corrected = ola.send(path, act="correct", why="It was a quotation.", instead="")
    in_order(corrected.text, "Correction of", "It was a quotation.")
    lifted = ola.send(path, act="lift", why="Enough.")
    in_order(lifted.text, "Lifted on", "Enough.")
    assert "Lift the measures" not in lifted.text
    (fact,), (correction,) = facts(world, Lifted), facts(world, Corrected)
    assert (fact.by, correction.by) == ("ola", "ola")
    harsher = ola.send(path, act="correct", why="More.", instead="suspend | all | 9 days")
    assert (harsher.status_code, "harsher" in harsher.text) == (422, True)


def test_a_link_is_replaced_by_an_operator_alone_and_shown_once(world: World, whole: Served) -> None:
    path = f"/console/statements/{decided(world)}"
    with whole.browser() as browser:
        browser.sign_in("rita", Role.REVIEWER)
        assert browser.send(path, act="link", why="", instead="").status_code == 403
        assert facts(world, LinkReplaced) == []
        browser.sign_in("ola", Role.OPERATOR)
        page = browser.send(path, act="link")
        assert re.search(rf"{PLACE}/s/[\w-]{{44}}", page.text)
        assert f"{PLACE}/s/" not in browser.get(path).text


def test_an_offered_appeal_is_taken_up_or_put_aside_by_a_reviewer(world: World, ola: Browser) -> None:
    statement = decided(world)
    for text in (f"Somebody plays. {SCRIPT}", "It is mine."):
        appeal.offer(world.proceedings, statement, text, NOW)
    page = ola.get("/console/accounts")
    in_order(page.text, "Appeals that wait to be confirmed", "Somebody plays.", "It is mine.")
    assert "<script" not in page.text.split("</head>")[1]
    ola.sign_in("ola", Role.OPERATOR, Role.REVIEWER, Role.APPEALS_REVIEWER)
    assert "2 appeals wait to be confirmed" in ola.get("/console/appeals").text
    played, mine = re.findall(r'action="(/console/offers/[0-9a-f]{32})"', page.text)[::2]
    assert ola.send("/console/accounts", played, act="decline").status_code == 303
    assert ola.send("/console/accounts", mine, act="take").status_code == 303
    (filed,) = facts(world, Appealed)
    assert (filed.text, "ola" in filed.by) == ("It is mine.", True)
    assert "wait to be confirmed" not in ola.get("/console/accounts").text


def typed(page: str) -> str:
    found = re.search(r'<textarea id="draft"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def test_an_offered_appeal_is_forgotten_with_its_account(world: World) -> None:
    offers = Offers()
    for author in ("ann", "bob"):
        appeal.offer(world.proceedings, decided(world, author=author), "Mine.", NOW)
    assert [each.account for each in offers.now(world.store)] == ["ann", "bob"]
    world.clock.at = NOW + 10 * DAY
    amend.erase(world.proceedings, AccountId("ann"), world.clock.at, keep_hash=False)
    assert [each.account for each in offers.now(world.store)] == ["bob"]
    assert [each.account for each in Offers().now(world.store)] == ["bob"]


def drafted(browser: Browser, act: str, **fields: str) -> httpx.Response:
    """Sends the editor's form as one of its buttons does."""
    path = "/console/agreement/draft"
    given = {**Form(browser.get(path).text, "/console/agreement/check").fields, **fields}
    return browser.client.post(f"/console/agreement/{act}", data=given, follow_redirects=False)


def test_the_editor_begins_with_the_last_version_to_the_byte(tmp_path: Path) -> None:
    text = agreement_text(LADDER).replace("Do not.", "\tDo  not\t<b>.", 1)
    checked = load("rules.md", text.encode(), none)
    assert checked.agreement is not None, checked.diagnostics
    with Served(World(checked.agreement, "live"), tmp_path).browser() as browser:
        browser.sign_in("ola", Role.OPERATOR)
        page = browser.get("/console/agreement/draft").text
        assert typed(page) == text
        again = drafted(browser, "check", text=typed(page))
        in_order(again.text, "remarks, no error", "Nothing yet that binds anybody")


def test_a_draft_is_checked_with_what_would_change_and_its_faults_are_drawn(ola: Browser) -> None:
    stricter = agreement_text("| 1 | suspend | posts | 5 days |").replace("Do not.", f"Please do not {SCRIPT}.", 1)
    fine = drafted(ola, "check", text=stricter)
    in_order(fine.text, "remarks, no error", "What would change", "Please", "Measures", "5 days", "stricter")
    assert "<script>a" not in fine.text
    wrong = drafted(ola, "check", text=stricter.replace("text.says('spam')", "text.sys('spam')"))
    in_order(wrong.text, "1 error", "It cannot be published like this.", "agreement.md:", "text.sys('spam')", "help")
    part = ola.client.post(
        "/console/agreement/check",
        data={"text": "no agreement", "base": ""},
        headers={"HX-Request": "true", "X-CSRF-Token": csrf(ola)},
    )
    assert part.status_code == 200
    assert "<html" not in part.text
    assert "error" in part.text
    publish = re.compile(r"<button[^>]*>Publish this version")
    live = [" disabled" in publish.findall(each.text)[0] for each in (fine, wrong, part)]
    assert live == [False, True, True]
    assert 'hx-swap-oob="true"' in part.text, "a check while somebody types reaches the button as well"


def csrf(browser: Browser) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', browser.get("/console/agreement/draft").text)
    assert found is not None
    return found[1]


def test_a_draft_is_tried_on_the_messages_that_are_kept(world: World, ola: Browser) -> None:
    for number in range(3):
        decided(world, author=f"a{number}")
        decided(world, f"other {SCRIPT}", author=f"b{number}")
    milder = agreement_text(LADDER).replace("text.says('other')", "text.says('nothing')")
    page = drafted(ola, "trial", text=milder)
    in_order(page.text, "On recent messages", "last 6 messages", "other", "3", "0", "other: let go")
    assert "spam: let go" not in words_in(page.text)
    assert "<script>a" not in page.text


def test_an_operator_publishes_a_draft_once_and_nobody_reaches_back(world: World, ola: Browser) -> None:
    text = agreement_text("| 1 | suspend | posts | 5 days |")
    wrong = drafted(ola, "publish", text=text.replace("| 1 |", "| x |"))
    assert (wrong.status_code, "Nothing was published" in wrong.text) == (422, True)
    early = drafted(ola, "publish", text=text, effective="2026-05-01T08:00")
    assert (early.status_code, "not earlier" in early.text) == (409, True)
    assert typed(early.text) == text, "what was written is not lost by a wrong date"
    assert drafted(ola, "publish", text=text, effective="soon").status_code == 422
    assert len(world.proceedings.versions.every) == 1
    done = drafted(ola, "publish", text=text, effective="2026-06-02T08:00")
    assert done.status_code == 303
    page = ola.get(done.headers["Location"])
    in_order(page.text, "Published", "sha256:", "Versions", "to come", "from 2 June 2026, 08:00 (UTC)", "in force")
    stale = drafted(ola, "publish", text=text.replace("5 days", "6 days"), base="sha256:0")
    assert (stale.status_code, "another version was published" in stale.text) == (409, True)


def test_a_reviewer_drafts_and_cannot_publish(whole: Served, world: World) -> None:
    with whole.browser() as browser:
        browser.sign_in("rita", Role.REVIEWER)
        page = browser.get("/console/agreement/draft")
        assert "Publish this version" not in page.text
        path = "/console/agreement/publish"
        told = browser.client.post(path, data={"csrf": csrf(browser), "text": typed(page.text)})
        assert told.status_code == 403
    assert len(world.proceedings.versions.every) == 1


def test_the_agreement_page_counts_what_each_clause_led_to(world: World, ola: Browser) -> None:
    for number in range(3):
        decided(world, author=f"a{number}")
    in_order(ola.get("/console/agreement").text, "Clause", "spam", "a rule", "1", "3", "other", "0", "Versions")


def test_reports_tell_small_counts_as_they_are(world: World, ola: Browser) -> None:
    decided(world)
    in_order(ola.get("/console/reports").text, "1 decisions with a statement", "an account was suspended", "1")


def test_quality_puts_decisions_before_a_second_reviewer(world: World, ola: Browser) -> None:
    assert ola.send("/console/quality", count="5").headers["Location"] == "/console/quality?drawn=0"
    assert "0 decisions were put" in ola.get("/console/quality?drawn=0").text
    assert ola.send("/console/quality", count="1000").status_code == 400


def test_the_ledger_is_checked_and_a_gate_that_is_behind_is_named(world: World, whole: Served, ola: Browser) -> None:
    decided(world)
    cursor = world.store.feed.cursor
    for gate, seen in (("mail", cursor), ("web", 0)):
        whole.gates.add(GateAck(gate=gate, channels=None, cursor=seen, applied_at=NOW))
    assert ola.send("/console/ledger").status_code == 303
    in_order(
        ola.get("/console/ledger").text,
        "entries are in order",
        "Gates",
        "mail",
        "all changes",
        "web",
        f"{cursor} change",
        "behind",
    )


def test_people_are_added_given_roles_let_in_again_and_removed(whole: Served, ola: Browser) -> None:
    path = "/console/people"
    added = ola.client.post(path, data={"csrf": csrf(ola), "act": "add", "name": "Rita", "reviewer": "yes"})
    found = re.search(rf"{PLACE}(/enter/[\w-]+)", added.text)
    assert found is not None
    assert found[1] not in ola.get(path).text
    assert whole.users.find("rita").roles == frozenset({Role.REVIEWER})
    for act, name, says in (
        ("add", "rita", "known already"),
        ("add", "R i", "a name has 1 to 64"),
        ("roles", "rita", "one or more of the roles"),
        ("roles", "ola", "from themselves"),
        ("remove", "ola", "nobody removes themselves"),
        ("link", "nobody", "there is nobody called nobody"),
        ("fly", "rita", "there is no act"),
    ):
        roles = {"auditor": "yes"} if (act, name) != ("roles", "rita") else {}
        refused = ola.client.post(path, data={"csrf": csrf(ola), "act": act, "name": name, **roles})
        assert (refused.status_code, says in unescape(refused.text)) == (422, True), (act, name)
    ola.client.post(path, data={"csrf": csrf(ola), "act": "roles", "name": "rita", "auditor": "yes"})
    assert whole.users.find("rita").roles == frozenset({Role.AUDITOR})
    ola.client.post(path, data={"csrf": csrf(ola), "act": "remove", "name": "rita"})
    assert whole.users.find("rita").roles == frozenset()


def test_a_token_is_made_shown_once_used_and_revoked(whole: Served, ola: Browser) -> None:
    path = "/console/people"
    given = {"csrf": csrf(ola), "name": SCRIPT, "role": "source", "channels": "posts, mail", "days": "30"}
    made = ola.client.post("/console/tokens", data=given)
    found = re.search(r"comity_[\w-]{43}", made.text)
    assert found is not None
    token = whole.token(found[0], NOW + timedelta(days=29))
    assert token is not None
    assert (token.role, sorted(token.channels or ())) == (Role.SOURCE, ["mail", "posts"])
    assert whole.token(found[0], NOW + 31 * DAY) is None
    page = ola.get(path).text
    assert found[0] not in page
    assert "<script>a" not in page
    for wrong in ({"channels": "calls"}, {"role": "account"}, {"name": " "}):
        refused = ola.client.post("/console/tokens", data={**given, "csrf": csrf(ola), **wrong})
        assert refused.status_code == 422, wrong
    ola.client.post("/console/tokens/revoke", data={"csrf": csrf(ola), "id": token.id})
    assert whole.token(found[0], NOW) is None


OURS = ("accounts", "offers", "statements", "agreement", "quality", "reports", "ledger", "people", "tokens")


@pytest.mark.parametrize("role", STAFF)
def test_each_page_is_for_the_roles_of_the_table(whole: Served, role: Role) -> None:
    routes = {route: allowed for route, allowed in PEOPLE.items() if f"{route}/".split("/")[2] in OURS}
    assert len(routes) > 15
    with whole.browser() as browser:
        browser.sign_in("somebody", role)
        token = Form(browser.get("/console/password").text, "/console/password").fields["csrf"][0]
        for route, allowed in routes.items():
            method, path = route.replace("{", "").replace("}", "").split()
            told = browser.client.request(method, path, data={"csrf": token} if method == "POST" else None)
            assert (told.status_code != 403) == (role in allowed), (route, role, told.status_code)
