"""`comity user`: who can sign in, made from the command line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from comity.app import users
from comity.app.errors import StopError
from comity.app.settings import Settings, settings
from comity.app.wiring import SystemClock
from comity.stores.users import UserFile


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return settings({"serve.url": "https://console.example.org/"})


def whose(here: Settings, link: str) -> str | None:
    file = UserFile(here.folder / "access.db")
    token = link.removeprefix("https://console.example.org/enter/")
    found = file.link(hashlib.sha256(token.encode()).digest(), SystemClock().now())
    file.close()
    return found


def test_the_first_operator_gets_in_by_a_link_that_is_kept_as_a_hash_alone(
    here: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    users.add("mara", ["operator", "reviewer"], here, asks=False, hours=24, as_json=False)
    link = capsys.readouterr().out.strip()
    assert whose(here, link) == "mara"
    kept = b"".join(file.read_bytes() for file in here.folder.iterdir())
    assert link.rsplit("/", 1)[1].encode() not in kept
    assert (here.folder / "access.db").stat().st_mode & 0o077 == 0
    users.link("mara", here, hours=1, as_json=True)
    again = json.loads(capsys.readouterr().out)["link"]
    assert (whose(here, link), whose(here, again)) == (None, "mara")


def test_people_are_listed_given_other_roles_and_removed(here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    users.every(here, as_json=False)
    assert "comity user add NAME --role operator" in capsys.readouterr().out
    users.add("mara", ["operator"], here, asks=False, hours=24, as_json=True)
    link = json.loads(capsys.readouterr().out)["link"]
    users.role("mara", ["reviewer", "appeals reviewer"], here)
    users.unlock("mara", here)
    capsys.readouterr()
    users.every(here, as_json=False)
    assert capsys.readouterr().out == "mara: appeals reviewer, reviewer\n"
    users.remove("mara", here)
    assert whose(here, link) is None
    with pytest.raises(StopError, match="has no role"):
        users.link("mara", here, hours=1, as_json=False)
    with pytest.raises(StopError, match="known already and was removed"):
        users.add("mara", ["operator"], here, asks=False, hours=24, as_json=False)


@pytest.mark.parametrize(
    ("name", "roles", "hours", "told"),
    [
        ("Mara", ["operator"], 24, "no name to sign in with"),
        ("mara", ["gate"], 24, "no role of a person"),
        ("mara", [], 24, "at least one role"),
        ("mara", ["operator"], 0, "lasts 1 to 168 hours"),
    ],
)
def test_what_does_not_fit_is_refused(here: Settings, name: str, roles: list[str], hours: int, told: str) -> None:
    with pytest.raises(StopError, match=told):
        users.add(name, roles, here, asks=False, hours=hours, as_json=False)


def test_a_password_is_typed_by_somebody_who_is_there(here: Settings) -> None:
    with pytest.raises(StopError, match="nobody is there"):
        users.add("mara", ["operator"], here, asks=True, hours=24, as_json=False)
    with pytest.raises(StopError, match="there is nobody called 'mara'"):
        users.unlock("mara", here)
