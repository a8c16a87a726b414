"""The published folder: durable step by step, never backwards, and deaf to paths that no log has."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.log import ForkError, Log, append, publication, signed_head
from comity.ledger.note import SigningKey
from comity.stores.log_folder import LogFolder

KEY = SigningKey(name="example.com/log", seed=bytes(range(32)))


@pytest.fixture
def folder(tmp_path: Path) -> LogFolder:
    return LogFolder(tmp_path / "a" / "log")


def grown(log: Log, count: int) -> tuple[Log, tuple[tuple[str, bytes], ...], bytes]:
    appended = append(log, [b"entry %d" % (log.size + n) for n in range(count)])
    checkpoint = signed_head(appended.log, KEY.name, [KEY])
    return appended.log, publication(appended, checkpoint), checkpoint


def test_what_is_published_can_be_read_and_nothing_else_lies_there(folder: LogFolder) -> None:
    _, files, checkpoint = grown(Log(), 300)
    folder.publish(files, checkpoint)
    assert {path: folder.read(path) for path, _ in files} == dict(files)
    assert folder.checkpoint() == checkpoint
    assert {str(one.relative_to(folder.path)) for one in folder.path.rglob("*") if one.is_file()} == dict(files).keys()


def test_outgrown_partial_tiles_go_once_the_full_ones_are_published(folder: LogFolder) -> None:
    log, files, checkpoint = grown(Log(), 200)
    folder.publish(files, checkpoint)
    assert folder.read("tile/0/000.p/200") is not None
    _, files, checkpoint = grown(log, 100)
    folder.publish(files, checkpoint)
    until = time.monotonic() + 30
    while (folder.path / "tile/0/000.p").exists() or (folder.path / "tile/entries/000.p").exists():
        assert time.monotonic() < until  # it is done beside, for nobody waits for it
    assert folder.read("tile/0/000") is not None
    assert folder.read("tile/0/001.p/44") is not None


def test_a_checkpoint_never_goes_backwards_or_aside(folder: LogFolder) -> None:
    first, files, checkpoint = grown(Log(), 3)
    folder.publish(files, checkpoint)
    _, more, later = grown(first, 3)
    folder.publish(more, later)
    aside = sign_checkpoint(Checkpoint(origin=KEY.name, size=6, root=bytes(32)), [KEY])
    other = sign_checkpoint(Checkpoint(origin="example.com/other", size=9, root=bytes(32)), [KEY])
    for wrong in (checkpoint, aside, other, b"no checkpoint"):
        with pytest.raises(ForkError):
            folder.publish([], wrong)
        assert folder.checkpoint() == later
    folder.publish(more, later)


def test_an_unreadable_checkpoint_is_not_replaced(folder: LogFolder) -> None:
    _, files, checkpoint = grown(Log(), 3)
    folder.publish(files, checkpoint)
    (folder.path / "checkpoint").write_bytes(b"broken")
    with pytest.raises(ForkError, match="cannot be compared"):
        folder.publish(files, checkpoint)


def test_another_logs_key_is_not_replaced(folder: LogFolder) -> None:
    folder.write_vkey(KEY.verifier)
    folder.write_vkey(KEY.verifier)
    assert folder.read("vkey") == f"{KEY.verifier}\n".encode()
    with pytest.raises(ForkError, match="belongs to another log"):
        folder.write_vkey(SigningKey(name="example.com/other", seed=bytes(32)).verifier)


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "../a", "tile", "tile/0", "/etc/passwd", "vkey/", "tile/0/../../vkey", "tile/0/000\0", ".new"],
)
def test_a_path_that_no_log_has_is_no_file(folder: LogFolder, path: str) -> None:
    _, files, checkpoint = grown(Log(), 3)
    folder.publish(files, checkpoint)
    assert folder.read(path) is None
    with pytest.raises(ValueError, match="no path of a tile"):
        folder.publish([(path, b"")], checkpoint)


def test_links_pipes_and_folders_are_no_files(folder: LogFolder, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    level = folder.path / "tile" / "0"
    (level / "002").mkdir(parents=True)
    (level / "000").symlink_to(secret)
    os.mkfifo(level / "001")
    for n in range(3):
        assert folder.read(f"tile/0/00{n}") is None


def test_a_file_that_cannot_be_a_logs_is_read_no_further_than_it_could_be(folder: LogFolder) -> None:
    path = folder.path / "tile" / "entries" / "000"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(10**12)
    content = folder.read("tile/entries/000")
    assert content is not None
    assert len(content) == 256 * (2 + 65535) + 1


def test_a_write_that_died_half_way_leaves_the_old_file_and_does_no_harm_later(folder: LogFolder) -> None:
    log, files, checkpoint = grown(Log(), 3)
    folder.publish(files, checkpoint)
    for name in (".checkpoint.next.new", "..checkpoint.next.new.new"):
        (folder.path / name).write_bytes(b"half")
    assert folder.checkpoint() == checkpoint
    _, files, later = grown(log, 3)
    folder.publish(files, later)
    assert folder.checkpoint() == later
    assert not [each.name for each in folder.path.iterdir() if each.name.startswith(".")]


def test_a_missing_log_reads_as_nothing(folder: LogFolder) -> None:
    assert folder.checkpoint() is None
    assert folder.read("tile/0/000") is None
