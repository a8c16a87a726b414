"""A record with cases that wait, served by `comity serve`, and people who sign in to it with a real browser."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

COMITY = (sys.executable, "-m", "comity.app")
CHROMIUM = "/usr/bin/chromium"
PASSWORD = "a boat with nine red sails"
PATIENCE = 30_000
PAGE = Path(__file__).parents[2] / "docs" / "integrate.md"

SAID = (
    ("jo.harbour", "What a sub-human thing to say. Go home, you filthy immigrant.", 1_840),
    ("kim", "I know where you live. Watch your back, all of you.", 320),
    ("tarn", "You are a disgrace to this forum and your kind is sub-human, we all know it.", 12),
    ("wren", "He called me “filthy immigrant” yesterday, and nobody did anything about it.", 45),
    ("bo", "Somebody should burn your house down, then you would learn to park.", 4),
    ("rook", "I know where you live, and so do my friends.", 2),
)
"""Who says what, and how many saw it: all of it waits for a person under the forum's agreement."""


class Site:
    """One record, served on a free port of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.comity("init", ".", "--from", "forum", "--origin", "log.harbour.example/rules")
        self.comity("publish")
        self.source = json.loads(self.comity("token", "new", "the forum", "--role", "source", "--json"))["token"]
        words = [*COMITY, "serve", "--port", "0"]
        self._process = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True, env=_environment())
        assert self._process.stdout is not None
        self.url = re.findall(r"http://\S+", self._process.stdout.readline())[0]

    def comity(self, *words: str) -> str:
        done = subprocess.run(
            [*COMITY, *words], cwd=self.folder, capture_output=True, text=True, timeout=60, env=_environment()
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def say(self, number: int, author: str, text: str, *, reach: int = 0, ago: timedelta = timedelta()) -> str:
        """What the service answers."""
        message = {
            "id": f"p{number}",
            "author": author,
            "channel": "posts",
            "text": text,
            "sent": (datetime.now(UTC) - ago).isoformat(),
            "reach": reach,
        }
        headers = {"Authorization": f"Bearer {self.source}"}
        told = httpx.post(f"{self.url}/v1/messages", json=message, headers=headers, timeout=30)
        assert told.status_code == 200, told.text
        answer = told.json()["answer"]
        assert isinstance(answer, str)
        return answer

    def fill(self) -> None:
        for number, (author, text, reach) in enumerate(SAID):
            assert self.say(number, author, text, reach=reach) == "hold"

    def link(self, name: str, *roles: str) -> str:
        """Where they sign in for the first time."""
        named = [word for role in roles for word in ("--role", role)]
        made = json.loads(self.comity("user", "add", name, *named, "--json"))["link"]
        return self.url + made[made.index("/enter/") :]

    def end(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=30)
        return self._process.returncode


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    site = Site(folder)
    try:
        yield site
    finally:
        site.end()


@contextmanager
def toy_forum(site: Site) -> Iterator[str]:
    """The forum of the page on connecting a platform, connected to the site; where it is."""
    (program,) = re.findall(r'^```python title="forum.py"\n(.*?)^```$', PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for name, content in (("forum.py", program), ("address.txt", site.url), ("token.txt", site.source)):
        (site.folder / name).write_text(content)
    words = [sys.executable, "forum.py", "0"]
    process = subprocess.Popen(
        words, cwd=site.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=_environment()
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.communicate(timeout=30)


def post(page: Page, author: str, text: str) -> None:
    """In the toy forum."""
    page.get_by_label("Name").fill(author)
    page.get_by_label("Post").fill(text)
    with page.expect_navigation():
        page.get_by_role("button", name="Send").click()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's; Playwright brings none."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def sign_in(page: Page, link: str) -> None:
    """By the link that works once, then with a password of their own."""
    page.goto(link)
    page.get_by_role("button", name="Sign in as").click()
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password, again").fill(PASSWORD)
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/console/**")


def _environment() -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
