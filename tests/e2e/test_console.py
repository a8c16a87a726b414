"""The console in a real browser: a queue worked by keyboard, an appeal that goes to somebody else, usable pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page
from served_console import PASSWORD, PATIENCE, SAID, Site, chromium, served, sign_in

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 800}
WHY = "It insults people for where they are from."


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("harbour")) as site:
        site.fill()
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def opened(browser: Browser, **options: object) -> BrowserContext:
    context = browser.new_context(viewport=WIDE, **options)
    context.set_default_timeout(PATIENCE)
    return context


class Person:
    """Somebody signed in; whatever their browser complains of is kept."""

    def __init__(self, browser: Browser, site: Site, name: str, *roles: str, **options: object) -> None:
        self.name, self.complaints = name, list[str]()
        self.page = opened(browser, **options).new_page()
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        sign_in(self.page, site.link(name, *roles))


@pytest.fixture(scope="module")
def mara(browser: Browser, site: Site) -> Person:
    return Person(browser, site, "mara", "reviewer", "appeals reviewer", "operator", "auditor")


@pytest.fixture(scope="module")
def vera(browser: Browser, site: Site) -> Person:
    return Person(browser, site, "vera", "appeals reviewer")


def keys(page: Page, *pressed: str) -> None:
    for key in pressed:
        page.keyboard.press(key)


def shown(page: Page, address: str) -> None:
    """A list's page, once its first entry has the focus: browsers give it only after the page has loaded."""
    page.goto(address)
    page.locator("[data-item]:focus").wait_for()


def decided_by_keyboard(page: Page, site: Site, choice: str) -> str:
    """The first case of the queue, without touching the mouse; what the queue says then."""
    shown(page, f"{site.url}/console/queue")
    keys(page, "Enter")
    page.wait_for_url("**/console/cases/*")
    keys(page, choice, "w")
    page.keyboard.type(WHY)
    keys(page, "Tab", "Enter")  # to "Preview"
    page.locator("#preview:focus [data-key=s]").wait_for()
    assert page.locator("#preview").inner_text().count(WHY) >= (0 if choice == "d" else 1)
    keys(page, "s")
    page.wait_for_url(re.compile(r"/console/queue\?done="))
    return page.locator("main [role=status]").first.inner_text()


def test_a_reviewer_works_through_a_queue_by_keyboard(mara: Person, site: Site) -> None:
    page = mara.page
    shown(page, f"{site.url}/console/queue")
    items = page.locator("[data-item]")
    assert items.count() == len(SAID)
    keys(page, "j", "j", "k")
    assert items.nth(1).evaluate("each => each === document.activeElement")
    keys(page, "?")
    assert page.locator("#keys").is_visible()
    keys(page, "?")
    assert page.locator("#keys").is_hidden()
    keys(page, "c")
    page.wait_for_url("**/console/cases/*")
    assert page.get_by_role("button", name="Release").is_visible()
    keys(page, "r")
    page.wait_for_url("**/console/queue")
    assert "Decided and sent" in decided_by_keyboard(page, site, "2")
    assert "the case is closed" in decided_by_keyboard(page, site, "d")
    assert items.count() == len(SAID) - 2
    page.locator(".live").get_by_text("wait").wait_for()
    assert mara.complaints == []


def test_a_screen_reader_hears_names_without_keys_and_the_keys_can_be_turned_off(mara: Person, site: Site) -> None:
    page = mara.page
    shown(page, f"{site.url}/console/queue")
    first = page.locator("[data-item]").first
    assert page.locator(f"#{first.get_attribute('aria-labelledby')}").inner_text().count("waits") == 0
    assert first.get_attribute("aria-describedby") == "why-1 clip-1", "why it stands there, then what was written"
    page.get_by_role("button", name="Keys", exact=True).click()
    page.get_by_role("button", name="Turn the keys off").click()
    page.get_by_role("button", name="Close").click()
    keys(page, "j", "?")
    assert page.locator("#keys").is_hidden()
    assert page.locator("[aria-keyshortcuts]").count() == 0
    page.get_by_role("button", name="Keys", exact=True).click()
    page.get_by_role("button", name="Turn the keys on").click()
    page.get_by_role("button", name="Close").click()
    keys(page, "?")
    assert page.locator("#keys").is_visible()
    assert page.locator("[aria-keyshortcuts]").count() > 0
    assert mara.complaints == []


def test_what_somebody_reported_gets_its_clause_by_keyboard(mara: Person, site: Site) -> None:
    said = {"id": "p50", "author": "ash", "channel": "posts", "text": "We meet at the boat house."}
    message = {**said, "sent": datetime.now(UTC).isoformat()}
    told = httpx.post(
        f"{site.url}/v1/notices",
        json={"content": message, "why": "It is an advertisement.", "good_faith": True},
        headers={"Authorization": f"Bearer {site.source}"},
        timeout=30,
    )
    assert told.status_code == 201, told.text
    page = mara.page
    shown(page, f"{site.url}/console/queue")
    page.locator("[data-item]").filter(has_text="no clause is named yet").focus()
    keys(page, "Enter")
    page.wait_for_url("**/console/cases/*")
    clauses = page.locator("input[name=clauses]")
    keys(page, "j", "j", "k", "Space")
    assert [each.is_checked() for each in clauses.all()] == [True, *[False] * (clauses.count() - 1)]
    page.locator("#rows").get_by_text("As the agreement says:").wait_for()
    page.locator("#said").get_by_text("Write your reasons").wait_for()
    assert page.get_by_role("radio", name=re.compile("^As the agreement says: ")).is_checked()
    keys(page, "d", "w")
    page.keyboard.type("It is an invitation to friends.")
    keys(page, "p")  # is typed: keys wait until the field is left
    assert page.get_by_label("Your reasons").input_value() == "It is an invitation to friends.p"
    keys(page, "Backspace", "Tab", "Enter")
    page.locator("#preview:focus [data-key=s]").wait_for()
    keys(page, "s")
    page.wait_for_url(re.compile(r"/console/queue\?done=closed"))
    assert mara.complaints == []


def test_slurs_are_blurred_until_somebody_asks(mara: Person, site: Site) -> None:
    page = mara.page
    shown(page, f"{site.url}/console/queue")
    keys(page, "Enter")
    page.wait_for_url("**/console/cases/*")
    blurred = page.locator("#texts mark").first
    assert "blur" in blurred.evaluate("each => getComputedStyle(each).filter")
    keys(page, "v")
    assert blurred.evaluate("each => getComputedStyle(each).filter") == "none"


def test_who_decided_cannot_decide_the_appeal_and_somebody_else_reverses(
    mara: Person, vera: Person, site: Site, browser: Browser
) -> None:
    decided_by_keyboard(mara.page, site, "1")
    statement = mara.page.url.rsplit("=", 1)[1]
    person = opened(browser).new_page()
    person.goto(site.url + re.findall(r"/s/\S+", site.comity("link", statement))[0])
    account = re.findall(r"the account (\S+)\. ", person.inner_text("main"))[0]
    person.get_by_label("Why is this decision wrong?").fill("I quoted somebody else.")
    person.get_by_role("button", name="Send the appeal").click()
    person.get_by_text("We have your appeal").wait_for()
    assert "cut" in site.comity("standing", account)

    shown(mara.page, f"{site.url}/console/appeals")
    assert "you took part" in mara.page.inner_text("main")
    keys(mara.page, "Enter")
    mara.page.wait_for_url("**/console/appeals/*")
    assert "somebody else has to decide the appeal" in mara.page.inner_text("main")
    assert mara.page.get_by_role("button", name="Preview").count() == 0

    shown(vera.page, f"{site.url}/console/appeals")
    keys(vera.page, "Enter")
    vera.page.wait_for_url("**/console/appeals/*")
    keys(vera.page, "3", "w")
    vera.page.keyboard.type("It is a quotation.")
    keys(vera.page, "Tab", "Enter")
    vera.page.locator("#preview:focus [data-key=s]").wait_for()
    keys(vera.page, "s")
    vera.page.wait_for_url(re.compile(r"\?done=reversed$"))
    assert "cut" not in site.comity("standing", account)
    person.reload()
    assert "It is a quotation." in person.inner_text("main")
    assert vera.complaints == mara.complaints == []


def test_everything_works_without_scripts(browser: Browser, site: Site) -> None:
    page = Person(browser, site, "nora", "reviewer", java_script_enabled=False).page
    page.goto(f"{site.url}/console/queue")
    page.locator("[data-item]").last.click()
    page.get_by_role("radio", name="dismiss").check()
    page.get_by_label("Your reasons").fill("He reports what was said to him.")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Dismiss").click()
    assert "the case is closed" in page.locator("main [role=status]").first.inner_text()


def test_signing_out_leads_nowhere_by_the_back_button(browser: Browser, site: Site) -> None:
    page = Person(browser, site, "sam", "reviewer").page
    page.goto(f"{site.url}/console/queue")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.go_back()
    page.wait_for_url(re.compile(r"/sign-in\?next="))
    page.get_by_label("Name").fill("sam")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/queue")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_on_any_page(
    browser: Browser, site: Site, mara: Person, scheme: str, size: dict[str, int]
) -> None:
    page, found = mara.page, dict[str, list[str]]()
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    for place in places(page, site):
        page.goto(place)
        if "/cases/" in place and page.get_by_role("button", name="Preview").count():
            page.get_by_label("Your reasons").fill(WHY)
            page.get_by_role("button", name="Preview").click()
            page.get_by_role("button", name="Send this statement").wait_for()
        problems = Axe().run(page).response["violations"]
        found[place] = [f"{each['id']}: {node['html'][:200]}" for each in problems for node in each["nodes"]]
        is_wider = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not is_wider, f"{place} is wider than {size['width']} pixels"
    assert {place: each for place, each in found.items() if each} == {}


def places(page: Page, site: Site) -> list[str]:
    """Every page that the navigation names, and those behind them, with something on them."""
    page.goto(f"{site.url}/console/queue")
    named = [each.get_attribute("href") for each in page.locator(".top nav a:not(.brand)").all()]
    cases = [each.get_attribute("href") for each in page.locator("[data-item]").all()[:1]]
    known = ["queue?kind=ceiling", "bulk?clause=slurs", "claims", "password", "appeals/nothing"]
    return [f"{site.url}{each}" for each in (*named, *(f"/console/{each}" for each in known), *cases, "/sign-in")]


def test_the_door_is_usable_too(browser: Browser, site: Site) -> None:
    page = opened(browser).new_page()
    for place in (f"{site.url}/sign-in", site.link("new", "auditor")):
        page.goto(place)
        assert Axe().run(page).response["violations"] == [], place
