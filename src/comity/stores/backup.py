"""Copies of a record: the store while it is written, what lies beside it, its secrets and its log; and the keys apart.

In a folder of backups each has a folder of its own, named by its time. The keys to people's data lie in another one and
are deleted after 30 days: what was erased meanwhile can be read by nobody then. A copy is made aside and renamed when
it is whole; what one that died has left there is deleted by the next.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from comity.ports import StoreError
from comity.stores.access import ACCESS_FILE, sign_everybody_out
from comity.stores.database import copied, locked, made_durable
from comity.stores.gate_acks import GATES_FILE
from comity.stores.keys import KEYS_FILE
from comity.stores.mails import MAIL_FILE
from comity.stores.replies import REPLIES_FILE
from comity.stores.webhooks import WEBHOOKS_FILE

KEYS_KEPT: Final = timedelta(days=30)
KEYS_FOLDER: Final = "keys"
BESIDE: Final = (ACCESS_FILE, WEBHOOKS_FILE, MAIL_FILE, REPLIES_FILE)
_OF_ONE_STORE: Final = (REPLIES_FILE, GATES_FILE)
"""What was answered, or acknowledged, of one store is not true of an older copy of it."""
_STAMP: Final = "%Y-%m-%dT%H-%M-%SZ"
_STAMPED: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)(\.db)?")
_UNFINISHED: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.new(-\w+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup, or a backup of keys, and when it was made."""

    path: Path
    at: datetime

    def is_expired(self, now: datetime) -> bool:
        """Of keys: whether they are older than any may become."""
        return now - self.at > KEYS_KEPT


def back_up(
    store: Path, folder: Path, keys: Path, at: datetime, *, secrets: Sequence[str], logs: Sequence[str]
) -> Backup:
    """Copy the record whose store is the file `store`. Raises `StoreError`, also for a second one in one second.

    The order matters: first the published logs, which the store then continues, and what lies beside it, which then
    knows of nothing that the store has not; the keys last, so that none is missing.
    """
    for each in (folder, keys):
        each.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(folder / "backups"):
        _clear(folder, keys)
        made = Backup(path=folder / f"{at:{_STAMP}}", at=at)
        if made.path.exists():
            raise StoreError(f"{made.path} is there already; wait a second and run again")
        aside = made.path.with_suffix(".new")
        aside.mkdir(mode=0o700)
        for log in logs:
            copy_log(store.parent / log, aside / log)
        _copy_files(store, aside, secrets)
        key_file = keys / f"{at:{_STAMP}}.db"
        copied(store.with_name(KEYS_FILE), key_file.with_suffix(".new"))
        key_file.with_suffix(".new").replace(key_file)
        aside.replace(made.path)
        made_durable(keys, folder)
    return made


def _clear(*folders: Path) -> None:
    """What a backup has left that died before it was whole: nobody would ever delete its keys."""
    for path in (path for folder in folders for path in folder.iterdir() if _UNFINISHED.fullmatch(path.name)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _copy_files(store: Path, aside: Path, secrets: Sequence[str]) -> None:
    for name in BESIDE:
        if store.with_name(name).exists():
            copied(store.with_name(name), aside / name)
    if (aside / ACCESS_FILE).exists():
        sign_everybody_out(aside / ACCESS_FILE)
    copied(store, aside / store.name)
    for secret in secrets:
        if store.with_name(secret).exists():
            copy_private(store.with_name(secret), aside / secret)


def backups_in(folder: Path) -> list[Backup]:
    """The backups there, or the backups of keys, oldest first."""
    found = [(path, _STAMPED.fullmatch(path.name)) for path in folder.iterdir()] if folder.is_dir() else []
    made = [Backup(path=path, at=_time(match[1])) for path, match in found if match]
    return sorted(made, key=lambda one: one.at)


def delete_expired(keys: Path, now: datetime) -> list[Path]:
    """Delete the backups of keys that are older than 30 days; which those were."""
    over = [one.path for one in backups_in(keys) if one.is_expired(now)]
    for path in over:
        path.unlink()
    if over:
        made_durable(keys)
    return over


def restore_files(backup: Path, keys: Path, store: Path, *, secrets: Sequence[str]) -> Path:
    """Copy a backup to where `store` is to be; what is there of keys, secrets and the like stays.

    The store itself gets its name by `begin`, once it has forgotten what it must; until then it is what is returned.
    """
    unnamed = store.with_suffix(".restored")
    store.parent.mkdir(parents=True, exist_ok=True)
    for name in _OF_ONE_STORE:
        _delete(store.with_name(name))
    pairs = [(keys, store.with_name(KEYS_FILE))]
    pairs += [(backup / name, store.with_name(name)) for name in (*secrets, *BESIDE)]
    for source, target in pairs:
        if source.exists() and not target.exists():
            _put(source, target)
    _put(backup / store.name, unnamed)
    made_durable(store.parent)
    return unnamed


def begin(unnamed: Path, store: Path) -> None:
    """From now on it is the record's store."""
    _delete(store)
    unnamed.replace(store)
    made_durable(store.parent)


def _put(source: Path, target: Path) -> None:
    _delete(target)
    copy_private(source, target)


def _delete(database: Path) -> None:
    """With what SQLite keeps beside it: a log that outlived its database would be played onto the next of that name."""
    for ending in ("-wal", "-shm", "-journal", ""):
        database.with_name(database.name + ending).unlink(missing_ok=True)


def copy_private(source: Path, target: Path) -> None:
    """Whole or not at all, and readable by its owner alone from the first moment."""
    aside = target.with_name(f"{target.name}.new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as copy, source.open("rb") as original:
        shutil.copyfileobj(original, copy)
        copy.flush()
        os.fsync(copy.fileno())
    aside.replace(target)


def copy_log(source: Path, target: Path) -> None:
    """A published log: first the checkpoints, then what they are of, so that this is of that size or larger."""
    for path in (*source.glob("*"), *source.glob("*/**/*")):
        if path.is_file() and not path.name.startswith("."):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # outgrown meanwhile, so it is not needed any more
                copy_private(path, copy)


def _time(stamp: str) -> datetime:
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
