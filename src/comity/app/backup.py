"""`comity backup`: a copy of the record while it is used; the keys to people's data apart, for 30 days."""

from __future__ import annotations

from pathlib import Path

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.terminal import as_json as print_json
from comity.app.terminal import out
from comity.app.wiring import EARLIER, LOG_FOLDER, SECRETS, STORE_FILE, SystemClock
from comity.casework.wording import counted
from comity.ports import StoreError
from comity.stores.backup import KEYS_FOLDER, back_up, delete_expired


def backup(folder: Path, settings: Settings, *, keys: Path | None, as_json: bool) -> Exit:
    """Works while other programs write. Deletes backups of keys that are too old, and says so."""
    store, now = settings.folder / STORE_FILE, SystemClock().now()
    if not store.exists():
        raise StopError(f"there is no record in {settings.folder}", help="Name its folder with --store.")
    apart = keys or folder / KEYS_FOLDER
    try:
        made = back_up(store, folder, apart, now, secrets=SECRETS, logs=_logs(settings.folder))
    except StoreError as error:
        raise StopError(str(error), help=f"The record is in {settings.folder}.") from error
    deleted = delete_expired(apart, now)
    if as_json:
        print_json({"backup": str(made.path), "keys": str(apart), "deleted": [str(path) for path in deleted]})
        return Exit.FINE
    out.print(f"Copied the record to {made.path}, and its keys to {apart}.", markup=False)
    if deleted:
        out.print(f"Deleted {counted(len(deleted), 'backup')} of keys older than 30 days.", markup=False)
    out.print("Whoever has both can read everything; what is erased now is gone from here in 30 days.", markup=False)
    return Exit.FINE


def _logs(folder: Path) -> list[str]:
    """The published log, and those that it goes on from."""
    return [
        LOG_FOLDER,
        *(f"{EARLIER}/{path.name}" for path in sorted((folder / EARLIER).glob("[0-9]*")) if path.is_dir()),
    ]
