"""What all tests share: hypothesis profiles, `--update` for golden files, and the documentation as tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tools.pages import pages

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else every command that a test starts compiles all modules anew
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs, and what they start, ignore it

_SLOW_MACHINES = (HealthCheck.too_slow,)

settings.register_profile("fast", deadline=None, max_examples=60, suppress_health_check=_SLOW_MACHINES)
settings.register_profile("fuzz", deadline=None, max_examples=2_000, suppress_health_check=_SLOW_MACHINES)
settings.load_profile("fast")

NEEDS_CURL = "docs/integrate.md"  # which not every machine has: tests/e2e types this page
pytest_collect_file = pages(patterns=("docs/*.md", "README.md"), excludes=(NEEDS_CURL,)).pytest()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite golden files; read the diff before you commit it")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compares text with a golden file, or rewrites the file under `--update`."""

    def compare(file: Path, text: str) -> None:
        if request.config.getoption("--update"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        assert file.exists(), f"{file} is missing: run the test with --update"
        assert text == file.read_text(encoding="utf-8")

    return compare
