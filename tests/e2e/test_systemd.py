"""What systemd says of the unit."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "comity.service"


def test_systemd_finds_the_unit_exposed_to_little() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not there: apt install systemd")
    words = [analyze, "security", "--offline=true", "--no-pager", UNIT]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    found = re.search(r"Overall exposure level for comity.service: ([\d.]+)", told)
    assert found is not None, told
    assert float(found[1]) < 2
