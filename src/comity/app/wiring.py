"""Puts the parts together: a folder becomes a store with its keys, its published log and its proceedings."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from comity.app.errors import StopError
from comity.app.settings import Settings
from comity.flow.message import Proceedings, Terms
from comity.flow.publish import Mode, Recorder, mode_of
from comity.ledger.log import ForkError
from comity.ledger.note import NoteError, SigningKey
from comity.ports import Store, StoreError
from comity.stores.log_folder import LogFolder
from comity.stores.sqlite import SqliteStore

STORE_FILE = "comity.db"
LOG_FOLDER = "log"
LEDGER_KEY = "ledger.key"
HISTORY_KEY = "history.key"


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one place that asks the machine


class SystemEntropy:
    def token(self, length: int) -> bytes:
        return secrets.token_bytes(length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A folder's record, open for writing."""

    settings: Settings
    store: Store
    recorder: Recorder
    mode: Mode | None
    log: LogFolder

    def proceedings(self) -> Proceedings:
        """The running state, rebuilt from the store."""
        terms = Terms(
            mode=self.mode or "live",
            delivery=self.settings.delivery,
            history_key=_key_file(self.settings.folder / HISTORY_KEY, lambda: secrets.token_hex(32)).encode(),
        )
        return Proceedings(self.store, self.recorder, SystemClock(), SystemEntropy(), terms)


@contextmanager
def opened(settings: Settings) -> Iterator[Opened]:
    """The record in the settings' folder, made if there is none. Raises `StopError`."""
    folder = settings.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        key = _signing_key(settings)
        store = SqliteStore(folder / STORE_FILE)
    except (StoreError, NoteError, OSError) as error:
        raise StopError(str(error), help=f"The record is in {folder}.") from error
    try:
        log = LogFolder(folder / LOG_FOLDER)
        log.write_vkey(key.verifier)
        recorder = Recorder(store, log, key, SystemEntropy())
        yield Opened(settings=settings, store=store, recorder=recorder, mode=mode_of(store), log=log)
    except (StoreError, ForkError) as error:
        raise StopError(str(error)) from error
    finally:
        store.close()


@contextmanager
def reading(settings: Settings) -> Iterator[Store]:
    """The store, for looking only; works while another program writes. Raises `StopError` if there is none."""
    path = settings.folder / STORE_FILE
    if not path.exists():
        raise StopError(
            f"there is no record in {settings.folder}", help="Make one with `comity publish` and `comity run`."
        )
    try:
        store = SqliteStore(path, writes=False)
    except StoreError as error:
        raise StopError(str(error)) from error
    try:
        yield store
    except StoreError as error:
        raise StopError(str(error)) from error
    finally:
        store.close()


def _signing_key(settings: Settings) -> SigningKey:
    path = settings.folder / LEDGER_KEY
    origin = settings["ledger.origin"] or f"comity.invalid/{secrets.token_hex(8)}"
    return SigningKey.parse(_key_file(path, lambda: SigningKey(name=origin, seed=secrets.token_bytes(32)).encode()))


def _key_file(path: Path, make: Callable[[], str]) -> str:
    """The secret in `path`, made on first use; readable by its owner alone from the first moment."""
    if not path.exists():
        aside = path.with_suffix(".new")
        aside.unlink(missing_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    return path.read_text(encoding="ascii").strip()
