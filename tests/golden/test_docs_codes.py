"""The list of codes in the documentation is the list of codes in the program, and each has its page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from comity.agreement.codes import TITLES, page

ROOT = Path(__file__).parents[2]
INDEX = ROOT / "docs" / "diagnostics" / "index.md"
LIST = "## All codes\n"


def test_the_index_lists_every_code(golden: Callable[[Path, str], None]) -> None:
    head = INDEX.read_text(encoding="utf-8").partition(LIST)[0]
    rows = [f"| [{code}]({code}.md) | {title} |" for code, title in TITLES.items()]
    golden(INDEX, "\n".join([f"{head}{LIST}", "| code | title |", "|---|---|", *rows, ""]))


def test_every_code_has_its_page_and_every_page_its_code() -> None:
    pages = {file.stem for file in INDEX.parent.glob("C*.md")}
    assert pages == set(TITLES)


def test_a_page_begins_with_its_code() -> None:
    wrong = [code for code in TITLES if not (ROOT / page(code)).read_text(encoding="utf-8").startswith(f"# {code}")]
    assert wrong == []
