"""Takes the pictures of pages that the documentation shows: `make pictures` (needs Debian's chromium).

A record is made, served and filled for it; each main page is taken light and dark, wide and narrow, as
docs/images/PAGE-SCHEME-WIDTH.png. Look at them before you commit.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "e2e"))

from served_console import Site, chromium, post, served, sign_in, toy_forum  # noqa: E402

IMAGES = ROOT / "docs" / "images"
WIDTHS = {"wide": 1280, "narrow": 400}
HEIGHTS = {"wide": 800, "narrow": 860}
REASONS = "It threatens people who park badly. I chose the milder row: it is the first time in four years."


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as site, chromium() as browser:
        site.fill()
        mara = signed_in(browser, site, "mara", "reviewer")
        take(mara, f"{site.url}/console/queue", "queue")
        case = f"{site.url}{mara.locator('[data-item]').first.get_attribute('href')}"
        others = f"{site.url}{mara.locator('[data-item]').nth(1).get_attribute('href')}"
        decide(mara, others, "1", "It threatens somebody at home.")
        take(mara, case, "case")
        vera = signed_in(browser, site, "vera", "appeals reviewer")
        take(vera, appealed(mara, site, case), "appeal")
        ola = signed_in(browser, site, "ola", "operator", "reviewer")
        draft(ola, site)
        decided(ola, site)
        take(ola, f"{site.url}/console/reports", "reports")
        connected(browser.new_context().new_page(), site)
        for name in ("agreement", "verify", "notice"):
            take(browser.new_context().new_page(), f"{site.url}/{name}", name)


def draft(page: Page, site: Site) -> None:
    """With something wrong in it, which is told beside it."""
    page.goto(f"{site.url}/console/agreement/draft")
    editor = page.get_by_label("The agreement", exact=True)
    editor.fill(editor.input_value().replace('domains.under("traps")', 'domains.undr("traps")'))
    page.locator("#looked").get_by_text("It cannot be published like this.").wait_for()
    editor.evaluate("each => { each.scrollTop = 0; each.blur(); }")
    shoot(page, "draft")


def decided(page: Page, site: Site) -> None:
    """What a rule decides by itself, as its account and its reviewers see it."""
    assert site.say(90, "sam", "Free coins for everybody at http://coin-gift.example") == "deny"
    newest = json.loads(site.comity("statement", "--json"))[0]["id"]
    own = json.loads(site.comity("link", newest, "--json"))["statement"]
    take(page, site.url + own[own.index("/s/") :], "statement")
    page.get_by_label("Why is this decision wrong?").scroll_into_view_if_needed()
    shoot(page, "statement-appeal", scrolls="document.querySelector('form').scrollIntoView()")
    take(page, f"{site.url}/console/accounts?account=sam", "account")


def connected(page: Page, site: Site) -> None:
    """What a platform shows to whoever it refuses, and where that leads."""
    page.set_viewport_size({"width": WIDTHS["wide"], "height": HEIGHTS["wide"] // 2})
    with toy_forum(site) as forum:
        page.goto(forum)
        post(page, "ann", "Good morning! Has anybody seen my bicycle?")
        post(page, "lou", "It was in front of the library.")
        post(page, "pat", "Free coins for everybody at http://coin-gift.example")
        page.screenshot(path=IMAGES / "forum-light-wide.png")
        page.get_by_role("link", name="Why, until when, and how to appeal").click()
    page.wait_for_url("**/r/**")
    shoot(page, "refused")


def signed_in(browser: Browser, site: Site, name: str, *roles: str) -> Page:
    page = browser.new_context().new_page()
    sign_in(page, site.link(name, *roles))
    return page


def take(page: Page, address: str, name: str) -> None:
    page.goto(address)
    shoot(page, name)


def shoot(page: Page, name: str, *, scrolls: str = "scrollTo(0, 0)") -> None:
    """Light and dark, wide and narrow."""
    for scheme in ("light", "dark"):
        for width, pixels in WIDTHS.items():
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": pixels, "height": HEIGHTS[width]})
            page.evaluate(scrolls)
            page.screenshot(path=IMAGES / f"{name}-{scheme}-{width}.png")


def decide(page: Page, case: str, choice: str, reasons: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(case)
    page.locator(f"[data-key='{choice}']").check()
    page.get_by_label("Your reasons").fill(reasons)
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Send this statement").click()
    page.wait_for_url(re.compile(r"\?done="))


def appealed(page: Page, site: Site, case: str) -> str:
    """Decides the case, appeals by the statement's link; where the appeal is decided."""
    decide(page, case, "2", REASONS)
    statement = page.url.rsplit("=", 1)[1]
    text = "I quoted what was said to me on the car park, and I am sorry if that was unclear."
    site.comity("appeal", statement, "--text", text)
    waiting = re.findall(r"([0-9a-f]{32})  appeal", site.comity("cases"))
    return f"{site.url}/console/appeals/{waiting[0]}"


if __name__ == "__main__":
    main()
