"""`comity gate trust`: which operator's keys a gate believes; a gate that runs notices by itself."""

from __future__ import annotations

from pathlib import Path

from comity.app.errors import Exit, StopError
from comity.app.terminal import out
from comity.gates.held import write_whole
from comity.ledger.note import NoteError, VerifierKey
from comity.ledger.policy import Policy


def trust(folder: Path, file: str, key: str) -> Exit:
    """Believe this key too, from the next second on."""
    kept = folder / file
    try:
        name = VerifierKey.parse(key.strip()).name
        known = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
        if key.strip() not in known:
            write_whole(kept, "".join(f"{line}\n" for line in (*known, key.strip())).encode())
    except NoteError as error:
        help_ = "Give it as the log shows it under /v1/log/vkey."
        raise StopError(f"that is no key: {error}", help=help_, code=Exit.USAGE) from error
    except (OSError, UnicodeDecodeError) as error:
        help_ = "Name the gate's folder with --folder."
        raise StopError(f"{kept} cannot be read or written: {error}", help=help_) from error
    out.print(f"The gate of {folder} believes {name}, with this key", markup=False)
    return Exit.FINE


def trusting(text: str) -> Policy:
    """A policy of the keys in these lines. Raises `NoteError`, also for none: it would doubt every measure."""
    keys = [VerifierKey.parse(line.strip()) for line in text.splitlines() if line.strip()]
    if not keys:
        raise NoteError("no line has one")
    return Policy().trusting(*keys)


class Kept:
    """A file of keys that may change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._policy: Policy | None = None

    def policy(self) -> Policy | None:
        """Read anew if it changed; what was read last if it cannot be read now."""
        try:
            state = self._path.stat()
            if (state.st_mtime_ns, state.st_ino) != self._seen:
                self._policy = trusting(self._path.read_text(encoding="utf-8"))
                self._seen = state.st_mtime_ns, state.st_ino
        except (OSError, NoteError, UnicodeDecodeError):
            return self._policy
        return self._policy
