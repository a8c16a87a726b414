"""Every diagnostic has a page; its failing example fails with that code, its mended one has no problem at all.

A page shows whole agreements in `markdown` fences under `## Fails` and `## Mended`; further files follow, each in a
fence with a `title`. What cannot be shown as text is written between angle brackets: `⟨U+202E⟩` a character, `⟨0xFF⟩`
a byte, `⟨TEXT × 300⟩` a repetition, in which `№` counts from 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from comity.agreement.codes import TITLES
from comity.agreement.load import Checked
from comity.flow.check import check

PAGES = Path(__file__).parents[2] / "docs" / "diagnostics"
SPECIAL = re.compile(r"⟨(?:U\+(?P<point>[0-9A-F]+)|0x(?P<byte>[0-9A-F]{2})|(?P<text>[^⟩]+) × (?P<count>\d+))⟩")

Files = dict[str, bytes]
"""Contents by path; the agreement's path is empty."""


def expanded(text: str) -> bytes:
    """The bytes that a shown example stands for."""

    def stood_for(match: re.Match[str]) -> str:
        if match["point"]:
            return chr(int(match["point"], 16))
        if match["byte"]:
            return chr(0xDC00 + int(match["byte"], 16))
        if "№" not in match["text"]:
            return match["text"] * int(match["count"])
        return "".join(match["text"].replace("№", str(number)) for number in range(1, int(match["count"]) + 1))

    return SPECIAL.sub(stood_for, text).encode("utf-8", errors="surrogateescape")


def examples(page: Path) -> dict[str, Files]:
    """The files of each section that shows any, by the section's heading."""
    sections: dict[str, Files] = {}
    heading = ""
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.type == "heading_open":
            heading = token.content
        elif token.type == "fence":
            sections.setdefault(heading, {})[shown_path(token)] = expanded(token.content)
    return sections


def shown_path(fence: Token) -> str:
    title = re.search(r'title="([^"]+)"', fence.info)
    return title[1] if title else ""


def checked(files: Files) -> Checked:
    return check("agreement.md", files[""], files.get)


@pytest.mark.parametrize("code", TITLES)
def test_a_code_has_a_page_whose_examples_show_it(code: str) -> None:
    page = PAGES / f"{code}.md"
    shown = examples(page)
    assert page.read_text(encoding="utf-8").startswith(f"# {code}: {TITLES[code]}\n")
    assert code in {one.code for one in checked(shown["Fails"]).diagnostics}
    assert checked(shown["Mended"]).diagnostics == ()


def test_every_page_belongs_to_a_code() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} - {"index"} == set(TITLES)


def test_the_index_lists_all_codes(golden: Callable[[Path, str], None]) -> None:
    rows = "".join(f"| [{code}]({code}.md) | {title} |\n" for code, title in TITLES.items())
    golden(PAGES / "index.md", f"{INTRODUCTION}\n| code | problem |\n|---|---|\n{rows}")


INTRODUCTION = """\
# Diagnostics

`comity check` reports all problems of an agreement at once. Each has a code, which never changes its meaning, and a
page here with an agreement that has the problem and one in which it is mended.

```text
error[C012]: unknown variable `author.agee`
  --> house-rules.md:22:21
   |
22 | links.size() > 3 && author.agee < days(7)
   |                     ^^^^^^^^^^^ not a variable of a message
   = help: did you mean `author.age`?
```

Lines and columns count from 1, in Unicode code points. An agreement with an error cannot be published; a warning is
advice. `--format json` writes the same as a list of diagnostics in the shape of the Language Server Protocol (positions
from 0, in code points: its position encoding `utf-32`), `--format github` as workflow commands that GitHub shows beside
the lines.
"""
