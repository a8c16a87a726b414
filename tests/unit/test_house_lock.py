"""What pip installs is what uv.lock says, and what the Makefile promises is there."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([a-z0-9-]+)==([^ ;]+)")
HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")

MODULES = {
    "argon2-cffi": {"argon2"},
    "google-re2": {"re2"},
    "markdown-it-py": {"markdown_it"},
    "protobuf": {"google"},
    "ruamel.yaml": {"ruamel"},
    "tzdata": {"zoneinfo"},
    "z3-solver": {"z3"},
}
"""What a package is imported as, where its name does not say it."""


def locked() -> dict[tuple[str, str], frozenset[str]]:
    """(name, version) -> hashes of its files, from uv.lock."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    return {
        (package["name"], package["version"]): frozenset(
            file["hash"] for file in [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        )
        for package in lock["package"]
    }


def pins(set_name: str) -> dict[tuple[str, str], frozenset[str]]:
    """(name, version) -> hashes, from requirements/."""
    text = (ROOT / "requirements" / f"{set_name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            pin = PIN.match(line)
            assert pin is not None, line
            found[pin[1], pin[2]] = frozenset(HASH.findall(line))
    return found


def project() -> dict[str, list[str]]:
    """Set name -> its direct requirements, from pyproject.toml."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {
        "runtime": table["project"]["dependencies"],
        "dev": table["project"]["dependencies"] + table["dependency-groups"]["dev"],
        "docs": table["dependency-groups"]["docs"],
        "schema": table["dependency-groups"]["schema"],
        "synapse": table["dependency-groups"]["synapse"],
    }


@pytest.mark.parametrize("set_name", ["runtime", "dev", "docs", "schema", "synapse"])
def test_every_pin_and_its_hashes_are_those_of_the_lock(set_name: str) -> None:
    in_lock = locked()
    assert {pin: hashes for pin, hashes in pins(set_name).items() if in_lock.get(pin) != hashes} == {}


@pytest.mark.parametrize("set_name", ["runtime", "dev", "docs", "schema", "synapse"])
def test_every_direct_dependency_is_pinned(set_name: str) -> None:
    direct = {re.split(r"[^a-z0-9.-]", requirement)[0].replace(".", "-") for requirement in project()[set_name]}
    assert direct - {name for name, _ in pins(set_name)} == set()


def test_every_dependency_is_used() -> None:
    text = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "src").rglob("*.py"))
    imported = set(re.findall(r"^ *(?:import|from) ([a-z0-9_]+)", text, re.MULTILINE))
    needed = {re.split(r"[^a-z0-9.-]", requirement)[0] for requirement in project()["runtime"]}
    assert {name for name in needed if not MODULES.get(name, {name.replace("-", "_")}) & imported} == set()


def test_every_dependency_is_argued_for() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    direct = {re.split(r"[^a-z0-9.-]", requirement)[0] for group in project().values() for requirement in group}
    assert {name for name in direct if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("target", ["demo", "test", "check", "e2e", "bench", "docs"])
def test_make_has_the_target_and_says_what_it_does(target: str) -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^{target} +\S", said, re.MULTILINE)
