"""The keys that sign the ledger: files that nobody else may read, or a command that keeps the key to itself."""

from __future__ import annotations

import os
import secrets
import shlex
import stat
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from comity.app.errors import Exit, StopError
from comity.app.settings import Settings
from comity.ledger.keyring import Keyring, LogSigner
from comity.ledger.note import NoteError, SigningKey, VerifierKey, parse_signature

LEDGER_KEY: Final = "ledger.key"
_PATIENCE: Final = 10.0
_LARGEST_ANSWER: Final = 10_000
_MOST_KEYS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningCommand:
    """A program that gets the text of the note on standard input and writes its signature line to standard output."""

    verifier: VerifierKey
    command: tuple[str, ...]
    seconds: float = _PATIENCE

    @property
    def name(self) -> str:
        return self.verifier.name

    @property
    def key_id(self) -> bytes:
        return self.verifier.key_id

    def sign(self, text: bytes) -> bytes:
        """Raises `NoteError`, before anything is recorded, unless the answer is the key's signature of this text."""
        line = self._answer(text)
        signature = parse_signature(line.decode("utf-8", "replace").removesuffix("\n"), "The answer of the command")
        if (signature.name, signature.key_id) != (self.name, self.key_id):
            raise self._failed(f"signs as {signature.name}+{signature.key_id.hex()}, not with the configured key")
        if not self.verifier.verifies(text, signature.content):
            raise self._failed("gave a signature that does not fit the text")
        return signature.content

    def _answer(self, text: bytes) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
                self.command, input=text, capture_output=True, timeout=self.seconds, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise self._failed(f"did not answer within {self.seconds:g} seconds") from error
        except OSError as error:
            raise self._failed(f"cannot be run: {error.strerror}") from error
        if done.returncode != 0:
            said = done.stderr[:200].decode("utf-8", "replace").strip()
            raise self._failed(f"ended with exit code {done.returncode}: {said}")
        if len(done.stdout) > _LARGEST_ANSWER:
            raise self._failed(f"wrote {len(done.stdout)} bytes, where a signature line is wanted")
        return done.stdout

    def _failed(self, what: str) -> NoteError:
        return NoteError(f"The command that signs the ledger, {self.command[0]!r}, {what}. Nothing was recorded.")


def keyring(settings: Settings, *, is_new: bool) -> Keyring:
    """The keys that sign now, the published one first. `is_new`: the record is, so that a key may be made."""
    command = _command(settings)
    path = settings.folder / LEDGER_KEY
    if command is not None and not path.exists():
        return Keyring(signers=(command,))
    origin = settings["ledger.origin"] or f"comity.invalid/{secrets.token_hex(8)}"
    keys = keys_in(path, lambda: new_key(origin), is_new=is_new)
    return _together(path, (*keys, command) if command else keys)


def _together(path: Path, signers: tuple[LogSigner, ...]) -> Keyring:
    try:
        return Keyring(signers=signers)
    except NoteError as error:
        help_ = f"Leave in {path}, and in comity.toml, only keys of this ledger."
        raise StopError(str(error), help=help_) from error


def new_key(origin: str) -> SigningKey:
    return SigningKey(name=origin, seed=secrets.token_bytes(32))


def keys_in(path: Path, make: Callable[[], SigningKey], *, is_new: bool) -> tuple[SigningKey, ...]:
    """The keys in a file, one a line: one, or while it is replaced two. Raises `StopError`."""
    lines = secret_in(path, lambda: make().encode(), is_new=is_new).split("\n")
    if len(lines) > _MOST_KEYS:
        raise StopError(f"{path} holds {len(lines)} keys, more than {_MOST_KEYS}", help="Restore it from a backup.")
    try:
        return tuple(SigningKey.parse(line) for line in lines)
    except NoteError as error:
        raise StopError(f"{path} holds no key: {error}", help="Restore it from a backup.") from error


def write_keys(path: Path, keys: Iterable[SigningKey]) -> None:
    write_secret(path, "\n".join(key.encode() for key in keys))


def _command(settings: Settings) -> SigningCommand | None:
    command, vkey = settings["ledger.sign"], settings["ledger.key"]
    if not command and not vkey:
        return None
    try:
        words = tuple(shlex.split(command))
        if not words or not vkey:
            raise ValueError("`sign` and `key` under [ledger] belong together: a command, and the key it signs with")
        return SigningCommand(verifier=VerifierKey.parse(vkey), command=words)
    except ValueError as error:
        help_ = "Write `sign` as you would in a shell, and `key` as the verifier key is written in `vkey`."
        raise StopError(f"the ledger cannot be signed: {error}", help=help_, code=Exit.USAGE) from error


def secret_in(path: Path, make: Callable[[], str], *, is_new: bool) -> str:
    """The secret in `path`, made with the record. Raises `StopError`, also if others may read it.

    Called while the store is locked, so that no two programs make two.
    """
    if not path.exists() and not is_new:
        message = f"{path} is missing, and the record cannot go on with another key"
        lost = " If it is lost for good, begin a new log that cites this one: `comity keys new-log`."
        raise StopError(message, help=f"Restore it from a backup.{lost if path.name == LEDGER_KEY else ''}")
    if not path.exists():
        write_secret(path, make())
    demand_private(path)
    return path.read_bytes().decode("ascii", "replace").strip()


def write_secret(path: Path, text: str) -> None:
    """Durably, whole or not at all, and readable by its owner alone from the first moment."""
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def demand_private(path: Path) -> None:
    """Raises `StopError` if anybody but its owner may read or write the file. Windows has no such modes."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise StopError(
            f"{path} can be read or written by others (mode {mode:04o})",
            help=f"`chmod 600 {shlex.quote(str(path))}`; and if others have used the machine, replace the key:"
            " `comity keys rotate`.",
        )
