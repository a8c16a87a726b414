"""Runs the benchmarks, all or the one named, and writes their figures as a table to benchmarks/results.md.

python benchmarks [NAME]
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.md"
NO_BENCHMARKS = ("__main__", "common")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    name: str
    value: str
    unit: str
    target: str


def main(wanted: list[str]) -> int:
    """Exit code 1 if any benchmark fails, 2 if there is none of that name."""
    files = {
        file.stem.replace("_", "-"): file for file in sorted(FOLDER.glob("*.py")) if file.stem not in NO_BENCHMARKS
    }
    names = [name.replace("_", "-") for name in wanted] or list(files)
    if unknown := [name for name in names if name not in files]:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(files)}", file=sys.stderr)
        return 2
    results = [result for name in names if (result := run(files[name])) is not None]
    RESULTS.write_text(table(results), encoding="utf-8")
    print(f"\n{RESULTS.read_text(encoding='utf-8')}")
    return 0 if len(results) == len(names) else 1


def run(file: Path) -> Result | None:
    """Runs one and reads its closing line; `None` if it failed."""
    print(f"== {file.stem}", flush=True)
    done = subprocess.run([sys.executable, file], stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, end="", flush=True)
    if done.returncode != 0:
        print(f"{file.stem}: failed", file=sys.stderr)
        return None
    *lines, last = done.stdout.splitlines()
    name, value, unit = last.split()
    target = next((line.removeprefix("target: ") for line in reversed(lines) if line.startswith("target: ")), "")
    return Result(name=name, value=value, unit=unit, target=target)


def table(results: list[Result]) -> str:
    """Markdown, with the machine in the caption."""
    rows = [f"| {result.name} | {result.value} {result.unit} | {result.target} |" for result in results]
    machine = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return "\n".join(
        [f"# Benchmarks\n\n{machine}.\n", "| benchmark | reached | must reach |", "|---|---|---|", *rows, ""]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
