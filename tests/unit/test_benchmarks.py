"""The page of all benchmarks holds what each of them said, also where others fail, hang or cannot be run."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
RUNNERS = ("__main__", "results", "page", "machine")
FAST = """'''How fast it is.

Not shown.'''
print("some remark")
print("part: one | 2.5 us | <= 3 us")
print("part: other | 5 us")
print("target: >= 10 x")
print("fast 7 x", flush=True)
"""
BENCHMARKS = {
    "fast": FAST + "import sys; print('a warning', file=sys.stderr)",
    "broken": "print('part: before the fault | 1 s', flush=True)\nraise ValueError('no figure')",
    "mute": "print('nothing that is a figure')",
    "hanging": "print('part: before it hangs | 1 s', flush=True)\nimport signal\nsignal.pause()",
    "elsewhere": "print('left out: it needs a <server>')",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in RUNNERS:
        shutil.copy(FOLDER / f"{name}.py", tmp_path)
    (tmp_path / "engines.py").write_text("INSTALLED = ('others==1.0',)")
    main = (tmp_path / "__main__.py").read_text()
    (tmp_path / "__main__.py").write_text(main.replace("LONGEST = 900", "LONGEST = 2"))
    for name, source in BENCHMARKS.items():
        (tmp_path / f"{name}.py").write_text(source)
    return tmp_path


def test_what_one_measured_is_not_lost_by_another(folder: Path) -> None:
    done = subprocess.run([sys.executable, folder], capture_output=True, text=True, check=False, timeout=60)
    page = re.sub(r"<[^>]*>", " ", (folder / "results.html").read_text(encoding="utf-8"))
    assert done.returncode == 1
    assert re.search(r"How fast it is\.\s+Part", page)
    assert re.search(r"fast\s+7 x\s+&gt;= 10 x\s+missed", page)
    assert re.search(r"one\s+2\.5 us\s+&lt;= 3 us\s+reached", page)
    for said in ("some remark", "a warning", "before the fault", "ValueError: no figure", "before it hangs"):
        assert said in page
    assert "failed, exit code 1" in page
    assert "it ended without a figure" in page
    assert "took longer than 2 s" in page
    assert "left out: it needs a &lt;server&gt;" in page
    assert "others 1.0" in page
    assert "2 of 5 benchmarks" in done.stdout


def test_ctrl_c_leaves_the_page_of_what_was_measured(folder: Path) -> None:
    main = (folder / "__main__.py").read_text()
    (folder / "__main__.py").write_text(main.replace("LONGEST = 2", "LONGEST = 60"))
    command = [sys.executable, folder, "fast", "hanging"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        assert running.stdout is not None
        assert any("before it hangs" in line for line in running.stdout)
        running.send_signal(signal.SIGINT)
        running.stdout.read()
    assert running.returncode == 130
    page = (folder / "results-some.html").read_text(encoding="utf-8")
    assert "7 x" in page
    assert "1 more is still to be run" in page


def test_a_name_that_is_none_is_told(folder: Path) -> None:
    done = subprocess.run([sys.executable, folder, "fasst"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no benchmark fasst; there are broken, elsewhere, fast, hanging, mute" in done.stderr
