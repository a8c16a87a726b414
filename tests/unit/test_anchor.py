"""A checkpoint on other storage shows that the whole folder, the published log included, was put back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from test_backup import RULES, said, verified

from comity.app.backup import backup
from comity.app.errors import Exit, StopError
from comity.app.new_log import new_log
from comity.app.publish import publish
from comity.app.restore import Wanted, restore
from comity.app.settings import Settings, settings
from comity.app.verify import verify_own
from comity.app.wiring import reading
from comity.flow.shard import genesis_of
from comity.ledger.checkpoint import unverified_checkpoint
from comity.stores.log_folder import LogFolder


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "rules.md").write_text(RULES, encoding="utf-8")
    made = anchored(tmp_path, tmp_path / "elsewhere" / "anchor")
    publish(tmp_path / "rules.md", made, effective="2026-01-01", replay=True)
    said(made, "ann")
    return made


def anchored(folder: Path, anchor: Path | None) -> Settings:
    return settings({"store.folder": str(folder / "record"), "ledger.anchor": str(anchor) if anchor else None})


def anchor_of(chosen: Settings) -> Path:
    assert chosen.anchor is not None
    return chosen.anchor


def test_it_is_the_published_checkpoint_after_every_write(chosen: Settings) -> None:
    for who in ("bob", "cyd"):
        said(chosen, who)
        assert anchor_of(chosen).read_bytes() == LogFolder(chosen.folder / "log").checkpoint()


def test_a_folder_that_was_put_back_whole_does_not_sign(chosen: Settings, tmp_path: Path) -> None:
    shutil.copytree(chosen.folder, tmp_path / "old")
    said(chosen, "bob")
    shutil.rmtree(chosen.folder)
    shutil.copytree(tmp_path / "old", chosen.folder)
    before = LogFolder(chosen.folder / "log").checkpoint()
    with pytest.raises(StopError, match="restored from an older backup"):
        said(chosen, "eve")
    assert LogFolder(chosen.folder / "log").checkpoint() == before
    assert verify_own(chosen, since=(), key=None, as_json=True) == Exit.PROBLEMS


def test_another_history_of_the_same_length_does_not_sign(chosen: Settings, tmp_path: Path) -> None:
    shutil.copytree(chosen.folder, tmp_path / "old")
    said(chosen, "bob")
    kept = anchor_of(chosen).read_bytes()
    shutil.rmtree(chosen.folder)
    shutil.copytree(tmp_path / "old", chosen.folder)
    unwatched = anchored(tmp_path, None)
    said(unwatched, "eve")
    said(unwatched, "fay")
    assert verified(unwatched).size > unverified_checkpoint(kept).size
    with pytest.raises(StopError, match="are not those that were published"):
        said(chosen, "gil")


def test_a_missing_anchor_is_not_taken_for_a_new_one(chosen: Settings) -> None:
    anchor_of(chosen).unlink()
    with pytest.raises(StopError, match="Mount its disk"):
        said(chosen, "bob")
    shutil.copy(chosen.folder / "log" / "checkpoint", anchor_of(chosen))
    said(chosen, "bob")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 10, b"log\n1\nAAAA\n\n"])
def test_an_anchor_that_holds_no_checkpoint_of_this_ledger_is_refused(chosen: Settings, content: bytes) -> None:
    anchor_of(chosen).write_bytes(content)
    with pytest.raises(StopError, match="no checkpoint of this ledger"):
        said(chosen, "bob")


def test_an_anchor_that_could_not_be_written_is_made_up_for_by_the_next_write(chosen: Settings, tmp_path: Path) -> None:
    kept = anchor_of(chosen).read_bytes()
    blocked = anchor_of(chosen).with_name("anchor.new")
    blocked.mkdir()
    with pytest.raises(StopError):
        said(chosen, "bob")
    assert anchor_of(chosen).read_bytes() == kept
    blocked.rmdir()
    said(chosen, "cyd")
    assert anchor_of(chosen).read_bytes() == LogFolder(chosen.folder / "log").checkpoint()
    assert verified(chosen).counts["statement"] == 3


def test_a_new_log_cites_what_the_anchor_kept_and_is_anchored_in_its_turn(chosen: Settings, tmp_path: Path) -> None:
    backup(tmp_path / "backups", chosen, keys=None, as_json=True)
    said(chosen, "bob")
    last = unverified_checkpoint(anchor_of(chosen).read_bytes())
    shutil.rmtree(chosen.folder)
    assert restore(Wanted(folder=tmp_path / "backups"), chosen) == Exit.PROBLEMS
    with pytest.raises(StopError, match="restored from an older backup"):
        said(chosen, "eve")
    assert new_log(chosen, origin=None) == Exit.FINE
    with reading(chosen) as store:
        genesis = genesis_of(store)
    assert genesis is not None
    assert genesis.after
    assert (genesis.after.size, genesis.after.root) == (last.size, last.root.hex())
    said(chosen, "eve")
    assert anchor_of(chosen).read_bytes() == LogFolder(chosen.folder / "log").checkpoint()


def test_verifying_ones_own_log_says_when_neither_anchor_nor_witness_is_named(
    chosen: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify_own(chosen, since=(), key=None, as_json=True) == Exit.FINE
    assert "neither an anchor nor witnesses" not in capsys.readouterr().out
    assert verify_own(anchored(tmp_path, None), since=(), key=None, as_json=True) == Exit.FINE
    assert "neither an anchor nor witnesses" in capsys.readouterr().out
