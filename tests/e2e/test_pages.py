"""The pages in a real browser: a person on a phone understands and appeals, a draft is published, anybody checks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page
from served_console import PATIENCE, Site, chromium, post, served, sign_in, toy_forum

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 400, "height": 800}
RULES = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "dark": {"type": "rule", "values": ["color-contrast"]},  # all that colours change
}
LARGE = {"width": 640, "height": 450}
"""What is left of the wide one at 200 %."""
SMALLEST = {"width": 320, "height": 568}
"""And at 400 %."""
TRAP = "Free coins for everybody at http://coin-gift.example"
SCRIPT = "<script>window.wasRun = true</script><img src=x onerror='window.wasRun = true'>"
SCRIPTED = f"coins at http://coin-gift.example {SCRIPT}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("harbour")) as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def ola(browser: Browser, site: Site) -> Page:
    """An operator who reviews too."""
    page = opened(browser).new_page()
    sign_in(page, site.link("ola", "operator", "reviewer", "appeals reviewer"))
    return page


def opened(browser: Browser, **options: object) -> BrowserContext:
    context = browser.new_context(**{"viewport": WIDE, **options})
    context.set_default_timeout(PATIENCE)
    return context


def statement_of(site: Site, author: str, text: str = TRAP) -> tuple[str, str, str]:
    """The id of a new statement, its own link, and the link that gates show."""
    site.count = getattr(site, "count", 100) + 1
    assert site.say(site.count, author, text) == "deny"
    newest = json.loads(site.comity("statement", "--json"))[0]["id"]
    links = json.loads(site.comity("link", newest, "--json"))
    own, refusal = (site.url + re.sub(r"https?://[^/]+", "", links[name]) for name in ("statement", "refusal"))
    return newest, own, refusal


def in_order(page: Page, *texts: str) -> None:
    read, place = page.locator("main, body:not(:has(main))").inner_text(), 0
    for text in texts:
        assert text in read[place:], f"{text!r} is not among what follows: {read[place:]}"
        place = read.index(text, place) + len(text)


def test_a_suspended_person_understands_on_a_phone_and_appeals(browser: Browser, site: Site) -> None:
    _, own, _ = statement_of(site, "sam")
    page = opened(browser, viewport=PHONE, java_script_enabled=False).new_page()
    page.goto(own)
    in_order(
        page,
        "Statement of reasons",
        "What you may do now",
        "You may not send anything on posts, until ",
        "You may send on mail as usual.",
        "What was decided",
        "Your message was removed.",
        TRAP,
        "No traps",
        "Why",
        "it says “http://coin-gift.example”",
        "If you disagree",
        "You can appeal until the end of ",
        "Somebody who took no part in this decision decides; never a machine.",
        "Why is this decision wrong?",
        "Keep a copy",
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("link", name="Appeal on this page").click()
    page.get_by_label("Why is this decision wrong?").fill("I was warning the others of it.")
    page.get_by_role("button", name="Send the appeal").click()
    in_order(page, "We have your appeal.", "Your appeal of ", "I was warning the others of it.")
    assert page.get_by_role("button", name="Send the appeal").count() == 0


def test_a_toy_forum_refuses_a_post_says_why_and_leads_to_the_appeal(browser: Browser, site: Site) -> None:
    page = opened(browser, viewport=PHONE).new_page()
    with toy_forum(site) as forum:
        page.goto(forum)
        post(page, "lou", "Good morning")
        in_order(page, "It is there.", "lou: Good morning")
        post(page, "lou", TRAP)
        in_order(page, "It was not posted.", "lou: Good morning")
        page.get_by_role("link", name="Why, until when, and how to appeal").click()
        page.wait_for_url("**/r/**")
    in_order(
        page,
        "Statement of reasons",
        "You may not send anything on posts, until ",
        "No traps",
        "You can appeal for 6 months",
        "Why is this decision wrong?",
    )


def test_a_draft_is_checked_while_it_is_written_tried_published_and_anybody_sees_and_checks(
    browser: Browser, site: Site, ola: Page
) -> None:
    statement_of(site, "tim")
    ola.goto(f"{site.url}/console/agreement")
    ola.get_by_role("link", name="Draft a change").click()
    editor, looked = ola.get_by_label("The agreement", exact=True), ola.locator("#looked")
    text = editor.input_value()
    editor.fill(text.replace('domains.under("traps")', 'domains.undr("traps")'))
    looked.get_by_text("It cannot be published like this.").wait_for()
    assert 'domains.undr("traps")' in looked.inner_text()
    assert "help" in looked.inner_text()
    editor.fill(text.replace('domains.under("traps")', 'domains.under("traps") && text.size() > 9000'))
    looked.get_by_text("error").first.wait_for()  # its examples no longer come out as they say
    milder = text.replace("| 3 | remove, suspend | same | 7 days |", "| 3 | remove, suspend | same | 5 days |")
    assert milder != text
    editor.fill(milder)
    looked.get_by_text("milder").wait_for()
    assert "5 days" in looked.inner_text()
    ola.get_by_role("button", name="Try it on recent messages").click()
    looked.get_by_text("It finds the same in all of them.").wait_for()
    ola.get_by_role("button", name="Publish this version").click()
    ola.wait_for_url("**/console/agreement?done=*")
    page = opened(browser).new_page()
    page.goto(f"{site.url}/agreements")
    page.get_by_role("link", name="What changed").first.click()
    in_order(page, "What changed", "Measures", "7 days", "5 days", "milder")
    page.get_by_role("link", name="Ledger").click()
    page.get_by_role("button", name="Check all of it now").click()
    in_order(page, "entries are in order.", "signed just these", "Check it yourself", "comity verify")


def test_script_in_every_field_of_somebody_elses_is_shown_as_text(browser: Browser, site: Site, ola: Page) -> None:
    author = f"eve {SCRIPT}"
    statement, own, refusal = statement_of(site, author, SCRIPTED)
    site.comity("token", "new", SCRIPT, "--role", "gate")
    page = opened(browser).new_page()
    for each in (page, ola):
        each.on("dialog", lambda dialog: dialog.dismiss())
    page.goto(refusal)
    page.get_by_label("Why is this decision wrong?").fill(f"offered {SCRIPT}")
    page.get_by_role("button", name="Send the appeal").click()
    page.goto(f"{site.url}/notice?source=the+forum&id=p{site.count}")
    for label, said in (("Its address, if it has one", SCRIPT), ("What is wrong with it?", f"reported {SCRIPT}")):
        page.get_by_label(label).fill(said)
    page.get_by_label("Your name").fill(SCRIPT)
    page.get_by_label("I believe that what I write here is true").check()
    page.get_by_role("button", name="Send the report").click()
    page.wait_for_url("**/notices/*")
    receipt = page.url
    page.goto(own)
    assert "offered <script>" in page.locator("main").inner_text()
    page.get_by_label("Your name, if you write for somebody else").fill(f"by {SCRIPT}")
    page.get_by_label("Why is this decision wrong?").fill(f"appealed {SCRIPT}")
    page.get_by_role("button", name="Send the appeal").click()
    waiting = json.loads(site.comity("cases", "--json"))
    paths = [f"/console/{'appeals' if 'appeal' in str(each.get('kind')) else 'cases'}/{each['id']}" for each in waiting]
    ola.goto(f"{site.url}/console/accounts")
    ola.get_by_label("Account").fill(author)
    ola.get_by_role("button", name="Look up").click()
    places = [own, refusal, receipt, ola.url]
    places += [f"{site.url}{path}" for path in (*PUBLIC, *CONSOLE, f"/console/statements/{statement}", *paths)]
    told = ""
    for place in places:
        ola.goto(place)
        told += ola.locator("body").inner_text()
        assert ola.evaluate("window.wasRun") is None, place
    for said in (author, SCRIPTED, f"reported {SCRIPT}", f"appealed {SCRIPT}"):
        assert said in told, said


NOWHERE = ("/s/nothing", "/console/nothing", "/notices/" + "0" * 32)
PUBLIC = ("/", "/agreement", "/agreements", "/transparency", "/verify", "/notice", "/sign-in", *NOWHERE)
CONSOLE = tuple(
    f"/console/{place}"
    for place in (
        *("queue", "appeals", "accounts", "accounts?account=uma", "agreement", "agreement/draft"),
        *("quality", "reports", "ledger", "people"),
    )
)


def test_every_page_can_be_used_by_everybody(browser: Browser, site: Site, ola: Page) -> None:
    """Light and dark, wide and narrow, and with letters twice and four times as large."""
    statement, own, refusal = statement_of(site, "uma")
    page = opened(browser, storage_state=ola.context.storage_state()).new_page()
    axe, problems = Axe(), list[str]()
    paths = [f"{site.url}{path}" for path in (*PUBLIC, *CONSOLE, f"/console/statements/{statement}")]
    for place in (own, refusal, *paths):
        page.goto(place)
        for size in (WIDE, LARGE, PHONE, SMALLEST):
            page.set_viewport_size(size)
            if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
                problems.append(f"{place}: wider than {size['width']} pixels")
        for size, scheme in ((WIDE, "light"), (WIDE, "dark"), (PHONE, "light"), (PHONE, "dark")):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            found = axe.run(page, options={"runOnly": RULES[scheme]})
            problems += [
                f"{place} ({size['width']}, {scheme}): {each['id']}: {each['nodes'][0]['html']}"
                for each in found.response["violations"]
            ]
    assert problems == []
