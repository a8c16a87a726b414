"""The published log as files in a folder, which any web server can serve as it is.

Each file is written aside, made durable and renamed into place, tiles before the checkpoint that needs them. Never
called before the transaction that it publishes is committed: see `comity.ledger.log`.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import Final, TypeVar

from comity.ledger.checkpoint import unverified_checkpoint
from comity.ledger.log import CHECKPOINT_PATH, COSIGNED_PATH, VKEY_PATH, File, ForkError
from comity.ledger.note import NoteError, VerifierKey, countersigned, parse_note
from comity.ledger.tiles import LARGEST_FILE, parse_path
from comity.ledger.tree import TILE_WIDTH
from comity.ledger.versions import LARGEST_VERSION, is_version_path

if sys.platform != "win32":
    from fcntl import LOCK_EX, flock

WorkT = TypeVar("WorkT")
ResultT = TypeVar("ResultT")
_UNTRUSTED: Final = sum(int(getattr(os, flag, 0)) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
"""The folder may be somebody else's: follow no link, do not wait for a pipe, change no line's end. As far as can be."""
_NEXT: Final = ".checkpoint.next.new"
"""Where a checkpoint waits, durable, for what it needs. Nobody else reads or writes it."""
_AT_ONCE: Final = 16
_TOGETHER: Final = 4
"""Files that wait for the disk side by side: a journalling file system makes them durable in one go."""
_NAMED: Final = (CHECKPOINT_PATH, COSIGNED_PATH, VKEY_PATH)


class LogFolder:
    """A folder with `checkpoint`, `cosigned`, `vkey`, `tile/...` and `agreement/...`.

    One publisher at a time; beside it whoever collects cosignatures, and any number of readers. On Windows it is read
    alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._beside = ThreadPoolExecutor(_TOGETHER, thread_name_prefix="log")

    def read(self, path: str) -> bytes | None:
        """A file of the log by its path below the prefix. None: no such file, or no path that a log has."""
        if is_version_path(path):
            return _read_regular(self.path / path, LARGEST_VERSION)
        if path not in _NAMED and parse_path(path) is None:
            return None
        return _read_regular(self.path / path, LARGEST_FILE)

    def checkpoint(self) -> bytes | None:
        """The signed checkpoint that was published last."""
        return self.read(CHECKPOINT_PATH)

    def publish(self, files: Iterable[File], checkpoint: bytes) -> None:
        """Write `files`, then `checkpoint`, each durable before the next step; then drop outgrown partial tiles.

        Raises `ForkError`, with no checkpoint written, if `checkpoint` does not follow the published one.
        """
        self._demand_forward(self.checkpoint(), checkpoint)
        outgrown = []
        every = (one for one in chain(files, [(_NEXT, checkpoint)]) if one[0] != CHECKPOINT_PATH)
        while some := list(islice(every, _AT_ONCE)):
            outgrown += [self.path / f"{path}.p" for path, _ in some if _is_whole(path)]
            self._put(some)
        with self._checkpoints():
            self._put_checkpoint(checkpoint)
        for folder in outgrown:
            self._beside.submit(shutil.rmtree, folder, ignore_errors=True)  # nobody waits for that

    def publish_cosigned(self, cosigned: bytes, *, is_valid: bool) -> bool:
        """Add the signatures of `cosigned` to the published checkpoint. False: that has gone on to another size.

        `is_valid`: it meets the log's policy, so it is kept as `cosigned` until a larger one does. Never rolls back.
        """
        note = parse_note(cosigned)
        with self._checkpoints():
            published = self.checkpoint()
            is_newest = published is not None and parse_note(published).text == note.text
            if published is not None and is_newest:
                _sync(self._write(CHECKPOINT_PATH, countersigned(published, note.signatures)))
            if is_valid:
                self._keep_cosigned(cosigned)
        return is_newest

    def _keep_cosigned(self, cosigned: bytes) -> None:
        old = self.read(COSIGNED_PATH)
        if old is not None and parse_note(old).text == parse_note(cosigned).text:
            cosigned = countersigned(old, parse_note(cosigned).signatures)
        if old is None or unverified_checkpoint(old).size <= unverified_checkpoint(cosigned).size:
            _sync(self._write(COSIGNED_PATH, cosigned))

    def _put_checkpoint(self, checkpoint: bytes) -> None:
        """Published again, a checkpoint keeps the cosignatures that it has."""
        published = self.checkpoint()
        self._demand_forward(published, checkpoint)
        if published is not None and parse_note(published).text == parse_note(checkpoint).text:
            _sync(self._write(_NEXT, countersigned(published, parse_note(checkpoint).signatures)))
        os.replace(self.path / _NEXT, self.path / CHECKPOINT_PATH)
        _sync([str(self.path)])

    @contextmanager
    def _checkpoints(self) -> Iterator[None]:
        """Nobody else writes a checkpoint meanwhile: what was read is what is replaced."""
        self.path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        with _closing(descriptor):
            if sys.platform != "win32":
                flock(descriptor, LOCK_EX)
            yield

    def write_vkey(self, key: VerifierKey) -> None:
        """Publish the key that verifies the checkpoints. Raises `ForkError` if another stands there."""
        old, new = self.read(VKEY_PATH), f"{key}\n".encode()
        if old is not None and old != new:
            raise ForkError(
                f"{self.path / VKEY_PATH} holds another verifier key than this store's: the folder belongs to another"
                " log. Name an empty folder, or use the store that published to this one."
            )
        if old is None:
            _sync(self._write(VKEY_PATH, new))

    def exchange_vkey(self, key: VerifierKey) -> None:
        """Publish a key that took the place of the one before, as the log's entries say."""
        _sync(self._write(VKEY_PATH, f"{key}\n".encode()))

    def _demand_forward(self, old: bytes | None, checkpoint: bytes) -> None:
        if old is None:
            return
        try:
            before, after = unverified_checkpoint(old), unverified_checkpoint(checkpoint)
        except NoteError as error:
            raise ForkError(
                f"{self.path / CHECKPOINT_PATH} cannot be compared with what is to be published: {error} Compare it"
                " with a copy that a witness or a reader has kept before you replace it."
            ) from error
        if before.origin != after.origin or before.size > after.size:
            raise ForkError(
                f"{self.path} has published {before.origin}, {before}: {after.origin}, {after}, is no step on."
            )
        if before.size == after.size and before.root != after.root:
            raise ForkError(f"{self.path} has published another root for {before.size} entries: {before}.")

    def _put(self, files: Sequence[File]) -> None:
        """Put files in place, durable with their names. The disk is waited for twice, however many they are."""
        folders = self._together(lambda one: self._write(*one), files)
        self._together(lambda one: _sync([one]), set[str]().union(*folders))

    def _together(self, work: Callable[[WorkT], ResultT], every: Iterable[WorkT]) -> list[ResultT]:
        """Raises what one of them raises, when all have ended."""
        doing = [self._beside.submit(work, one) for one in every]
        wait(doing)
        done = list[ResultT]()
        while doing:  # each is let go of, or what it raises would keep alive whatever its callers hold
            done.append(doing.pop(0).result())
        return done

    def _write(self, path: str, content: bytes) -> set[str]:
        """Put a file in place and return the folders to sync. Raises `OSError`; the old file then still stands."""
        target = os.path.join(self.path, path)  # of strings: it is done with each publication, and paths cost more
        folder, name = os.path.split(target)
        new = () if os.path.isdir(folder) else _made_folders(Path(folder))
        aside = os.path.join(folder, f".{name}.new")
        with open(aside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, target)
        return {folder, *map(str, new)}


def _is_whole(path: str) -> bool:
    """Whether this is a full tile or bundle. Raises `ValueError` for what a log has not."""
    place = parse_path(path)
    if place is None and path != _NEXT and not is_version_path(path):
        raise ValueError(f"{path!r} is no path of a tile, a bundle or an agreement.")
    return place is not None and place.width == TILE_WIDTH


def _made_folders(folder: Path) -> set[Path]:
    """Make `folder` and what leads to it; the folders whose listing this changed."""
    missing = list(takewhile(lambda one: not one.exists(), (folder, *folder.parents)))
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
    return {one.parent for one in missing}


def _sync(folders: Iterable[str]) -> None:
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        with _closing(descriptor):
            os.fsync(descriptor)


def _read_regular(path: Path, largest: int) -> bytes | None:
    """The file's bytes; one byte too many if it is larger than such a file may be, so that readers refuse it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _UNTRUSTED)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            return None
        raise
    with _closing(descriptor):
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return None
        with os.fdopen(
            descriptor, "rb", closefd=False
        ) as file:  # of more than a file has, the room is made for nothing
            return file.read(min(found.st_size, largest) + 1)


@contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)
