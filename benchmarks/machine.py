"""What figures were taken on: the machine, how busy it was, and the versions of what was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from engines import INSTALLED

LIBRARIES = ("hyperscan", "google-re2", "cel-expr-python", "msgspec", "numpy", "pyarrow", "apsw")


def machine(begun: datetime) -> list[str]:
    """Sentences."""
    return list(_sentences(begun))


def _sentences(begun: datetime) -> Iterator[str]:
    memory = f", {_memory() / 2**30:.0f} GiB of memory" if _memory() else ""
    yield f"{_processor()}, {os.cpu_count()} cores{memory}; {platform.system()} {platform.release()}."
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    engines = ", ".join(each.replace("==", " ") for each in INSTALLED)
    yield f"Comity {version('comity')}{_commit()}; Python {platform.python_version()}, {libraries}; {engines}."
    busy = f" Load average of the last 15 minutes: {os.getloadavg()[2]:.1f}." if hasattr(os, "getloadavg") else ""
    yield f"Begun {begun:%Y-%m-%d %H:%M}, written {datetime.now(UTC):%H:%M} UTC.{busy}"


def _commit() -> str:
    """Of the source, and whether it was changed since; "" where git does not say."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    said = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    ).stdout.strip()
    return f" at {said}" if said else ""


def _memory() -> int:
    """In bytes; 0 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def _processor() -> str:
    """Its name, as the system gives it."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text(encoding="utf-8").splitlines() if cpus.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
