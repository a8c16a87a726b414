"""Puts the demo's real output into the README, as text and as a picture: `python -m tools.readme_demo`."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "images" / "demo.svg"
BLOCK = re.compile(r"(?<=<!-- demo -->\n```text\n).*?(?=```\n<!-- /demo -->)", re.DOTALL)
SHOWN = ("The messages", "Findings", "The record", "The ledger")

_CHANGING = (
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:…"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "ID"),
    (re.compile(r"comity\.invalid/[0-9a-f]+"), "comity.invalid/…"),
    (re.compile(r"root \S+="), "root …"),
    (re.compile(r"in [0-9.]+ s \([0-9,]+ a second\)"), "in … s"),
    (re.compile(r"in force from \S+ \S+ UTC"), "in force from now"),
    (re.compile(r"\S*demo-record"), "demo-record"),
    (re.compile(r"  +"), "  "),
)


def demo(cache: Path) -> str:
    """What `comity demo` prints."""
    command = [sys.executable, "-m", "comity.app", "demo", "--cache", str(cache)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout.decode()


def settled(output: str) -> list[str]:
    """The output's lines without what differs from run to run: ids and times."""
    for pattern, same in _CHANGING:
        output = pattern.sub(same, output)
    return [line.rstrip() for line in output.strip().splitlines()]


def shown() -> str:
    """The output that stands in the README."""
    found = BLOCK.search(README.read_text(encoding="utf-8"))
    return found[0] if found else ""


def picture(output: str) -> str:
    """The parts that fit a picture, as SVG."""
    parts = re.split(r"\n\n(?=[A-Z][\w ,]+\n)", "\n" + output.strip())
    chosen = [part.strip() for part in parts if part.strip().startswith(SHOWN)]
    console = Console(record=True, width=118, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    console.print("[bold green]$[/] comity demo\n", highlight=False)
    for part in chosen:
        title, *lines = part.splitlines()
        console.print(Text(title, style="bold cyan"))
        console.print(Text("\n".join(line for line in lines if "not proved" not in line) + "\n"))
    return console.export_svg(title="comity demo", theme=MONOKAI, unique_id="demo")


def main() -> None:
    output = demo(ROOT / ".cache")
    README.write_text(BLOCK.sub(lambda _: output.lstrip("\n"), README.read_text(encoding="utf-8")), encoding="utf-8")
    PICTURE.write_text(picture(output), encoding="utf-8")


if __name__ == "__main__":
    main()
