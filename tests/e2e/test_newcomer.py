"""A newcomer's way, with nothing but what a newcomer has: the wheel in a fresh environment, and a fresh checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import readme_demo
from tools.pages import walk

ROOT = Path(__file__).parents[2]
PINS = ROOT / "requirements" / "runtime.txt"
UV = shutil.which("uv")


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Runs a command that must succeed; its output, errors included."""
    done = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    output = done.stdout.decode(errors="replace")
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{output}"
    return output


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh, empty environment."""
    environment = tmp_path_factory.mktemp("environment")
    if UV:
        run(UV, "venv", "--quiet", "--clear", "--python", sys.executable, environment)
    else:
        run(sys.executable, "-m", "venv", environment)
    return environment / "bin" / "python"


@pytest.fixture(scope="module")
def wheel(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    if UV:
        run(UV, "build", "--quiet", "--wheel", "--out-dir", folder)
    else:
        run(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ".")
    (built,) = folder.glob("comity-*.whl")
    return built


@pytest.fixture(scope="module")
def commands(python: Path, wheel: Path) -> Path:
    """Where the programs of the fresh environment are, which now holds the wheel, what it needs to run, and no more."""
    pip = (UV, "pip") if UV else (python, "-m", "pip")
    into = ("--python", python) if UV else ()
    run(*pip, "install", "--quiet", *into, "-r", PINS)
    run(*pip, "install", "--quiet", *into, "--no-deps", wheel)
    run(*pip, "check", *into)
    return python.parent


def test_the_wheel_holds_the_gallery_the_types_and_nothing_of_the_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {
        file.relative_to(ROOT / "src").as_posix() for file in (ROOT / "src" / "comity" / "app" / "gallery").rglob("*.*")
    }
    assert shipped <= set(names)
    assert "comity/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"comity"}


@pytest.mark.parametrize("page", ["README.md", "docs/get-started.md"])
def test_the_page_works_as_installed(page: str, commands: Path, tmp_path: Path) -> None:
    assert walk(ROOT / page, tmp_path, commands=commands) > 0


@pytest.mark.parametrize("tool", ["pip", *(["uv"] if UV else [])])
def test_a_fresh_checkout_sets_itself_up_and_demonstrates_itself(tool: str, tmp_path: Path) -> None:
    checkout = tmp_path / "comity"
    for name in run("git", "ls-files", "-z").rstrip("\0").split("\0"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, checkout / name)
    path = os.environ["PATH"].split(os.pathsep)
    if tool == "pip":
        path = [folder for folder in path if not (Path(folder) / "uv").exists()]
    output = run("make", "demo", cwd=checkout, env={**os.environ, "PATH": os.pathsep.join(path), "NO_COLOR": "1"})
    assert f"into .venv with {tool}" in output
    assert "verified" in output
    assert not (checkout / ".venv" / "bin" / "pytest").exists()


def test_the_readme_shows_what_the_demo_prints(tmp_path: Path) -> None:
    cache = ROOT / ".cache" if (ROOT / ".cache").is_dir() else tmp_path
    output = readme_demo.demo(cache)
    assert readme_demo.shown(), "fill it with `python -m tools.readme_demo`"
    if "GENERATED" in output:
        assert "npm or the network is missing" in output
    else:
        assert readme_demo.settled(output) == readme_demo.settled(readme_demo.shown())
