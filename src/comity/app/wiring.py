"""Puts the parts together: a folder becomes a store with its keys, its published log and its proceedings."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from comity.app.clock import SystemClock as SystemClock
from comity.app.errors import Exit, StopError
from comity.app.policy import read_policy
from comity.app.settings import Settings
from comity.app.signing import LEDGER_KEY, keyring, secret_in
from comity.app.witness_link import HttpLink
from comity.casework.retention import whole_days
from comity.casework.wording import counted
from comity.flow.anchor import demand_anchored
from comity.flow.cosign import Outcome, demand_newest
from comity.flow.links import Links
from comity.flow.message import Proceedings
from comity.flow.publish import Mode, Recorder, mode_of
from comity.flow.shard import genesis_of
from comity.flow.terms import Terms
from comity.ledger.entry import EntryError
from comity.ledger.keyring import Keyring
from comity.ledger.log import VKEY_PATH, ForkError, Log, signed_head
from comity.ledger.note import NoteError
from comity.ports import NO_SPANS, PublishedLog, Spans, Store, StoreError
from comity.stores.access import ACCESS_FILE
from comity.stores.anchor import AnchoredLog, read_anchor
from comity.stores.aside import put_aside_if_damaged
from comity.stores.counts import COUNTS_FILE, CountFile
from comity.stores.gate_acks import GATES_FILE, GateAckFile
from comity.stores.log_folder import LogFolder
from comity.stores.mails import MAIL_FILE, MailFile
from comity.stores.replies import REPLIES_FILE, ReplyFile
from comity.stores.sqlite import SqliteStore
from comity.stores.tokens import TokenFile
from comity.stores.users import UserFile
from comity.stores.webhooks import WEBHOOKS_FILE, WebhookFile

_File = TypeVar("_File")

STORE_FILE = "comity.db"
LOG_FOLDER = "log"
HISTORY_KEY = "history.key"
LINKS_KEY = "links.key"
SECRETS = (LEDGER_KEY, HISTORY_KEY, LINKS_KEY)
NEXT_KEY = "ledger.key.next"
"""The key of a new log that is about to take the place of this one."""
EARLIER = "earlier"
_ASKING = 2.0
"""Seconds that the opening of a record waits for a witness that may not be there."""


class SystemEntropy:
    def token(self, length: int) -> bytes:
        return secrets.token_bytes(length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A folder's record, open for writing."""

    settings: Settings
    store: Store
    recorder: Recorder
    log: LogFolder
    keys: Keyring
    witnesses: tuple[Outcome, ...]
    """What each witness of the policy said when the record was opened; empty where none is named."""
    history_key: str = field(repr=False)
    links_key: bytes = field(repr=False)
    renew: Callable[[], Recorder] = field(repr=False)
    spans: Spans = NO_SPANS

    @property
    def mode(self) -> Mode | None:
        """None: it has no version yet."""
        return mode_of(self.store)

    def proceedings(self) -> Proceedings:
        """The running state, rebuilt from the store."""
        terms = Terms(
            mode=self.mode or "live",
            delivery=self.settings.delivery,
            history_key=self.history_key.encode(),
            patience=self.settings.patience,
            kept_for=self.settings.kept_for,
            spans=self.spans,
        )
        return Proceedings(self.store, self.recorder, SystemClock(), SystemEntropy(), terms)

    def proceedings_anew(self) -> Proceedings:
        """The same, after other programs may have written."""
        return replace(self, recorder=self.renew()).proceedings()


@contextmanager
def opened(settings: Settings, *, shares: bool = False) -> Iterator[Opened]:
    """The record in the settings' folder, made if there is none. Raises `StopError`.

    `shares`: it is written to in turns, so that other programs can act on it meanwhile.
    """
    folder = settings.folder
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        store = SqliteStore(folder / STORE_FILE, shares=shares)
    with _explained(folder), closing(store):
        key = keyring(settings, is_new=store.size == 0)
        _demand_its_key(store, key, folder)
        _demand_promised(store, settings)
        history = secret_in(folder / HISTORY_KEY, lambda: secrets.token_hex(32), is_new=store.size == 0)
        links_key = _links_key(folder)
        log = LogFolder(folder / LOG_FOLDER)
        witnesses = _asked_witnesses(settings, store, key)
        if log.read(VKEY_PATH) not in [f"{one.verifier}\n".encode() for one in key.signers]:
            log.write_vkey(key.verifier)
        published = _anchored(settings, store, key, log)

        def renew() -> Recorder:
            return Recorder(store, published, keyring(settings, is_new=False), SystemEntropy())

        yield Opened(
            settings=settings,
            store=store,
            recorder=Recorder(store, published, key, SystemEntropy()),
            log=log,
            keys=key,
            witnesses=witnesses,
            history_key=history,
            links_key=links_key,
            renew=renew,
        )


def _anchored(settings: Settings, store: Store, keys: Keyring, log: LogFolder) -> PublishedLog:
    """The log, its checkpoint kept elsewhere too. Raises `ForkError` if the store is older than what is kept there."""
    anchor = settings.anchor
    if anchor is None:
        return log
    kept = read_anchor(anchor, is_new=store.size == 0)
    if kept is not None:
        demand_anchored(store, keys, kept)
    return AnchoredLog(log, anchor)


def _demand_its_key(store: Store, key: Keyring, folder: Path) -> None:
    """Raises `StopError` if the ledger is not the key's: a new log was begun and not finished, or files were mixed."""
    genesis = genesis_of(store)
    if genesis is not None and genesis.origin != key.name:
        begun = (folder / NEXT_KEY).exists()
        raise StopError(
            f"the ledger in {folder / STORE_FILE} is {genesis.origin}, but {folder / LEDGER_KEY} signs for {key.name}",
            help="Finish what was begun: `comity keys new-log`." if begun else "Restore a backup of both.",
        )


def _demand_promised(store: Store, settings: Settings) -> None:
    """Raises `StopError` if texts were to be kept for longer than the log's first entry says for good."""
    genesis = genesis_of(store)
    if genesis is not None and genesis.mode == "live" and whole_days(settings.kept_for) > genesis.retention:
        setting, promised = settings.each["retention.messages"], counted(genesis.retention, "day")
        raise StopError(
            f"the ledger says that texts are kept for {promised}, and `retention.messages` from {setting.source} is"
            f" {setting.value!r}",
            help=f"Use at most `{promised}`, which was promised for good, or begin another record with --store.",
            code=Exit.USAGE,
        )


def _asked_witnesses(settings: Settings, store: Store, key: Keyring) -> tuple[Outcome, ...]:
    """Raises `ForkError` if a witness has seen more of this log than the store holds. A new store knows of nothing."""
    if settings.policy is None:
        return ()
    known = store.checkpoint or signed_head(Log(), key.name, key.signers)
    return demand_newest(known, read_policy(settings.policy), HttpLink(_ASKING), SystemClock())


@contextmanager
def reading(settings: Settings) -> Iterator[Store]:
    """The store, for looking only; works while another program writes. Raises `StopError` if there is none."""
    path = settings.folder / STORE_FILE
    if not path.exists():
        raise StopError(
            f"there is no record in {settings.folder}", help="Make one with `comity publish` and `comity run`."
        )
    with _explained(settings.folder):
        store = SqliteStore(path, writes=False)
    with _explained(settings.folder), closing(store):
        yield store


def links(settings: Settings) -> Links:
    """The links to the record's statements. Raises `StopError`."""
    with _explained(settings.folder):
        return Links(_links_key(settings.folder))


def _links_key(folder: Path) -> bytes:
    """Made when it is first asked for: older records have none."""
    return bytes.fromhex(secret_in(folder / LINKS_KEY, lambda: secrets.token_hex(32), is_new=True))


def tokens(settings: Settings) -> TokenFile:
    """The tokens beside the record. Raises `StopError`."""
    return _beside(settings, ACCESS_FILE, TokenFile)


def users(settings: Settings) -> UserFile:
    """The people who sign in, beside the record. Raises `StopError`."""
    return _beside(settings, ACCESS_FILE, UserFile)


def gate_acks(settings: Settings) -> GateAckFile:
    """What gates acknowledged. Raises `StopError`."""
    return _beside(settings, GATES_FILE, GateAckFile)


def counts(settings: Settings) -> CountFile:
    """What pages count. Raises `StopError`."""
    return _beside(settings, COUNTS_FILE, CountFile)


def put_aside(settings: Settings) -> tuple[Path, ...]:
    """What was damaged and may be lost, as it is called now; it is begun anew. Raises `StopError`."""
    found = (_beside(settings, name, put_aside_if_damaged) for name in (COUNTS_FILE, GATES_FILE))
    return tuple(filter(None, found))


def replies(settings: Settings) -> ReplyFile:
    """What was answered to requests under keys. Raises `StopError`."""
    return _beside(settings, REPLIES_FILE, ReplyFile)


def webhooks(settings: Settings) -> WebhookFile:
    """Where events are sent. Raises `StopError`."""
    return _beside(settings, WEBHOOKS_FILE, WebhookFile)


def mails(settings: Settings) -> MailFile:
    """Statements on their way by e-mail. Raises `StopError`."""
    return _beside(settings, MAIL_FILE, MailFile)


def _beside(settings: Settings, name: str, opened: Callable[[Path], _File]) -> _File:
    """A file of the record's folder, which may be new."""
    with _explained(settings.folder):
        settings.folder.mkdir(parents=True, exist_ok=True)
        return opened(settings.folder / name)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """What stops a record from being used, as the end of a command."""
    help_ = f"The record is in {folder}."
    try:
        yield
    except BrokenPipeError:
        raise
    except (StoreError, ForkError, NoteError) as error:
        raise StopError(str(error), help=help_) from error
    except OSError as error:
        place = error.filename or folder
        message = f"{place} cannot be used: {error.strerror or error}"
        raise StopError(message, help=f"{help_} Check the space on its disk and who may write there.") from error
    except (msgspec.MsgspecError, EntryError) as error:
        message = f"{folder / STORE_FILE} holds what this Comity did not write: {error}"
        raise StopError(message, help=f"{help_} Restore a backup of it.") from error
