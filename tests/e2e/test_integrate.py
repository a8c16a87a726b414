"""The page on connecting a platform: typed as it is, and its JavaScript run by Node against a service."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "faults"))

from serve_lives import Served, comity

from tools.pages import walk

PAGE = Path(__file__).parents[2] / "docs" / "integrate.md"


def test_the_page_is_right(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not there: apt install curl")
    assert walk(PAGE, tmp_path) > 3


def test_the_javascript_of_the_page_sends_a_message(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not there: apt install nodejs")
    comity(tmp_path, "init", "forum", "--from", "forum")
    folder = tmp_path / "forum"
    comity(folder, "publish")
    (folder / "token.txt").write_text(comity(folder, "token", "new", "forum", "--role", "source"))
    served = Served(folder)
    (folder / "address.txt").write_text(served.url)
    (program,) = re.findall(r"^```javascript\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (folder / "judge.mjs").write_text(program)
    done = subprocess.run([node, "judge.mjs"], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("allow\n", 0), done.stderr
    assert served.end(signal.SIGTERM) == 0
