"""Agreements named by what they show; each says in its last line which codes are expected of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from comity.agreement import load

CORPUS = Path(__file__).parent / "agreements"
EXPECTED = re.compile(rb"<!-- expected: (.*) -->")


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.md")), ids=lambda file: file.stem)
def test_an_agreement_has_exactly_the_problems_that_it_shows(file: Path) -> None:
    def read(path: str) -> bytes | None:
        return (file.parent / path).read_bytes() if (file.parent / path).is_file() else None

    content = file.read_bytes()
    expected = EXPECTED.search(content)
    codes = set(expected[1].decode().replace("nothing", "").split()) if expected else {"C040", "C077"}
    checked = load(file.name, content, read)
    assert {one.code for one in checked.diagnostics} == codes
    assert (checked.agreement is None) == any(one.is_error for one in checked.diagnostics)
