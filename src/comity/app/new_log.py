"""`comity keys new-log`: a new log in the place of one that cannot go on. It can be run again after any crash."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import Final

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.app.signing import LEDGER_KEY, keys_in, new_key
from comity.app.terminal import out
from comity.app.wiring import (
    EARLIER,
    LOG_FOLDER,
    NEXT_KEY,
    STORE_FILE,
    SystemClock,
    SystemEntropy,
    opened,
)
from comity.flow.shard import begin_shard, genesis_of
from comity.ledger.checkpoint import Checkpoint, open_checkpoint
from comity.ledger.log import CHECKPOINT_PATH, VKEY_PATH
from comity.ledger.note import NoteError, VerifierKey
from comity.ports import Store, StoreError
from comity.stores.database import made_durable
from comity.stores.log_folder import LogFolder
from comity.stores.sqlite import SqliteStore

_NUMBERED: Final = re.compile(r"(.*)/log-([1-9][0-9]{0,8})")


def new_log(settings: Settings, *, origin: str | None) -> Exit:
    """The old log's files go to `earlier/`; the new one is published where the old one was."""
    folder = settings.folder
    if not (folder / STORE_FILE).exists():
        raise StopError(f"there is no record in {folder}", help="Name its folder with --store.")
    if settings["ledger.sign"]:
        help_ = "Take `sign` and `key` out of comity.toml; go over to a command later, by `comity keys rotate`."
        raise StopError("a new log begins with a key in a file", help=help_, code=Exit.USAGE)
    try:
        with closing(SqliteStore(folder / STORE_FILE)) as store:
            cited = _begun(store, settings, origin)
    except (StoreError, NoteError) as error:
        raise StopError(str(error), help=f"The record is in {folder}.") from error
    _put_in_place(folder)
    with opened(settings) as record:
        genesis = genesis_of(record.store)
    if genesis is None or not genesis.after:
        raise StopError("no new log was begun", help=f"The record is in {folder}.")
    out.print(f"The ledger is now {genesis.origin}, with the key {genesis.key}", markup=False)
    out.print(
        f"It cites {genesis.after.origin} at {genesis.after.size} entries{'' if cited else ', as was begun before'}."
        f" That log's files are in {folder / EARLIER}: leave them published.",
        markup=False,
    )
    out.print("Tell gates (`comity gate trust`), witnesses and auditors the new key.", markup=False)
    return Exit.FINE


def _begun(store: Store, settings: Settings, origin: str | None) -> Checkpoint | None:
    """The checkpoint that the new log cites; None: it was begun before."""
    folder = settings.folder
    old = genesis_of(store)
    if old is None:
        raise StopError("the record has no ledger yet", help="Begin one with `comity publish`.")
    is_done = bool(old.after) and not (folder / NEXT_KEY).exists() and (folder / LEDGER_KEY).exists()
    if is_done and not (folder / LOG_FOLDER / CHECKPOINT_PATH).exists():
        return None
    name = origin or _next_name(old.origin)
    (key,) = keys_in(folder / NEXT_KEY, lambda: new_key(name), is_new=True)
    if old.origin == key.name:
        return None
    cited = last_good(settings)
    begin_shard(store, key, str(key.verifier), cited, SystemClock().now(), SystemEntropy())
    return cited


def last_good(settings: Settings) -> Checkpoint:
    """The last checkpoint that was published, or anchored. Raises `StopError` if there is none that its key signed."""
    log, anchor = LogFolder(settings.folder / LOG_FOLDER), settings.anchor
    signed, vkey = log.read(CHECKPOINT_PATH), log.read(VKEY_PATH)
    if signed is None or vkey is None:
        raise StopError(
            f"{log.path} has no checkpoint to cite", help="Put a copy of the published log there: it is public."
        )
    key = VerifierKey.parse(vkey.decode("utf-8", "replace"))
    kept = [signed, anchor.read_bytes()] if anchor and anchor.exists() else [signed]
    return max((open_checkpoint(each, [key], key.name) for each in kept), key=lambda one: one.size)


def _next_name(origin: str) -> str:
    numbered = _NUMBERED.fullmatch(origin)
    return f"{numbered[1]}/log-{int(numbered[2]) + 1}" if numbered else f"{origin}/log-2"


def _put_in_place(folder: Path) -> None:
    """Each step only where it was not done: the program may have died between them."""
    if not (folder / NEXT_KEY).exists():
        return
    earlier = folder / EARLIER
    earlier.mkdir(exist_ok=True)
    number = 1 + max((int(path.stem) for path in earlier.iterdir() if path.stem.isdigit()), default=0)
    if (folder / LOG_FOLDER / CHECKPOINT_PATH).exists():
        (folder / LOG_FOLDER).rename(earlier / str(number))
    if (folder / LEDGER_KEY).exists():
        (folder / LEDGER_KEY).rename(earlier / f"{number}.key")
    (folder / NEXT_KEY).rename(folder / LEDGER_KEY)
    made_durable(earlier, folder)
