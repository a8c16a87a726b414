"""Documentation pages as tests: what a page tells the reader to type is typed, in order, in a folder of its own.

Fences that are run (any other is only shown):

    ```console              `$ ` lines are commands, the others are what they print; `...` stands for anything;
                            `$ cd FOLDER` holds for the rest of the page
    ```diff                 `--- FILE`, then the change that the reader makes to it
    ```csv title="FILE"     a file that the reader saves; so are jsonl, toml and text with a title
    ````markdown            an agreement, as its front matter shows; saved, and `comity check` must find nothing
    ```python               a program that must run; with a title: a file that the reader saves
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sybil import Document, Example, Region, Sybil

FENCE = re.compile(
    r"^(?P<ticks>`{3,})(?P<language>\w+)(?: +title=\"(?P<title>[^\"]+)\")?\n(?P<body>.*?)^(?P=ticks)$",
    re.MULTILINE | re.DOTALL,
)
ROOT = Path(__file__).parents[1]
HERE = Path(sys.executable).parent
SAVED = ("csv", "jsonl", "toml", "text")
TOO_LONG = 60  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fenced block. `title` is the file name that the page shows above it, or empty."""

    language: str
    title: str
    body: str


def pages(*, patterns: tuple[str, ...], excludes: tuple[str, ...] = ()) -> Sybil:
    """Collects the fences of the pages that match, as tests that share one folder per page."""
    return Sybil(
        parsers=[_fences], patterns=patterns, excludes=excludes, path=str(ROOT), setup=_set_up, teardown=_tear_down
    )


def walk(page: Path, folder: Path, *, commands: Path = HERE) -> int:
    """Runs all of a page in the folder, with the programs in `commands` first on the path. How many fences that was."""
    document = pages(patterns=()).parse(page)
    document.namespace.update(folder=folder, commands=commands)
    examples = list(document.examples())
    for example in examples:
        example.evaluate()
    return len(examples)


def _fences(document: Document) -> Iterator[Region]:
    for match in FENCE.finditer(document.text):
        fence = Fence(language=match["language"], title=match["title"] or "", body=match["body"])
        is_agreement = fence.language == "markdown" and fence.body.startswith("---\ncomity:")
        if fence.language in ("console", "diff", "python") or is_agreement or (fence.title and fence.language in SAVED):
            yield Region(match.start(), match.end(), fence, _run)


def _set_up(namespace: dict[str, object]) -> None:
    namespace["top"] = namespace["folder"] = Path(tempfile.mkdtemp(prefix="comity-page-"))
    namespace["commands"] = HERE


def _tear_down(namespace: dict[str, object]) -> None:
    shutil.rmtree(_path(namespace, "top"))


def _path(namespace: dict[str, object], name: str) -> Path:
    path = namespace[name]
    assert isinstance(path, Path)
    return path


def _run(example: Example) -> None:
    fence, folder, commands = example.parsed, _path(example.namespace, "folder"), _path(example.namespace, "commands")
    assert isinstance(fence, Fence)
    match fence.language:
        case "console":
            for command, expected in _session(fence.body):
                if command.startswith("cd "):
                    example.namespace["folder"] = folder = folder / command.removeprefix("cd ")
                else:
                    _type(command, expected, folder, commands)
        case "diff":
            _change(fence.body, folder)
        case "python" if not fence.title:
            _type_python(fence.body, folder, commands)
        case "markdown":
            _save(fence.title or "agreement.md", fence.body, folder)
            said = _type(f"comity check {fence.title or 'agreement.md'}", "", folder, commands)
            assert "warning[" not in said, said
        case _:
            _save(fence.title, fence.body, folder)


def _session(body: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block with the output that the page shows for it."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        while command.endswith("\\"):
            more, _, expected = expected.partition("\n")
            command = command[:-1] + more.removeprefix(">")
        yield command, expected


def _environment(commands: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "100"}


def _type(command: str, expected: str, folder: Path, commands: Path) -> str:
    """Runs a shell command; its output. It may only fail where the page shows an error."""
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=_environment(commands),
        capture_output=True,
        text=True,
        timeout=TOO_LONG,
        check=False,
    )
    output = done.stdout + done.stderr
    may_fail = re.search(r"^error\b", expected, re.MULTILINE) is not None
    assert (done.returncode != 0) == may_fail, f"$ {command}\n{output}\nexit code {done.returncode}"
    if expected.strip():
        assert matches(expected, output), f"$ {command}\n--- the page shows\n{expected}--- it prints\n{output}"
    return output


def matches(expected: str, output: str) -> bool:
    """Whether the output is what the page shows, `...` standing for any text, ends of lines for any spaces."""

    def trimmed(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip().splitlines())

    pattern = ".*?".join(re.escape(part) for part in trimmed(expected).split("..."))
    return re.fullmatch(pattern, trimmed(output), re.DOTALL) is not None


def _type_python(body: str, folder: Path, commands: Path) -> None:
    done = subprocess.run(
        [commands / "python", "-c", body],
        cwd=folder,
        env=_environment(commands),
        capture_output=True,
        text=True,
        timeout=TOO_LONG,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _change(body: str, folder: Path) -> None:
    first, *lines = body.splitlines(keepends=True)
    file = folder / first.removeprefix("--- ").strip()
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{first.strip()} does not hold once what the page changes:\n{before}"
    file.write_text(text.replace(before, after), encoding="utf-8", newline="\n")


def _save(name: str, body: str, folder: Path) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(body, encoding="utf-8", newline="\n")
