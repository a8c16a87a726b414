"""A skipped end-to-end test fails in CI, whichever way it was skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "e2e" / "conftest.py"

SKIPS = {
    "mark": "@pytest.mark.skip(reason='no server')\ndef test_it():\n    pass",
    "condition": "@pytest.mark.skipif(True, reason='no server')\ndef test_it():\n    pass",
    "call": "def test_it():\n    pytest.skip('no server')",
    "fixture": "@pytest.fixture\ndef server():\n    pytest.skip('no server')\n\ndef test_it(server):\n    pass",
    "module": "pytest.skip('no server', allow_module_level=True)",
    "import": "pytest.importorskip('no_such_module')",
}
NEWER_PYTHON = "def test_it():\n    pytest.skip('needs Python 3.12')"


def run(folder: Path, test: str, *, ci: bool) -> int:
    """Runs one test file below the e2e suite's conftest; its exit code."""
    shutil.copy(CONFTEST, folder)
    (folder / "test_planted.py").write_text(f"import pytest\n\n{test}\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | ({"CI": "true"} if ci else {})
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # three times as fast
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, folder]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False).returncode


@pytest.mark.parametrize("test", SKIPS.values(), ids=SKIPS.keys())
def test_in_ci_a_skip_fails(test: str, tmp_path: Path) -> None:
    assert run(tmp_path, test, ci=True) in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)


def test_in_ci_only_what_needs_a_newer_python_may_be_skipped(tmp_path: Path) -> None:
    assert run(tmp_path, NEWER_PYTHON, ci=True) == pytest.ExitCode.OK


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    assert run(tmp_path, SKIPS["call"], ci=False) == pytest.ExitCode.OK
