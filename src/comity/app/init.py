"""`comity init`: a starter agreement from the gallery."""

from __future__ import annotations

import json
import os
import secrets
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from comity.app.errors import Exit, StopError
from comity.app.terminal import out

GALLERY: Final = ("forum", "mail", "campus", "chat", "social", "strikes", "guest")


def init(folder: Path, name: str, origin: str | None) -> Exit:
    """Copies the gallery's folder and writes `comity.toml`. Refuses to overwrite anything."""
    if name not in GALLERY:
        raise StopError(f"there is no starter {name!r}", help=f"Choose one of {', '.join(GALLERY)}.", code=Exit.USAGE)
    starter = dict(_walk(files("comity.app").joinpath("gallery", name), Path()))
    starter[Path("comity.toml")] = _configuration(origin).encode()
    taken = [path for path in starter if os.path.lexists(folder / path)]
    if taken:
        help_ = "Choose another folder, or move the file away."
        raise StopError(f"{folder / taken[0]} is there already", help=help_, code=Exit.USAGE)
    for path, content in starter.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    place = "" if folder == Path() else f"cd {folder}, then "
    out.print(f"Wrote {', '.join(sorted(map(str, starter)))} to {folder}.", markup=False)
    out.print(f"Next: {place}edit agreement.md, and run `comity check`.", markup=False)
    return Exit.FINE


def _walk(folder: Traversable, place: Path) -> list[tuple[Path, bytes]]:
    found: list[tuple[Path, bytes]] = []
    for each in sorted(folder.iterdir(), key=lambda one: one.name):
        if each.is_dir():
            found += _walk(each, place / each.name)
        else:
            found.append((place / each.name, each.read_bytes()))
    return found


def _configuration(origin: str | None) -> str:
    name = origin or f"comity.invalid/{secrets.token_hex(8)}"
    return f"""# Every setting: `comity config`.
[agreement]
file = "agreement.md"

[ledger]
# The log's name in its checkpoints, for good: a name under a domain that is yours.
origin = {json.dumps(name)}
"""
