"""The unit and the container: their commands are ones that Comity has, and the unit may do little."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
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
    assert re.search(r"^USER \d{5}$", container, re.MULTILINE)
    assert "--require-hashes -r requirements/runtime.txt" in container


def test_systemd_finds_the_unit_exposed_to_little() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not here")
    words = [analyze, "security", "--offline=true", "--no-pager", DEPLOY / "comity.service"]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    found = re.search(r"Overall exposure level for comity.service: ([\d.]+)", told)
    assert found is not None, told
    assert float(found[1]) < 2
