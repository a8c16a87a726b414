"""How long a person waits for `comity --help`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from common import comity, expect, median_seconds, report

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    expect("check" in comity("--help", folder=folder), "the help does not name `check`")
    took = median_seconds(lambda: comity("--help", folder=folder), runs=9)
report(took * 1000, "ms", target="< 300 ms")
