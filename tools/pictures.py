"""Takes the pictures of the console that the documentation shows: tools/pictures.py (needs Debian's chromium).

A record is made, served and filled for it; docs/images/console-*.png are written anew. Look at them before you commit.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "e2e"))

from served_console import Site, chromium, served, sign_in  # noqa: E402

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
        take(mara, case, "case")
        vera = signed_in(browser, site, "vera", "appeals reviewer")
        take(vera, appealed(mara, site, case), "appeal")


def signed_in(browser: Browser, site: Site, name: str, *roles: str) -> Page:
    page = browser.new_context().new_page()
    sign_in(page, site.link(name, *roles))
    return page


def take(page: Page, address: str, name: str) -> None:
    """Light and dark, wide and narrow."""
    page.goto(address)
    for scheme in ("light", "dark"):
        for width, pixels in WIDTHS.items():
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": pixels, "height": HEIGHTS[width]})
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=IMAGES / f"console-{name}-{scheme}-{width}.png")


def appealed(page: Page, site: Site, case: str) -> str:
    """Decides the case, appeals by the statement's link; where the appeal is decided."""
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(case)
    page.get_by_role("radio", name="2").check()
    page.get_by_label("Your reasons").fill(REASONS)
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Send this statement").click()
    page.wait_for_url(re.compile(r"\?done="))
    statement = page.url.rsplit("=", 1)[1]
    text = "I quoted what was said to me on the car park, and I am sorry if that was unclear."
    site.comity("appeal", statement, "--text", text)
    waiting = re.findall(r"([0-9a-f]{32})  appeal", site.comity("cases"))
    return f"{site.url}/console/appeals/{waiting[0]}"


if __name__ == "__main__":
    main()
