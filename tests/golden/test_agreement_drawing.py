"""Drawn diagnostics, character for character. `--update` rewrites the files; read the diff."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from comity.agreement import Checked, Diagnostic, Severity, as_github, as_json, draw, load

CORPUS = Path(__file__).parents[1] / "corpus" / "agreements"
DRAWN = Path(__file__).parent / "diagnostics"
Golden = Callable[[Path, str], None]

EXAMPLE = """\
error[C012]: unknown variable `author.agee`
  --> house-rules.md:22:21
   |
22 | links.size() > 3 && author.agee < days(7)
   |                     ^^^^^^^^^^^ not a variable of a message
   = help: did you mean `author.age`?
"""


def checked(file: Path) -> Checked:
    def read(path: str) -> bytes | None:
        return (file.parent / path).read_bytes() if (file.parent / path).is_file() else None

    return load(file.name, file.read_bytes(), read)


def one(line: int, column: int, end_line: int, end_column: int, **more: str) -> Diagnostic:
    return Diagnostic(
        code="C000",
        severity=Severity.ERROR,
        message=more.get("message", "it is wrong"),
        file="a.md",
        line=line,
        column=column,
        end_line=end_line,
        end_column=end_column,
        label=more.get("label", "here"),
        help=more.get("help", ""),
    )


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.md")), ids=lambda file: file.stem)
def test_an_agreement_of_the_corpus_is_drawn_as_it_was(file: Path, golden: Golden) -> None:
    found = checked(file)
    golden(DRAWN / f"{file.stem}.txt", draw(found.diagnostics, found.sources))


def test_the_drawing_is_that_of_the_design() -> None:
    text = "\n" * 21 + "links.size() > 3 && author.agee < days(7)\n"
    shown = Diagnostic(
        code="C012",
        severity=Severity.ERROR,
        message="unknown variable `author.agee`",
        file="house-rules.md",
        line=22,
        column=21,
        end_line=22,
        end_column=32,
        label="not a variable of a message",
        help="did you mean `author.age`?",
    )
    assert draw([shown], {"house-rules.md": text}) == EXAMPLE


@pytest.mark.parametrize(
    ("text", "span", "shown", "carets"),
    [
        ("a\tb", (1, 3, 1, 4), "a    b", "     ^ here"),
        ("漢字 x", (1, 4, 1, 5), "漢字 x", "     ^ here"),
        ("漢字 x", (1, 1, 1, 3), "漢字 x", "^^^^ here"),
        ("e\u0301x", (1, 3, 1, 4), "e\u0301x", " ^ here"),
        ("a\u202eb", (1, 2, 1, 3), "a\\u{202e}b", " ^^^^^^^^ here"),
        ("a\x1b[2Jb", (1, 2, 1, 3), "a\\u{1b}[2Jb", " ^^^^^^ here"),
        ("a\u200bb", (1, 3, 1, 4), "a\\u{200b}b", "         ^ here"),
        ("abc", (1, 4, 1, 4), "abc", "   ^ here"),
        ("abc\nd", (1, 3, 2, 1), "abc", "  ^ here"),
    ],
    ids=["tab", "wide before", "wide within", "combining", "bidi", "escape", "zero width", "line end", "new line"],
)
def test_carets_stand_below_what_they_mean(text: str, span: tuple[int, int, int, int], shown: str, carets: str) -> None:
    lines = draw([one(*span)], {"a.md": text}).splitlines()
    assert lines[3:5] == [f"1 | {shown}", f"  | {carets}"]


def test_a_span_over_lines_has_a_bar() -> None:
    drawn = draw([one(1, 5, 3, 3)], {"a.md": "one two\nthree\nfour\n"}).splitlines()
    assert drawn[3:] == ["1 |   one two", "  |  _____^", "2 | | three", "3 | | four", "  | |__^ here"]


def test_a_span_over_whole_lines_begins_with_a_slash() -> None:
    drawn = draw([one(1, 1, 2, 6)], {"a.md": "one\nthree\n"}).splitlines()
    assert drawn[3:] == ["1 | / one", "2 | | three", "  | |_____^ here"]


def test_a_span_over_many_lines_is_abridged() -> None:
    text = "".join(f"line {number}\n" for number in range(1, 1001))
    drawn = draw([one(1, 1, 1000, 5)], {"a.md": text})
    assert len(drawn.splitlines()) < 15
    assert "line 1000" in drawn


def test_a_long_line_is_shown_around_the_span() -> None:
    drawn = draw([one(1, 5001, 1, 5004)], {"a.md": "x" * 5000 + "bad" + "y" * 5000})
    source, carets = drawn.splitlines()[3:5]
    assert len(source) < 180
    assert source[carets.index("^") : carets.rindex("^") + 1] == "bad"


def test_what_comes_from_the_file_cannot_command_a_terminal() -> None:
    shown = one(1, 1, 1, 2, message="\x1b[31m", label="\u202e", help="\x07")
    for text in (draw([shown], {"a.md": "\x1b[31m"}), as_github([shown]), as_json([shown])):
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)


def test_a_file_without_text_is_named() -> None:
    assert draw([one(1, 1, 1, 1)], {}).startswith("error[C000]: it is wrong\n --> a.md:1:1\n")


def test_no_problems_draw_nothing() -> None:
    assert (draw([], {}), as_github([])) == ("", "")


def test_json_counts_from_zero_and_is_shaped_as_the_language_server_protocol_has_it() -> None:
    (shown,) = json.loads(as_json([one(22, 21, 22, 32, help="mend it")]))
    assert shown["range"] == {"start": {"line": 21, "character": 20}, "end": {"line": 21, "character": 31}}
    assert (shown["uri"], shown["severity"], shown["code"], shown["message"]) == ("a.md", 1, "C000", "it is wrong")
    assert shown["codeDescription"]["href"].endswith("C000.md")
    assert [each["message"] for each in shown["relatedInformation"]] == ["here", "mend it"]


def test_github_commands_are_escaped() -> None:
    shown = one(2, 1, 2, 5, message="100% wrong\n::error::planted", help="")
    assert as_github([shown]) == (
        "::error file=a.md,line=2,endLine=2,col=1,endColumn=5,title=C000::100%25 wrong%0A::error::planted%0Ahere\n"
    )
