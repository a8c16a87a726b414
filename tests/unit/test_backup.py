"""Backups and what comes back of them: nobody who was erased, and never a second history."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comity.app.backup import backup
from comity.app.errors import Exit, StopError
from comity.app.new_log import new_log
from comity.app.publish import publish
from comity.app.restore import Wanted, restore
from comity.app.run import run
from comity.app.settings import Settings, settings
from comity.app.wiring import LOG_FOLDER, SECRETS, STORE_FILE, opened, reading
from comity.casework.facts import Decided
from comity.flow.shard import genesis_of
from comity.ledger.checkpoint import unverified_checkpoint
from comity.ledger.report import Report
from comity.ledger.verify import verify
from comity.stores.backup import back_up, backups_in, delete_expired
from comity.stores.log_folder import LogFolder

RULES = """---
comity: 1
title: Rules
channels: [posts]
---

# Rules

## Spam {#spam}

Do not.

```rule
text.says("buy now")
```

## Measures {#measures}

| points | measure | channels | for |
|---|---|---|---|
| 1 | warn | | |
"""


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A record that replays two messages, of ann and bob, who both were warned."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.md").write_text(RULES, encoding="utf-8")
    made = record(tmp_path / "record")
    publish(tmp_path / "rules.md", made, effective="2026-01-01", replay=True)
    said(made, "ann", "bob")
    return made


def record(folder: Path) -> Settings:
    return settings({"store.folder": str(folder)})


def said(chosen: Settings, *authors: str) -> None:
    """Each says it once more."""
    with reading(chosen) as store:
        count = store.size
    path = chosen.folder.parent / f"{count}.jsonl"
    lines = [
        {"id": f"{count}-{who}", "author": who, "channel": "posts", "text": "Buy now!", "sent": "2026-03-02T12:00:00Z"}
        for who in authors
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    code = run([str(path)], chosen, [], source="s", as_sent=True, rejects=Path("rejects.jsonl"), as_json=True)
    assert code == Exit.FINE


def erased(chosen: Settings, account: str) -> None:
    """Erased, and the ledger says so on another day."""
    with opened(chosen) as kept:
        kept.store.erase(account)
        kept.recorder.publish_erasures(datetime(2027, 1, 1, tzinfo=UTC))


def verified(chosen: Settings) -> Report:
    report = verify(LogFolder(chosen.folder / "log").read)
    assert report.problems == ()
    return report


def names(chosen: Settings) -> Sequence[str]:
    with reading(chosen) as store:
        return [fact.account for fact in store.facts((Decided,))]


def lost(chosen: Settings) -> None:
    """The disk with the record is gone."""
    shutil.rmtree(chosen.folder)


def test_a_record_comes_back_whole_and_goes_on_in_the_same_ledger(chosen: Settings, tmp_path: Path) -> None:
    backup(tmp_path / "backups", chosen, keys=None, as_json=True)
    before = verified(chosen)
    lost(chosen)
    assert restore(Wanted(folder=tmp_path / "backups", nothing_lost=True), chosen) == Exit.FINE
    assert verified(chosen).root == before.root
    said(chosen, "cyd")
    assert verified(chosen).size > before.size
    assert names(chosen) == ["ann", "bob", "cyd"]


def test_a_copy_is_of_one_moment_and_whole_also_while_the_record_is_written(chosen: Settings, tmp_path: Path) -> None:
    with opened(chosen) as kept:
        backup(tmp_path / "backups", chosen, keys=None, as_json=True)
        assert kept.store.size == verified(chosen).size
    (made,) = backups_in(tmp_path / "backups")
    assert {path.name for path in made.path.iterdir()} == {STORE_FILE, LOG_FOLDER, *SECRETS}
    for path in [*made.path.glob("*.*"), *(tmp_path / "backups" / "keys").iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_keys_lie_apart_and_nothing_can_be_read_without_them(chosen: Settings, tmp_path: Path) -> None:
    apart = tmp_path / "apart"
    backup(tmp_path / "backups", chosen, keys=apart, as_json=True)
    assert [path.suffix for path in apart.iterdir()] == [".db"]
    lost(chosen)
    with pytest.raises(StopError, match="no usable backup of keys"):
        restore(Wanted(folder=tmp_path / "backups", nothing_lost=True), chosen)
    assert restore(Wanted(folder=tmp_path / "backups", keys=apart, nothing_lost=True), chosen) == Exit.FINE


def test_keys_older_than_30_days_are_deleted_by_the_next_backup_and_never_restored(
    chosen: Settings, tmp_path: Path
) -> None:
    folder, now = tmp_path / "backups", datetime.now(UTC).replace(microsecond=0)
    store = chosen.folder / "comity.db"
    for days in (31, 30):
        back_up(store, folder, folder / "keys", now - timedelta(days=days), secrets=("ledger.key",), logs=("log",))
    (folder / "keys" / "notes.txt").write_text("not a backup", encoding="utf-8")
    assert [one.at for one in backups_in(folder / "keys")] == [now - timedelta(days=31), now - timedelta(days=30)]
    assert [path.name[:10] for path in delete_expired(folder / "keys", now)] == [f"{now - timedelta(days=31):%Y-%m-%d}"]
    assert {path.suffix for path in (folder / "keys").iterdir()} == {".db", ".txt"}
    lost(chosen)
    (only,) = backups_in(folder / "keys")
    only.path.rename(only.path.with_name(f"{now - timedelta(days=40):%Y-%m-%dT%H-%M-%SZ}.db"))
    with pytest.raises(StopError, match="older than 30 days"):
        restore(Wanted(folder=folder, nothing_lost=True), chosen)


def test_whoever_was_erased_after_the_backup_does_not_come_back(chosen: Settings, tmp_path: Path) -> None:
    backup(tmp_path / "backups", chosen, keys=None, as_json=True)
    erased(chosen, "ann")
    shutil.copytree(chosen.folder / "log", tmp_path / "public")
    lost(chosen)
    assert restore(Wanted(folder=tmp_path / "backups", log=tmp_path / "public"), chosen) == Exit.PROBLEMS
    assert names(chosen) == ["bob"]


def test_with_the_keys_of_today_nobody_comes_back_of_whom_the_ledger_says_nothing_yet(
    chosen: Settings, tmp_path: Path
) -> None:
    backup(tmp_path / "backups", chosen, keys=None, as_json=True)
    with opened(chosen) as kept:
        kept.store.erase("ann")
    (chosen.folder / "comity.db").unlink()
    assert restore(Wanted(folder=tmp_path / "backups"), chosen) == Exit.FINE
    assert names(chosen) == ["bob"]


def test_a_store_that_is_older_than_its_published_ledger_does_not_sign(chosen: Settings, tmp_path: Path) -> None:
    backup(tmp_path / "backups", chosen, keys=None, as_json=True)
    said(chosen, "cyd")
    public = LogFolder(chosen.folder / "log").checkpoint()
    (chosen.folder / "comity.db").unlink()
    assert restore(Wanted(folder=tmp_path / "backups"), chosen) == Exit.PROBLEMS
    with pytest.raises(StopError, match="restored from an older backup"):
        said(chosen, "eve")
    assert LogFolder(chosen.folder / "log").checkpoint() == public


def test_from_a_backup_alone_nobody_can_tell_so_nothing_is_restored(chosen: Settings, tmp_path: Path) -> None:
    backup(tmp_path / "backups", chosen, keys=None, as_json=True)
    lost(chosen)
    with pytest.raises(StopError, match="would fork the ledger"):
        restore(Wanted(folder=tmp_path / "backups"), chosen)
    assert not chosen.folder.exists()


def test_the_new_log_cites_the_last_checkpoint_and_every_statement_stands_in_it(
    chosen: Settings, tmp_path: Path
) -> None:
    backup(tmp_path / "backups", chosen, keys=None, as_json=True)
    said(chosen, "cyd")
    old = verified(chosen)
    (chosen.folder / "comity.db").unlink()
    wanted = Wanted(folder=tmp_path / "backups", begin_new_log=True)
    assert restore(wanted, chosen) == Exit.FINE
    new = verified(chosen)
    assert new.origin == f"{old.origin}/log-2"
    assert any(f"goes on from the log {old.origin}, which then had {old.size} entries" in each for each in new.proved)
    assert (new.counts["statement"], old.counts["statement"]) == (2, 3)
    assert verify(LogFolder(chosen.folder / "earlier" / "1").read).root == old.root
    said(chosen, "eve")
    assert verified(chosen).counts["statement"] == 3


def test_a_lost_key_ends_the_log_and_another_cites_it(chosen: Settings) -> None:
    old = verified(chosen)
    (chosen.folder / "ledger.key").unlink()
    with pytest.raises(StopError, match=r"ledger\.key is missing") as stop:
        said(chosen, "cyd")
    assert "comity keys new-log" in stop.value.help
    assert new_log(chosen, origin="log.example.org/second") == Exit.FINE
    assert (verified(chosen).origin, verified(chosen).size) == ("log.example.org/second", old.size)
    said(chosen, "cyd")
    assert new_log(chosen, origin=None) == Exit.FINE
    assert verified(chosen).origin == "log.example.org/second/log-2"
    assert sorted(path.name for path in (chosen.folder / "earlier").iterdir()) == ["1", "2", "2.key"]


KILLED = """
import sys, pathlib, os
from comity.app import new_log
from comity.app.settings import settings
folder, left = sys.argv[1], int(sys.argv[2])
def dying(real):
    def step(*given, **named):
        global left
        if left == 0:
            os._exit(9)
        left -= 1
        return real(*given, **named)
    return step
new_log.begin_shard = dying(new_log.begin_shard)
new_log.made_durable = dying(new_log.made_durable)
pathlib.Path.rename = dying(pathlib.Path.rename)
new_log.opened = dying(new_log.opened)
new_log.new_log(settings({"store.folder": folder}), origin=None)
"""


@pytest.mark.parametrize("step", range(6))
def test_killed_at_any_step_the_new_log_is_finished_by_the_next_try(
    chosen: Settings, tmp_path: Path, step: int
) -> None:
    old = verified(chosen)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(chosen.folder), str(step)], capture_output=True, check=False
    )
    assert done.returncode == 9, done.stderr
    assert new_log(chosen, origin=None) == Exit.FINE
    new = verified(chosen)
    assert (new.origin, new.size) == (f"{old.origin}/log-2", old.size)
    with reading(chosen) as store:
        genesis = genesis_of(store)
        assert genesis is not None
        assert genesis.after
        assert genesis.after.size == unverified_checkpoint(_earlier(chosen)).size
    said(chosen, "cyd")


def _earlier(chosen: Settings) -> bytes:
    (log,) = [path for path in (chosen.folder / "earlier").iterdir() if path.is_dir()]
    return LogFolder(log).checkpoint() or b""


def test_gates_take_a_new_snapshot_after_a_new_log(chosen: Settings) -> None:
    with reading(chosen) as store:
        before = store.feed.epoch
    new_log(chosen, origin=None)
    with reading(chosen) as store:
        assert store.feed.epoch != before
