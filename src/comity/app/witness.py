"""`comity witness`: watches other people's logs, and vouches over HTTP that they only ever grow."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import uvicorn

from comity.api.witness import SLOWEST, App, witness_app
from comity.app.errors import Exit, StopError
from comity.app.listening import listening, place_of, run
from comity.app.signing import secret_in
from comity.app.terminal import out
from comity.app.wiring import SystemClock
from comity.casework.wording import counted
from comity.flow.witness import Witness
from comity.ledger.cosignature import CosigningKey
from comity.ledger.log_list import LARGEST_LIST, LogListError, parse_log_list
from comity.ledger.note import NoteError, VerifierKey
from comity.ports import StoreError
from comity.stores.witness_state import WitnessState

KEY_FILE: Final = "witness.key"
STATE_FILE: Final = "witness.db"
_MOST_CONNECTIONS: Final = 200


def witness(logs: Path, folder: Path, *, name: str | None, host: str, port: int) -> Exit:
    """Serves until it is told to stop (Ctrl-C, SIGTERM)."""
    known = _known_logs(logs)
    with _state(folder) as state:
        key = _cosigning_key(folder, name)
        app = witness_app(Witness(known, key, state, SystemClock()))
        with listening(host, port, backlog=_MOST_CONNECTIONS) as listener:
            out.print(f"witness {key.cosigner}", markup=False, soft_wrap=True)
            kept = f"{counted(len(known), 'log')} on {place_of(listener)}"
            out.print(f"vouches for {kept}", markup=False, soft_wrap=True)
            out.file.flush()
            _serve(app, listener)
    return Exit.FINE


def _serve(app: App, listener: socket.socket) -> None:
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=SLOWEST + 5,  # so that no answer is cut short
    )
    run(config, listener)


def _known_logs(path: Path) -> Mapping[str, VerifierKey]:
    try:
        with path.open("rb") as file:
            return parse_log_list(file.read(LARGEST_LIST + 1))
    except OSError as error:
        help_ = "Name a file that lists the logs to vouch for; docs/witness.md shows one."
        raise StopError(f"{path} cannot be read: {error.strerror}", help=help_, code=Exit.USAGE) from error
    except LogListError as error:
        raise StopError(f"{path}: {error}", help="Mend that line and start again.", code=Exit.USAGE) from error


@contextmanager
def _state(folder: Path) -> Iterator[WitnessState]:
    """What was cosigned so far. Raises `StopError`, also for a key whose state was lost: it might vouch for a fork."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / KEY_FILE).exists() and not (folder / STATE_FILE).exists():
        raise StopError(
            f"{folder / STATE_FILE} is missing, in which this witness keeps what it has cosigned",
            help=f"Restore it; or move {KEY_FILE} away to begin a new witness, and tell the logs its new key.",
        )
    try:
        state = WitnessState(folder / STATE_FILE)
    except StoreError as error:
        raise StopError(str(error), help=f"The witness is in {folder}.") from error
    with closing(state):
        yield state


def _cosigning_key(folder: Path, name: str | None) -> CosigningKey:
    path = folder / KEY_FILE
    fresh = CosigningKey(name=name or f"comity.invalid/witness-{secrets.token_hex(8)}", seed=secrets.token_bytes(32))
    made = secret_in(path, fresh.encode, is_new=not path.exists())
    try:
        key = CosigningKey.parse(made)
    except NoteError as error:
        raise StopError(f"{path} holds no key of a witness: {error}", help="Restore it from a backup.") from error
    if name not in (None, key.name):
        help_ = "Leave --name out, or name another folder with --store."
        raise StopError(f"this witness is called {key.name}, not {name}", help=help_, code=Exit.USAGE)
    return key
