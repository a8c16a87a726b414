"""What a benchmark printed, read: its closing figure, the parts that it is made of, and whether targets are met."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MEETS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
TARGET = re.compile(r"(<=|>=|<|>) ([0-9][0-9,.]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A result, or a part that it is made of."""

    name: str
    value: float
    unit: str
    target: str

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None without one that is a number."""
        target = TARGET.match(self.target)
        return MEETS[target[1]](self.value, float(target[2].replace(",", ""))) if target else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One benchmark. `closing` None: it failed, or was left out, as `problem` or `left_out` says."""

    name: str
    about: str
    closing: Figure | None
    parts: tuple[Figure, ...]
    remarks: tuple[str, ...]
    seconds: float
    problem: str = ""
    left_out: str = ""

    def figure(self, name: str) -> Figure | None:
        """The part of that name; the closing figure for ""."""
        return self.closing if not name else next((part for part in self.parts if part.name == name), None)


def read(stem: str, lines: Sequence[str], *, failed: str, seconds: float) -> Result:
    """What was printed, whatever it was. `failed`: why it has failed; without a closing figure it has, too."""
    kinds: dict[str, list[str]] = {"part": [], "target": [], "left out": [], "": []}
    for line in lines:
        kind, _, rest = line.partition(": ")
        kinds[kind if kind in kinds else ""].append(rest if kind in kinds else line)
    parts = tuple(figure for line in kinds["part"] if (figure := _part(line)))
    name = stem.replace("_", "-")
    last = next((line for line in reversed(kinds[""]) if line.startswith(f"{name} ")), "")
    closing = _closing(last, kinds["target"])
    remarks = [line for line in kinds[""] if closing is None or line is not last]
    left_out = kinds["left out"][0] if kinds["left out"] and not failed else ""
    problem = failed or ("" if closing or left_out else "it ended without a figure")
    return Result(
        name=name,
        about=_about(stem),
        closing=closing,
        parts=parts,
        remarks=tuple(remarks),
        seconds=seconds,
        problem=problem,
        left_out=left_out,
    )


def _part(line: str) -> Figure | None:
    name, _, rest = line.partition(" | ")
    figure, _, target = rest.partition(" | ")
    value, _, unit = figure.partition(" ")
    return _figure(name, value, unit, target)


def _closing(line: str, targets: Sequence[str]) -> Figure | None:
    words = line.split()
    return _figure(*words, targets[-1] if targets else "") if len(words) == 3 else None


def _figure(name: str, value: str, unit: str, target: str) -> Figure | None:
    try:
        return Figure(name=name, value=float(value), unit=unit, target=target)
    except ValueError:
        return None


def _about(stem: str) -> str:
    """The first paragraph of the file's docstring."""
    source = Path(__file__).with_name(f"{stem}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n\n")[0]
