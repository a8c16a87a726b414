"""The unit and the container: their commands are ones that Comity has, and the unit may do little."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from comity.app.main import app

DEPLOY = Path(__file__).parents[2] / "deploy"


def options_of_serve() -> str:
    return CliRunner().invoke(app, ["serve", "--help"], terminal_width=200).output


def test_the_unit_and_the_container_start_serve_with_options_that_it_has() -> None:
    unit, container = (DEPLOY / "comity.service").read_text(), (DEPLOY / "Containerfile").read_text()
    started = re.findall(r"^ExecStart=\S+/comity serve (.*)$", unit, re.MULTILINE)
    started += re.findall(r'^CMD \["serve", (.*)\]$', container, re.MULTILINE)
    assert len(started) == 2
    for option in re.findall(r"--[a-z]+", " ".join(started)):
        assert option in options_of_serve(), option


def test_the_container_runs_as_nobody_in_particular_and_installs_pinned_packages() -> None:
    container = (DEPLOY / "Containerfile").read_text()
    assert re.search(r"^USER (\d{5}):\1$", container, re.MULTILINE)
    assert "--require-hashes -r requirements/runtime.txt" in container


def test_the_pages_commands_are_the_units_and_the_containers() -> None:
    page = (DEPLOY.parent / "docs" / "serve.md").read_text()
    unit, container = (DEPLOY / "comity.service").read_text(), (DEPLOY / "Containerfile").read_text()
    (made,) = re.findall(r"^# Its user: (.*)$", unit, re.MULTILINE)
    (built, *_) = re.findall(r"^# (docker build \S+ \S+ -t comity \.)", container)
    for command in (made, built):
        assert f"\n{command}\n" in page
