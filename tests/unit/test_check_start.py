"""`comity check` starts quickly, for editors call it on save."""

from __future__ import annotations

import subprocess
import sys


def test_check_does_not_wait_for_what_reads_archives() -> None:
    code = "import sys, comity.app.check; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
