"""Whatever happens to the disk, and whenever: the ledger never forks, and keeps what it acknowledged.

A share of what `make long` does with over 1,000 deaths of each kind.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

LIVES = Path(__file__).with_name("ledger_lives.py")


def lived(folder: Path, *options: str) -> dict:
    done = subprocess.run([sys.executable, str(LIVES), str(folder), *options], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("how", "lives"),
    [
        pytest.param("kill", 75, id="killed at any step"),
        pytest.param("cut", 75, id="without power at any step, and without what was not synced"),
        pytest.param("fail", 50, id="where one write or sync fails"),
        pytest.param("full", 50, id="on a disk that is full from some step on"),
    ],
)
def test_published_stays_as_it_was_and_acknowledged_stays_in_its_place(how: str, lives: int, tmp_path: Path) -> None:
    told = lived(tmp_path / "records", "--as", how, "--lives", str(lives))
    assert told["violations"] == []
    assert sum(told["points"].values()) > lives // 2
    assert told["acknowledged"] > lives
    assert set(told["errors"]) == (set() if how in ("kill", "cut") else {"StoreError", "OSError"})


@pytest.mark.parametrize(
    ("how", "plant", "found"),
    [
        pytest.param("kill", "publish-first", "the next start refused: a fork", id="published before it is committed"),
        pytest.param("cut", "lying-store", "the next start refused: a fork", id="a store that does not sync"),
        pytest.param("cut", "lying-log", "ended with|was published, and then changed", id="a log that does not sync"),
    ],
)
def test_a_wrong_order_or_a_missing_sync_is_found(how: str, plant: str, found: str, tmp_path: Path) -> None:
    told = lived(tmp_path / "records", "--as", how, "--plant", plant, "--lives", "75")
    assert any(one in violation for violation in told["violations"] for one in found.split("|"))
