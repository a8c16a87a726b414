"""Laws of reading agreements: whatever the bytes, an agreement or errors, in the file, and the same ones again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from comity.agreement import Checked, as_github, as_json, draw, load
from comity.agreement.digest import digest
from comity.agreement.names import path_trouble
from comity.model.agreement import SourceFile

CORPUS = Path(__file__).parents[1] / "corpus"
SEEDS = tuple(
    file.read_text(encoding="utf-8", errors="replace")
    for folder in ("agreements", "policies")
    for file in sorted((CORPUS / folder).glob("*.md"))
)
PIECES = (
    "---\n",
    "```",
    "```rule\n",
    "```examples\n",
    "```rule points=0 decide=",
    "{#",
    "}",
    "{#measures}",
    "## ",
    "> ",
    "- ",
    "\n\n",
    "\t",
    "| points | measure | channels | for |\n|---|---|---|---|\n",
    "| 1 | warn | | |\n",
    "|",
    "\\|",
    "until reviewed, at least ",
    "1 to 30 days",
    "after 2 days: ",
    "breach: ",
    "  author.age: ",
    "  meta: {a: [}",
    "&a ",
    "*a",
    "!!int ",
    "? ",
    "'",
    '"',
    "\r\n",
    "\0",
    "\ufeff",
    "\u202e",
    "\u2028",
    "\x85",
    "\x0c",
    "😀",
    "漢",
    "<!--",
    "<div>",
    "999999999999999999999 days",
    "90 days",
)


def nothing(path: str) -> bytes | None:
    assert path_trouble(path) is None
    return None


def anything(path: str) -> bytes | None:
    return f"{path}\n*\nwalnut".encode()


@st.composite
def mutated(draw_: st.DrawFn) -> str:
    """An agreement of the corpus with pieces planted, runs cut out and runs repeated."""
    text = draw_(st.sampled_from(SEEDS))
    for _ in range(draw_(st.integers(1, 4))):
        start = draw_(st.integers(0, len(text)))
        end = min(len(text), start + draw_(st.integers(0, 80)))
        piece = draw_(st.one_of(st.sampled_from(PIECES), st.text(max_size=5), st.just(text[start:end] * 2)))
        text = text[:start] + piece + text[end:]
    return text


def check_laws(checked: Checked, content: bytes) -> None:
    errors = [one for one in checked.diagnostics if one.is_error]
    assert (checked.agreement is None) == bool(errors)
    lines = content.decode("utf-8", errors="replace").split("\n")
    for one in checked.diagnostics:
        assert (1, 1) <= (one.line, one.column) <= (one.end_line, one.end_column)
        if one.file == "a.md":
            assert one.end_line <= len(lines)
            assert one.column <= len(lines[one.line - 1]) + 1
            assert one.end_column <= len(lines[one.end_line - 1]) + 1
    drawn = draw(checked.diagnostics, checked.sources)
    assert as_json(checked.diagnostics).isascii()
    for text in (drawn, as_github(checked.diagnostics)):
        assert not any(character < " " and character != "\n" for character in text)


@given(st.binary(max_size=300))
@example(b"\xff\xfe---\n")
def test_any_bytes_give_an_agreement_or_errors(content: bytes) -> None:
    check_laws(load("a.md", content, nothing), content)


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=40).map("".join))
def test_any_pieces_of_agreements_give_an_agreement_or_errors(text: str) -> None:
    content = text.encode("utf-8", errors="replace")
    check_laws(load("a.md", content, nothing), content)


def told(checked: Checked) -> tuple[object, ...]:
    """All that a reading says: an agreement is never compared whole."""
    agreement = checked.agreement
    parts = [getattr(agreement, part.name) for part in dataclasses.fields(agreement)] if agreement else None
    return checked.diagnostics, checked.sources, parts


@given(mutated())
def test_any_mutated_agreement_gives_an_agreement_or_errors(text: str) -> None:
    content = text.encode("utf-8", errors="replace")
    check_laws(load("a.md", content, anything), content)
    assert told(load("a.md", content, anything)) == told(load("a.md", content, anything))


@given(st.sampled_from(SEEDS), st.integers(0, 10_000), st.text(alphabet="ab #*`|-\n", min_size=1, max_size=3))
def test_the_digest_changes_exactly_when_the_content_does(text: str, at: int, planted: str) -> None:
    changed = text[: at % len(text or " ")] + planted + text[at % len(text or " ") :]
    first, again, other = (
        load(name, text_.encode(), anything) for name, text_ in (("a", text), ("b", text), ("a", changed))
    )
    if first.agreement is not None and again.agreement is not None:
        assert first.agreement.digest == again.agreement.digest
        assert other.agreement is None or other.agreement.digest != first.agreement.digest


FILES = st.dictionaries(st.text(max_size=3), st.binary(max_size=5), max_size=4)


@given(FILES, FILES)
def test_two_versions_have_one_digest_only_if_all_their_files_are_equal(
    first: dict[str, bytes], second: dict[str, bytes]
) -> None:
    def of(files: dict[str, bytes]) -> str:
        return digest(SourceFile(path=path, content=content) for path, content in files.items())

    assert (of(first) == of(second)) == (first == second)
    assert of(first) == of(dict(reversed(first.items())))


@given(st.text(alphabet="a./\\:~ -\u202e", max_size=12))
def test_a_path_that_is_taken_stays_inside_the_folder(path: str) -> None:
    if path_trouble(path) is None:
        parts = path.split("/")
        assert not set(parts) & {"", ".", ".."}
        assert not set(path) & set("\\:")
