"""Pages are drawn before any script has come: none stands in their way."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

TEMPLATES = [file for file in files("comity.console").joinpath("templates").iterdir() if file.name.endswith(".html")]


def test_scripts_there_are() -> None:
    assert any(scripts(file.read_text(encoding="utf-8")) for file in TEMPLATES)


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_a_page_does_not_wait_for_its_scripts(file) -> None:
    assert [tag for tag in scripts(file.read_text(encoding="utf-8")) if not re.search(r"\sdefer\b", tag)] == []


def scripts(page: str) -> list[str]:
    return re.findall(r"<script\b[^>]*>", page)
