"""What stands between the console and everybody else: cookies, forms of other sites, headers, where one lands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from console_browser import Browser, Form, Served
from test_flow_record import NOW, World, agreement

from comity.console.pages import PRIVATE, SAFE
from comity.console.sign_in import own
from comity.flow.sign_in import form_token
from comity.model.access import Role
from comity.model.ids import ReviewerId
from comity.model.user import User
from comity.stores.passwords import Argon2

MARA = ReviewerId("mara")
PASSWORD = "four words are quite enough"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    one = Served(World(agreement("| 1 | suspend | posts | 2 days |"), "live"), tmp_path)
    one.users.put(User(name=MARA, roles=frozenset({Role.AUDITOR}), created=NOW))
    one.users.set_password(MARA, Argon2().hash(PASSWORD))
    yield one
    one.close()


@pytest.fixture
def browser(served: Served) -> Iterator[Browser]:
    with served.browser() as browser:
        yield browser


def test_somebody_signs_in_chooses_another_password_and_signs_out(browser: Browser) -> None:
    assert browser.get("/console").headers["Location"] == "/sign-in?next=/console"
    told = browser.send("/sign-in", name="mara", password=PASSWORD)
    assert (told.status_code, told.headers["Location"]) == (303, "/console")
    new = "another four words here"
    told = browser.send("/console/password", old=PASSWORD, new=new, again=new)
    assert told.status_code == 303
    assert browser.get("/console").headers["Location"] == "/console/agreement"
    assert browser.get("/console/password").status_code == 200
    cookie = browser.client.cookies["comity"]
    assert browser.send("/console/password", "/sign-out").headers["Location"] == "/sign-in"
    assert "comity" not in browser.client.cookies
    browser.client.cookies.set("comity", cookie, domain="console.example.org")
    assert browser.get("/console/password").status_code == 303  # ended at the server, too
    assert browser.send("/sign-in", name="mara", password=PASSWORD).status_code == 403
    assert browser.send("/sign-in", name="mara", password=new).status_code == 303


def test_a_wrong_password_is_told_and_what_was_typed_stays_text(browser: Browser) -> None:
    told = browser.send("/sign-in", name='"><script>alert(1)</script>', password="wrong")
    assert told.status_code == 403
    assert "do not go together" in told.text
    assert "<script>alert" not in told.text
    assert "&lt;script&gt;" in told.text


@pytest.mark.parametrize(("is_secure", "expected"), [(True, "__Host-comity"), (False, "comity")])
def test_the_cookie_is_for_this_site_alone_and_no_script_reads_it(
    tmp_path: Path, is_secure: bool, expected: str
) -> None:
    served = Served(World(agreement("| 1 | warn | | |"), "live"), tmp_path, is_secure=is_secure)
    with served.browser() as browser:
        name, _, rest = browser.get("/sign-in").headers["Set-Cookie"].partition("=")
    served.close()
    assert name == expected
    assert ("secure" in rest.lower()) == is_secure
    assert {"httponly", "samesite=lax", "path=/"} <= {each.strip().lower() for each in rest.split(";")}
    assert "domain" not in rest.lower()


def test_a_session_never_has_the_secret_that_the_browser_came_with(browser: Browser) -> None:
    browser.get("/sign-in")
    before = browser.client.cookies["comity"]
    browser.send("/sign-in", name="mara", password=PASSWORD)
    assert browser.client.cookies["comity"] != before
    planted = "a" * 43
    browser.client.cookies.set("comity", planted, domain="console.example.org")
    browser.send("/sign-in", name="mara", password=PASSWORD)
    assert planted not in browser.client.cookies.values() or browser.client.cookies["comity"] != planted


def test_a_form_of_another_site_or_another_browser_is_refused(browser: Browser, served: Served) -> None:
    browser.send("/sign-in", name="mara", password=PASSWORD)
    page = browser.get("/console/password").text
    token = Form(page, "/console/password").fields["csrf"][0]
    sent = {"old": PASSWORD, "new": "another four words here", "again": "another four words here"}

    def status(csrf: str | None, headers: dict[str, str] | None = None) -> int:
        data = sent if csrf is None else {**sent, "csrf": csrf}
        path = "/console/password"
        return browser.client.post(path, data=data, headers=headers, follow_redirects=False).status_code

    assert status(None) == 403
    assert status("") == 403
    assert status("é") == 403
    assert status(form_token("another browser's cookie")) == 403
    assert status(token, {"Sec-Fetch-Site": "cross-site"}) == 403
    assert status(token, {"Sec-Fetch-Site": "same-site"}) == 403
    assert served.sign_in.by_password("mara", PASSWORD, NOW)  # nothing was changed
    assert status(token, {"Sec-Fetch-Site": "same-origin"}) == 303


def test_signing_in_by_a_form_of_another_site_is_refused_too(browser: Browser) -> None:
    """Else somebody could be signed in as another without noticing, and write what the other reads."""
    sent = {"name": "mara", "password": PASSWORD, "csrf": ""}
    assert browser.client.post("/sign-in", data=sent, follow_redirects=False).status_code == 403
    browser.get("/sign-in")
    assert browser.client.post("/sign-in", data=sent, follow_redirects=False).status_code == 403
    assert browser.send("/sign-in", name="mara", password=PASSWORD).status_code == 303


HOSTILE = (
    (b"csrf=%ff%fe&name=a", "application/x-www-form-urlencoded"),
    (b"csrf=%ed%a0%80", "application/x-www-form-urlencoded"),
    (b"\xff\xfe=\x00", "application/x-www-form-urlencoded; charset=utf-16"),
    (b"csrf=1", "application/x-www-form-urlencoded; charset=nonsense"),
    (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
    (b"--x", "multipart/form-data"),
    (b"{", "application/json"),
    (b"", ""),
)


@pytest.mark.parametrize(("body", "kind"), HOSTILE)
def test_a_form_that_cannot_be_read_is_refused_on_a_page(browser: Browser, body: bytes, kind: str) -> None:
    token = Form(browser.get("/sign-in").text, "/sign-in").fields["csrf"][0]
    for headers in ({"Content-Type": kind}, {"Content-Type": kind, "X-CSRF-Token": token}):
        told = browser.client.post("/sign-in", content=body, headers=headers, follow_redirects=False)
        assert told.status_code in (400, 403), told.text
        assert told.headers["Content-Type"].startswith("text/html")


def test_a_field_that_a_form_does_not_have_is_refused(browser: Browser) -> None:
    """Nobody gives themselves a role by adding a field."""
    browser.send("/sign-in", name="mara", password=PASSWORD)
    new = "another four words here"
    told = browser.send("/console/password", old=PASSWORD, new=new, again=new, roles="operator")
    assert told.status_code == 400
    assert "roles" in told.text
    assert browser.send("/console/password", old=PASSWORD, new=new, again=new).status_code == 303


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/console//evil.example/..",
        "/console\r\nLocation: https://evil.example",
        "javascript:alert(1)",
        "/consoleevil",
        "/console@evil.example",
        "/sign-out",
        "",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(browser: Browser, place: str) -> None:
    assert own(place) == "/console"
    assert browser.send("/sign-in", name="mara", password=PASSWORD, next=place).headers["Location"] == "/console"


def test_whoever_asked_for_a_page_of_the_console_gets_there(browser: Browser) -> None:
    asked = browser.get("/console/password").headers["Location"]
    assert Form(browser.get(asked).text, "/sign-in").fields["next"] == ["/console/password"]
    told = browser.send(asked, "/sign-in", name="mara", password=PASSWORD)
    assert told.headers["Location"] == "/console/password"
    assert own("/console/queue?clause=spam&after=1") == "/console/queue?clause=spam&after=1"


def test_every_page_problem_and_file_is_sent_with_the_headers_and_without_inline_script(browser: Browser) -> None:
    browser.send("/sign-in", name="mara", password=PASSWORD)
    css = re.search(r"/static/comity\.css\?\w+", browser.get("/console/password").text)
    assert css is not None
    paths = (
        "/console/agreement",
        "/console/agreement/draft",
        "/console/password",
        "/sign-in",
        "/enter/nothing",
        css[0],
    )
    for path in paths:
        told = browser.get(path)
        for name, value in (SAFE if path.startswith("/static") else PRIVATE).items():
            assert told.headers.get_list(name) == [value], (path, name)
        if told.headers["Content-Type"].startswith("text/html"):
            assert not re.search(r"<script(?![^>]* src=)| on\w+=| style=|javascript:", told.text), path
    policy = SAFE["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_link_is_looked_at_without_being_used_up(browser: Browser, served: Served) -> None:
    link = served.sign_in.make_link(MARA, NOW)
    for _ in range(2):
        assert "Sign in as mara" in browser.get(f"/enter/{link}").text
    told = browser.send(f"/enter/{link}")
    assert (told.status_code, told.headers["Location"]) == (303, "/console/password")
    assert "Present password" not in browser.get("/console/password").text
    assert browser.get(f"/enter/{link}").status_code == 410


def test_part_of_a_page_takes_the_whole_page_to_the_sign_in(browser: Browser) -> None:
    told = browser.client.get("/console", headers={"HX-Request": "true"}, follow_redirects=False)
    assert (told.status_code, told.headers["HX-Redirect"]) == (401, "/sign-in")


def test_a_page_without_a_form_leaves_no_cookie(browser: Browser) -> None:
    assert "Set-Cookie" not in browser.get("/enter/nothing").headers
    assert "Set-Cookie" not in browser.get("/static/keys.js").headers


def test_hidden_characters_in_somebody_elses_text_are_shown(browser: Browser) -> None:
    told = browser.send("/sign-in", name="a\u202eb\x00c", password="wrong")
    assert "a\\u202eb\\x00c" in told.text
