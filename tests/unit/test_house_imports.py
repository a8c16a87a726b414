"""The import contracts of pyproject.toml hold, and each one fails when something is planted that it forbids."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A line that breaks the contract `breaks` when it stands in `file`."""

    breaks: str
    file: str
    line: str

    def __str__(self) -> str:
        return f"{self.breaks}: {self.file}: {self.line}"


PLANTS = (
    Plant(breaks="layers", file="model/planted.py", line="import comity.agreement"),
    Plant(breaks="layers", file="engine/planted.py", line="import comity.ledger"),
    Plant(breaks="layers", file="stores/planted.py", line="import comity.flow"),
    Plant(breaks="layers", file="flow/planted.py", line="import comity.intake"),
    Plant(breaks="layers", file="intake/planted.py", line="from comity.gates import planted"),
    Plant(breaks="layers", file="newroom/__init__.py", line='"""A room that no layer names."""'),
    Plant(breaks="layers", file="loose.py", line='"""A loose module that no layer names."""'),
    Plant(breaks="pure", file="engine/planted.py", line="import time"),
    Plant(breaks="pure", file="casework/planted.py", line="from os import environ"),
    Plant(breaks="pure", file="model/planted.py", line="def f() -> None:\n    import random"),
    Plant(breaks="libraries", file="agreement/planted.py", line="import apsw"),
    Plant(breaks="libraries", file="flow/planted.py", line="import typer"),
    Plant(breaks="gate-hosts", file="gates/planted.py", line="import comity.engine"),
    Plant(breaks="gate-hosts", file="gates/planted.py", line="import comity.stores"),
    Plant(breaks="gate-libraries", file="gates/planted.py", line="import pyarrow"),
    Plant(breaks="through-flow", file="intake/planted.py", line="import comity.stores"),
    Plant(breaks="through-flow", file="console/planted.py", line="import comity.stores"),
)


def lint(source: Path) -> subprocess.CompletedProcess[str]:
    """Runs lint-imports on the package below `source`, which comes first on the path."""
    lint_imports = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [lint_imports, "--config", ROOT / "pyproject.toml", "--no-cache"],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(source), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def broken(output: str) -> set[str]:
    """The names of the contracts that a run called broken."""
    return {line.removesuffix(" BROKEN").strip() for line in output.splitlines() if line.endswith(" BROKEN")}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of src/ to plant in."""
    return shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "gallery"))


@pytest.fixture(scope="module")
def contracts() -> dict[str, str]:
    """Id -> name of every contract."""
    found = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    return {contract["id"]: contract["name"] for contract in found}


def test_the_house_keeps_its_contracts(source: Path) -> None:
    run = lint(source)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_a_planted_import_breaks_its_contract(plant: Plant, source: Path, contracts: dict[str, str]) -> None:
    planted = source / "comity" / plant.file
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(f"{plant.line}\n", encoding="utf-8")
    run = lint(source)
    assert run.returncode == 1, run.stdout + run.stderr
    assert contracts[plant.breaks] in broken(run.stdout)


def test_every_contract_has_a_plant(contracts: dict[str, str]) -> None:
    assert {plant.breaks for plant in PLANTS} == set(contracts)


def test_no_contract_is_weakened() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "ignore_imports" not in text
    assert "exhaustive_ignores" not in text
