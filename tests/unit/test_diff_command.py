"""`comity diff` as it is called: exit codes, what it prints, published versions."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from comity.app.errors import StopError
from comity.app.init import init
from comity.app.main import app
from comity.app.publish import publish
from comity.app.settings import settings


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an agreement and a draft of the next version."""
    init(tmp_path, "forum", None)
    text = (tmp_path / "agreement.md").read_text(encoding="utf-8")
    (tmp_path / "draft.md").write_text(text.replace("days(7)", "days(14)"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(*arguments: str) -> str:
    found = CliRunner().invoke(app, ["diff", *arguments], catch_exceptions=False)
    assert found.exit_code == 0
    return found.stdout


def test_a_difference_is_no_problem(rules: Path) -> None:
    assert "the rule is stricter (proved)" in said("agreement.md", "draft.md")


def test_the_other_way_round_it_is_looser(rules: Path) -> None:
    shown = said("draft.md", "agreement.md")

    assert "the rule is looser (proved)" in shown
    assert "only the old rule finds this message" in shown


def test_of_the_same_version_there_is_nothing_to_say(rules: Path) -> None:
    assert said("agreement.md", "agreement.md") == "agreement.md -> agreement.md\n\n7 clauses as before.\n"


def test_for_programs_all_is_said(rules: Path) -> None:
    found = json.loads(said("agreement.md", "draft.md", "--json"))
    clauses = {clause["id"]: clause for clause in found["clauses"]}

    assert clauses["flooding"]["verdict"] == "stricter"
    assert clauses["flooding"]["only_old"] == {"answer": "none", "proved": True}
    assert clauses["flooding"]["only_new"]["answer"] == "witness"
    assert clauses["slurs"]["verdict"] == "same"


def test_the_page_needs_nothing_else(rules: Path) -> None:
    said("agreement.md", "draft.md", "--html", "page.html")
    page = (rules / "page.html").read_text(encoding="utf-8")

    assert "the rule is stricter (proved)" in page
    assert "<script" not in page
    assert not re.search(r"\b(src|href|action)=|@import|url\(", page)
    assert "<h2>flooding: No flooding</h2>" in page


def test_what_a_message_holds_reaches_no_terminal_as_a_command(rules: Path) -> None:
    text = (
        (rules / "agreement.md").read_text(encoding="utf-8").replace("links.size() > 3", 'text == "\\u001b[2J\\u202e"')
    )
    (rules / "draft.md").write_text(text.replace("```examples", "```text"), encoding="utf-8")

    shown = said("agreement.md", "draft.md")

    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_versions_with_errors_are_not_compared(rules: Path) -> None:
    (rules / "draft.md").write_text("no agreement", encoding="utf-8")

    with pytest.raises(StopError) as stop:
        said("agreement.md", "draft.md")

    assert stop.value.code == 1


def test_a_published_version_goes_by_its_digest(rules: Path) -> None:
    chosen = settings({}, config=rules / "comity.toml")
    publish(rules / "agreement.md", chosen, effective=None, replay=False)
    digest = json.loads(said("agreement.md", "draft.md", "--json"))["old"]["digest"]

    assert "the rule is stricter (proved)" in said(digest[:20], "draft.md")


def test_a_digest_that_is_not_known_is_a_wrong_use(rules: Path) -> None:
    publish(rules / "agreement.md", settings({}, config=rules / "comity.toml"), effective=None, replay=False)

    with pytest.raises(StopError) as stop:
        said("sha256:0000", "draft.md")

    assert stop.value.code == 2
