"""Runs the benchmarks, all or the one named, and writes their figures to benchmarks/results.md, with plots.

python benchmarks [NAME]
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from plots import bars

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.md"
PLOTS = FOLDER / "plots"
NO_BENCHMARKS = ("__main__", "common", "plots", "twenty", "by_hand", "engines", "gates", "million", "asking")
LIBRARIES = ("hyperscan", "google-re2", "cel-expr-python", "msgspec", "numpy", "pyarrow", "apsw")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A result, or a part that it is made of."""

    name: str
    value: str
    unit: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    closing: Figure
    parts: tuple[Figure, ...]


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
    PLOTS.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(page(results)), encoding="utf-8")
    print(f"\n{RESULTS.read_text(encoding='utf-8')}")
    return 0 if len(results) == len(names) else 1


def run(file: Path) -> Result | None:
    """Runs one and reads its lines; `None` if it failed."""
    print(f"== {file.stem}", flush=True)
    done = subprocess.run([sys.executable, file], stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, end="", flush=True)
    if done.returncode != 0:
        print(f"{file.stem}: failed", file=sys.stderr)
        return None
    *lines, last = done.stdout.splitlines()
    name, value, unit = last.split()
    target = next((line.removeprefix("target: ") for line in reversed(lines) if line.startswith("target: ")), "")
    parts = tuple(part_of(line.removeprefix("part: ")) for line in lines if line.startswith("part: "))
    return Result(closing=Figure(name=name, value=value, unit=unit, target=target), parts=parts)


def part_of(line: str) -> Figure:
    name, figure, *target = line.split(" | ")
    value, _, unit = figure.partition(" ")
    return Figure(name=name, value=value, unit=unit, target="".join(target))


def page(results: list[Result]) -> Iterator[str]:
    """Markdown: the machine, all results, then the parts of each, with plots of those that share a unit."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    yield "# Benchmarks\n"
    machine = f"{processor()}, {os.cpu_count()} cores, {platform.system()}"
    yield f"{machine}; Python {platform.python_version()}, {libraries}.\n"
    yield from rows(result.closing for result in results)
    for result in results:
        if result.parts:
            name = result.closing.name
            yield f"## {name}\n"
            yield from rows(result.parts)
            for unit in dict.fromkeys(figure.unit for figure in result.parts):
                figures = [(figure.name, float(figure.value)) for figure in result.parts if figure.unit == unit]
                plot = PLOTS / f"{name}-{unit.split('/')[0].replace(' ', '-')}.svg"
                plot.write_text(bars(f"{name}, {unit}", figures), encoding="utf-8")
                yield f"![{name}, {unit}]({plot.relative_to(FOLDER).as_posix()})\n"


def rows(figures: Iterator[Figure] | tuple[Figure, ...]) -> Iterator[str]:
    yield "| benchmark | reached | must reach |\n|---|---|---|"
    yield from (f"| {figure.name} | {figure.value} {figure.unit} | {figure.target} |" for figure in figures)
    yield ""


def processor() -> str:
    """Its name, as the system gives it."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text(encoding="utf-8").splitlines() if cpus.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
