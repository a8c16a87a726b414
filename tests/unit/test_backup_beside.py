"""What lies beside a record comes back with it: who may get in, what is on its way; also after a death in between."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from test_backup import RULES, erased, lost, names, record, said, verified

from comity.app import restore as restoring
from comity.app.backup import backup
from comity.app.errors import Exit
from comity.app.publish import publish
from comity.app.restore import Wanted, restore
from comity.app.settings import Settings
from comity.app.wiring import SECRETS, STORE_FILE, mails, reading, replies, tokens, users, webhooks
from comity.model.access import Role, Token, TokenId
from comity.model.ids import DecisionId, ReviewerId
from comity.model.user import Session, User
from comity.model.webhook import Webhook, WebhookId
from comity.ports import Begun
from comity.stores import backup as copying
from comity.stores.backup import back_up, backups_in

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOON = datetime.now(UTC) + timedelta(days=9)
ONE_SESSION, ONE_LINK = b"canary of a session", b"canary of a link"
SECRET, MARA = sha256(b"secret").digest(), ReviewerId("mara")


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A record of ann's and bob's warnings, a token, mara who is signed in, a webhook, a mail and an answer."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.md").write_text(RULES, encoding="utf-8")
    made = record(tmp_path / "record")
    publish(tmp_path / "rules.md", made, effective="2026-01-01", replay=True)
    said(made, "ann", "bob")
    with closing(tokens(made)) as file:
        file.add(token("forum"), SECRET)
    with closing(users(made)) as file:
        file.put(User(name=MARA, roles=frozenset({Role.OPERATOR}), created=NOW))
        file.set_password(MARA, "argon2id")
        file.begin(ONE_SESSION, Session(user=MARA, began=NOW, seen=NOW, by_link=False))
        file.add_link(ONE_LINK, MARA, SOON)
    with closing(webhooks(made)) as file:
        hook = Webhook(
            id=WebhookId("w"), url="https://x", secret="s", source=None, may_be_private=False, created=NOW, position=0
        )
        file.add(hook)
        file.put(hook.id, ["1"], position(made), NOW)
    with closing(mails(made)) as file:
        file.put({DecisionId("d"): 1}, position(made), NOW)
    with closing(replies(made)) as file:
        answered(file, b"before")
    return made


def token(name: str) -> Token:
    return Token(id=TokenId(name), name=name, role=Role.SOURCE, channels=None, created=NOW, expires=SOON)


def answered(file, name: bytes) -> None:
    file.begin(Begun(name=name, body=b"", mark=""), datetime.now(UTC))
    file.end(name, b"done")


def position(chosen: Settings) -> int:
    with reading(chosen) as store:
        return store.position


def back(tmp_path: Path, chosen: Settings) -> None:
    assert restore(Wanted(folder=tmp_path / "backups", nothing_lost=True), chosen) == Exit.FINE


def test_who_may_get_in_and_what_is_on_its_way_come_back_and_nobody_is_signed_in(
    chosen: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup(tmp_path / "backups", chosen, keys=None, as_json=True)
    for path in (tmp_path / "backups").rglob("*.[dkn]*"):
        assert path.is_dir() or path.stat().st_mode & 0o077 == 0, path
    lost(chosen)
    back(tmp_path, chosen)
    assert "comity token list" in capsys.readouterr().out
    with closing(tokens(chosen)) as file:
        assert file.find(SECRET, NOW) == token("forum")
    with closing(users(chosen)) as file:
        assert [user.name for user in file.every()] == [MARA]
        assert file.password(MARA) == "argon2id"
        assert (file.session(ONE_SESSION), file.link(ONE_LINK, NOW)) == (None, None)
    with closing(webhooks(chosen)) as file:
        assert [(hook.secret, hook.position) for hook in file.every()] == [("s", position(chosen))]
        assert file.waiting(WebhookId("w")) == 1
    with closing(mails(chosen)) as file:
        assert (file.position, file.waiting()) == (position(chosen), 1)
    with closing(replies(chosen)) as file:
        assert file.begin(Begun(name=b"before", body=b"", mark=""), datetime.now(UTC)) is not None


def test_in_a_backup_nobody_is_signed_in(chosen: Settings, tmp_path: Path) -> None:
    backup(tmp_path / "backups", chosen, keys=None, as_json=True)
    (made,) = backups_in(tmp_path / "backups")
    kept = (made.path / "access.db").read_bytes()
    assert b"mara" in kept
    assert ONE_SESSION not in kept
    assert ONE_LINK not in kept


def test_whoever_was_revoked_since_stays_out_where_the_file_is_still_there(
    chosen: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup(tmp_path / "backups", chosen, keys=None, as_json=True)
    with closing(tokens(chosen)) as file:
        file.revoke(TokenId("forum"))
    (chosen.folder / STORE_FILE).unlink()
    back(tmp_path, chosen)
    assert "comity token list" not in capsys.readouterr().out
    with closing(tokens(chosen)) as file:
        assert file.every() == []


def test_what_was_sent_and_answered_of_a_later_record_is_not_taken_for_seen_to(
    chosen: Settings, tmp_path: Path
) -> None:
    backup(tmp_path / "backups", chosen, keys=None, as_json=True)
    restored_to = position(chosen)
    said(chosen, "cyd")
    later = position(chosen)
    assert later > restored_to
    with closing(webhooks(chosen)) as file:
        file.put(WebhookId("w"), [str(later), f"{later}.1"], later, NOW)
    with closing(mails(chosen)) as file:
        file.put({DecisionId("d"): later, DecisionId("later"): later}, later, NOW)
    with closing(replies(chosen)) as file:
        answered(file, b"later")
    (chosen.folder / "gates.db").write_bytes(b"")
    (chosen.folder / STORE_FILE).unlink()
    assert restore(Wanted(folder=tmp_path / "backups"), chosen) == Exit.PROBLEMS
    with closing(webhooks(chosen)) as file:
        assert [hook.position for hook in file.every()] == [restored_to]
        assert [letter.event for letter in file.due(WebhookId("w"), NOW, 9)] == ["1"]
    with closing(mails(chosen)) as file:
        assert file.position == restored_to
        assert {mail.event for mail in file.due(NOW, 9)} == {restored_to}
    with closing(replies(chosen)) as file:
        assert file.begin(Begun(name=b"later", body=b"", mark=""), datetime.now(UTC)) is None
    assert not (chosen.folder / "gates.db").exists()


def test_a_log_that_sqlite_left_behind_is_not_played_onto_the_restored_store(chosen: Settings, tmp_path: Path) -> None:
    backup(tmp_path / "backups", chosen, keys=None, as_json=True)
    root = verified(chosen).root
    shutil.copytree(chosen.folder, tmp_path / "before")
    died(lambda: _written_and_killed(chosen))
    for name in ("comity.db", "access.db"):
        assert (chosen.folder / f"{name}-wal").stat().st_size > 0
        (chosen.folder / name).unlink()
    shutil.rmtree(chosen.folder / "log")
    back(tmp_path, chosen)
    assert names(chosen) == ["ann", "bob"]
    assert verified(chosen).root == root
    with closing(tokens(chosen)) as file:
        assert [one.name for one in file.every()] == ["forum"]


def _written_and_killed(chosen: Settings) -> None:
    """Nothing is closed, so what was written stands in SQLite's own logs."""
    access = tokens(chosen)
    access.add(token("later"), b"later")
    with reading(chosen):
        said(chosen, "cyd")
        os._exit(9)


class Steps:
    """Dies at one of them."""

    def __init__(self, left: int) -> None:
        self.left = left

    def dying(self, real: Callable[..., object]) -> Callable[..., object]:
        def step(*given: object, **named: object) -> object:
            if self.left == 0:
                os._exit(9)
            self.left -= 1
            return real(*given, **named)

        return step


def died(work: Callable[[], object]) -> bool:
    """In a process of its own."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(60)
    assert process.exitcode in (0, 9)
    return process.exitcode == 9


def _dies_at(step: int) -> None:
    steps = Steps(step)
    for name in ("copied", "copy_log", "made_durable", "sign_everybody_out", "_put", "_clear"):
        setattr(copying, name, steps.dying(getattr(copying, name)))
    for name in ("copy_log", "erase_again", "begin"):
        setattr(restoring, name, steps.dying(getattr(restoring, name)))
    real = pathlib.Path.replace
    whole = steps.dying(real)
    pathlib.Path.replace = lambda path, to: (whole if path.parent.name in ("backups", "keys") else real)(path, to)


def test_killed_at_any_step_a_backup_is_none_and_the_next_leaves_nothing_of_it(
    chosen: Settings, tmp_path: Path
) -> None:
    folder, now = tmp_path / "backups", datetime.now(UTC).replace(microsecond=0)
    for step in range(99):
        at = now + timedelta(seconds=step)

        def work(step: int = step, at: datetime = at) -> None:
            _dies_at(step)
            back_up(chosen.folder / STORE_FILE, folder, folder / "keys", at, secrets=SECRETS, logs=("log",))

        is_over = not died(work)
        for made in backups_in(folder):
            assert {path.name for path in made.path.iterdir()} == {STORE_FILE, "log", *SECRETS, *copying.BESIDE}
        if is_over:
            break
    assert step > 8
    assert [path for path in folder.rglob("*") if ".new" in path.name] == []
    lost(chosen)
    back(tmp_path, chosen)


def test_killed_at_any_step_a_restore_shows_nobody_who_was_erased_and_can_be_begun_again(
    chosen: Settings, tmp_path: Path
) -> None:
    folder, public, own = tmp_path / "backups", tmp_path / "public", chosen.folder / "log"
    backup(folder, chosen, keys=None, as_json=True)
    erased(chosen, "ann")
    shutil.copytree(own, public)
    lost(chosen)
    for step in range(99):

        def work(step: int = step) -> None:
            _dies_at(step)
            restore(Wanted(folder=folder, log=None if own.exists() else public), chosen)

        is_over = not died(work)
        if (chosen.folder / STORE_FILE).exists():
            assert names(chosen) == ["bob"]
            break
        assert not is_over
    assert step > 3
