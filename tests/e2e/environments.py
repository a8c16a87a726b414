"""Environments of their own for what does not go together with Comity's: made once for each set of pins."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = shutil.which("uv")


def python_with(set_name: str) -> Path:
    """The interpreter of an environment with requirements/SET.txt, made if it is not there; two at once make one."""
    pins = ROOT / "requirements" / f"{set_name}.txt"
    content = pins.read_bytes() + sys.version.encode()
    folder = ROOT / ".cache" / f"{set_name}-{hashlib.sha256(content).hexdigest()[:16]}"
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / f"{set_name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, pins)
            (folder / "whole").touch()
    return folder / "bin" / "python"


def _make(folder: Path, pins: Path) -> None:
    if UV:
        subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        installing = [UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python"]
    else:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        installing = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*installing, "--require-hashes", "-r", pins], check=True)
