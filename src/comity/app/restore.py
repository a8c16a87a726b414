"""`comity restore`: a record from a backup, which forgets again what was erased since, and never forks its ledger.

The store gets its name last, so that a restore that died is begun again, and nothing is read that had to be forgotten.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from comity.app.errors import Exit, StopError
from comity.app.new_log import new_log
from comity.app.settings import Settings
from comity.app.terminal import out
from comity.app.wiring import EARLIER, LOG_FOLDER, SECRETS, STORE_FILE, SystemClock, mails, webhooks
from comity.casework.wording import counted
from comity.flow.restore import erase_again
from comity.ledger.checkpoint import unverified_checkpoint
from comity.ledger.log import CHECKPOINT_PATH
from comity.ledger.note import NoteError
from comity.ledger.verify import verify
from comity.ports import StoreError
from comity.stores.access import ACCESS_FILE
from comity.stores.backup import KEYS_FOLDER, Backup, backups_in, begin, copy_log, delete_expired, restore_files
from comity.stores.keys import KEYS_FILE
from comity.stores.log_folder import LogFolder
from comity.stores.sqlite import SqliteStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to restore from. `log`: the newest published log. `nothing_lost`: none was written since the backup."""

    folder: Path
    keys: Path | None = None
    log: Path | None = None
    nothing_lost: bool = False
    begin_new_log: bool = False


def restore(wanted: Wanted, settings: Settings) -> Exit:
    """Exit code 1 if the store lacks entries that were published: it can be read, and does not sign."""
    target = settings.folder / STORE_FILE
    if target.exists():
        raise StopError(f"there is a record in {settings.folder} already", help="Move it away, or name another folder.")
    now = SystemClock().now()
    backup = _chosen(wanted.folder)
    keys = _keys(wanted, settings.folder, now)
    _put_log(wanted, backup, settings)
    knows_who_may_enter = (settings.folder / ACCESS_FILE).exists()
    try:
        lost = _finished(settings, restore_files(backup, keys, target, secrets=SECRETS))
    except (StoreError, OSError) as error:
        raise StopError(f"the backup cannot be restored: {error}", help=f"It is {backup}.") from error
    if not knows_who_may_enter and (settings.folder / ACCESS_FILE).exists():
        out.print(
            f"Tokens and people are those of {backup.name}: who was revoked or removed since can get in again."
            " Look at `comity token list` and `comity user list`.",
            markup=False,
        )
    if wanted.begin_new_log:
        return new_log(settings, origin=None)
    if lost:
        out.print(
            f"The store lacks the newest {counted(lost, 'entry', 'entries')} of the published ledger. It can be read,"
            " but it will sign nothing. Restore a newer backup, or go on in a new log that cites the last checkpoint:"
            " `comity keys new-log`.",
            markup=False,
        )
    return Exit.PROBLEMS if lost else Exit.FINE


def _chosen(folder: Path) -> Path:
    """The newest backup in a folder of backups; or the folder itself, if it is one."""
    if (folder / STORE_FILE).exists():
        return folder
    found = backups_in(folder)
    if not found:
        raise StopError(f"there is no backup in {folder}", help="Name what `comity backup` was given.", code=Exit.USAGE)
    return found[-1].path


def _keys(wanted: Wanted, target: Path, now: datetime) -> Path:
    """The newest file of keys. Those that are too old are deleted, never used."""
    own = target / KEYS_FILE
    if own.exists():
        return own
    apart = wanted.keys or (wanted.folder / KEYS_FOLDER)
    if wanted.keys is None and not apart.is_dir():
        apart = wanted.folder.parent / KEYS_FOLDER
    deleted = delete_expired(apart, now)
    if deleted:
        out.print(f"Deleted {counted(len(deleted), 'backup')} of keys older than 30 days.", markup=False)
    left: Sequence[Backup] = backups_in(apart)
    if not left:
        old = ": those that were there were older than 30 days, and what was erased since must not come back"
        raise StopError(
            f"there is no usable backup of keys in {apart}{old if deleted else ''}",
            help="Name their folder with --keys, or put the record's own keys.db in place first.",
        )
    return left[-1].path


def _put_log(wanted: Wanted, backup: Path, settings: Settings) -> None:
    """The newest published log, or the anchor, shows whether the store is older. Raises `StopError` if nobody can."""
    target, is_anchored = settings.folder, settings.anchor is not None and settings.anchor.exists()
    own = target / LOG_FOLDER
    has_own = (own / CHECKPOINT_PATH).exists()
    if has_own and wanted.log is not None:
        raise StopError(f"there is a log in {own} already", help="Leave --log out, or move it away.", code=Exit.USAGE)
    if not (has_own or is_anchored or wanted.log or wanted.nothing_lost or wanted.begin_new_log):
        raise StopError(
            "nobody can tell from a backup alone whether more was published after it, and signing again would fork the"
            " ledger",
            help="Name a copy of the newest published log with --log; or say --nothing-lost if the record was not"
            " written since; or go on in a new log with --new-log.",
            code=Exit.USAGE,
        )
    if not has_own:
        aside = own.with_name(f"{LOG_FOLDER}.restored")
        shutil.rmtree(aside, ignore_errors=True)
        copy_log(wanted.log or backup / LOG_FOLDER, aside)
        shutil.rmtree(own, ignore_errors=True)  # it has no checkpoint
        aside.rename(own)
    for path in sorted((backup / EARLIER).glob("[0-9]*")):
        if not (target / EARLIER / path.name).exists():
            copy_log(path, target / EARLIER / path.name)


def _finished(settings: Settings, unnamed: Path) -> int:
    """How many published entries the store lacks, once it has forgotten what they say was erased, and has its name."""
    read = LogFolder(settings.folder / LOG_FOLDER).read
    with closing(SqliteStore(unnamed)) as store:
        size, published = store.size, 0
        if read(CHECKPOINT_PATH) is not None:
            report = verify(read)
            if not report.is_fine:
                raise StoreError(f"the published log is not whole: {report.problems[0]}")
            published = report.size
        erased = erase_again(store, read, published)
        position = store.position
    for outward in (mails(settings), webhooks(settings)):
        with closing(outward):
            outward.go_back(position)
    begin(unnamed, settings.folder / STORE_FILE)
    out.print(f"Restored a record whose ledger has {counted(size, 'entry', 'entries')}.", markup=False)
    if erased:
        out.print(f"Erased again what the ledger says was erased since: {counted(erased, 'account')}.", markup=False)
    return max(0, published - size, _anchored(settings) - size)


def _anchored(settings: Settings) -> int:
    """How many entries the anchor knows of. What it says is checked when the record is opened."""
    if settings.anchor is None or not settings.anchor.exists():
        return 0
    try:
        return unverified_checkpoint(settings.anchor.read_bytes()).size
    except NoteError as error:
        raise StoreError(f"the anchor {settings.anchor} holds no checkpoint: {error}") from error
