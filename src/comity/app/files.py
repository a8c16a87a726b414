"""Reading an agreement's folder for the pure core: only regular files inside it, no links, nothing too large."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from comity.app.errors import Exit, StopError

LARGEST_AGREEMENT: Final = 1 << 20
LARGEST_NAMED: Final = 64 << 20


def read_agreement(path: Path) -> bytes:
    """The agreement's bytes, at most one more than it may have, so that the checker can say that it is too large."""
    if _is_folder(path):
        path = path / "agreement.md"
    if not _is_regular(path, follow=True):
        raise StopError(
            f"there is no agreement {path}",
            help="Name a file, or make one with `comity init`.",
            code=Exit.USAGE,
        )
    return _limited(path, LARGEST_AGREEMENT)


def reader_beside(path: Path) -> Callable[[str], bytes | None]:
    """Reads the files that the agreement names. None for what is missing, a link, or not a regular file."""
    folder = (path if _is_folder(path) else path.parent).absolute()

    def read(relative: str) -> bytes | None:
        place = folder
        for part in relative.split("/"):
            place = place / part
            if part in ("", ".", "..") or place.is_symlink():
                return None
        return _limited(place, LARGEST_NAMED) if _is_regular(place) else None

    return read


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(_mode(path, follow=True))


def _is_regular(path: Path, *, follow: bool = False) -> bool:
    return stat.S_ISREG(_mode(path, follow=follow))


def _mode(path: Path, *, follow: bool) -> int:
    """What is there; 0 where nothing can be: unlike `Path.is_file` it takes names that are too long, too."""
    try:
        return path.stat(follow_symlinks=follow).st_mode
    except (OSError, ValueError):
        return 0


def _limited(path: Path, largest: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(largest + 1)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise StopError(message, help="Check the file and its permissions.") from error
