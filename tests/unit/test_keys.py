"""The keys that sign a ledger: replaced while both sign, kept by a command, and never where others can read them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from test_backup import RULES, record, verified

from comity.app import keys
from comity.app.errors import Exit, StopError
from comity.app.publish import publish
from comity.app.settings import Settings, settings
from comity.app.signing import SigningCommand, keys_in, new_key, write_keys
from comity.app.wiring import opened, reading
from comity.ledger.keyring import Keyring
from comity.ledger.log import CHECKPOINT_PATH
from comity.ledger.note import NoteError, Signature, SigningKey, parse_note
from comity.ledger.verify import verify
from comity.stores.log_folder import LogFolder

ORIGIN = "log.example.org/rules"
OUTSIDE = SigningKey(name=ORIGIN, seed=b"o" * 32)
SIGN = """
import sys
from comity.ledger.note import Signature, SigningKey
key, text = SigningKey(name={name!r}, seed={seed!r}), sys.stdin.buffer.read()
sys.stdout.write(str(Signature(name=key.name, key_id=key.key_id, content=key.sign(text))))
"""


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    made = settings({"store.folder": str(tmp_path / "record"), "ledger.origin": ORIGIN})
    published(made, "One")
    return made


def published(chosen: Settings, title: str) -> None:
    path = chosen.folder.parent / "rules.md"
    path.write_text(RULES.replace("title: Rules", f"title: {title}"), encoding="utf-8")
    publish(path, chosen, effective=None, replay=False)


def signed_by(chosen: Settings) -> list[bytes]:
    return [one.key_id for one in parse_note(checkpoint(chosen)).signatures]


def checkpoint(chosen: Settings) -> bytes:
    return LogFolder(chosen.folder / "log").checkpoint() or b""


def key_of(chosen: Settings, n: int) -> SigningKey:
    return keys_in(chosen.folder / "ledger.key", lambda: new_key(ORIGIN), is_new=False)[n]


def vkey(chosen: Settings) -> str:
    return (chosen.folder / "log" / "vkey").read_text(encoding="utf-8").strip()


def verified_with(chosen: Settings, key: SigningKey) -> bool:
    return verify(LogFolder(chosen.folder / "log").read, str(key.verifier)).is_fine


def test_while_a_key_is_replaced_both_sign_and_either_verifies(chosen: Settings) -> None:
    assert keys.rotate(chosen) == Exit.FINE
    old, new = key_of(chosen, 0), key_of(chosen, 1)
    assert signed_by(chosen) == [old.key_id, new.key_id]
    assert vkey(chosen) == str(old.verifier)
    published(chosen, "Two")
    assert signed_by(chosen) == [old.key_id, new.key_id]
    assert verified_with(chosen, old)
    assert verified_with(chosen, new)
    assert verified(chosen).counts["key"] == 1


def test_once_it_is_retired_the_new_key_signs_alone_and_is_the_published_one(chosen: Settings) -> None:
    keys.rotate(chosen)
    old, new = key_of(chosen, 0), key_of(chosen, 1)
    assert keys.retire(chosen) == Exit.FINE
    published(chosen, "Two")
    assert signed_by(chosen) == [new.key_id]
    assert vkey(chosen) == str(new.verifier)
    assert verified(chosen).is_fine
    assert not verified_with(chosen, old)
    assert str(old.encode()) not in (chosen.folder / "ledger.key").read_text(encoding="ascii")
    assert keys.rotate(chosen) == Exit.FINE


def test_a_key_that_the_ledger_does_not_name_yet_is_entered_by_the_next_try(chosen: Settings) -> None:
    new = new_key(ORIGIN)
    write_keys(chosen.folder / "ledger.key", [key_of(chosen, 0), new])  # the program died before the entry
    with pytest.raises(StopError, match="no older key"):
        keys.retire(chosen)
    assert keys.rotate(chosen) == Exit.FINE
    assert key_of(chosen, 1) == new
    assert verified_with(chosen, new)


def test_a_retirement_that_was_cut_short_is_finished_and_never_keeps_the_old_key(chosen: Settings) -> None:
    keys.rotate(chosen)
    new = key_of(chosen, 1)
    LogFolder(chosen.folder / "log").exchange_vkey(new.verifier)  # the program died before the file
    published(chosen, "Two")
    assert keys.retire(chosen) == Exit.FINE
    assert key_of(chosen, 0) == new
    assert vkey(chosen) == str(new.verifier)


def test_there_are_never_more_than_two_keys_and_never_none(chosen: Settings) -> None:
    with pytest.raises(StopError, match="no older key"):
        keys.retire(chosen)
    keys.rotate(chosen)
    with pytest.raises(StopError, match="two keys sign already"):
        keys.rotate(chosen)
    keys.retire(chosen)
    with pytest.raises(StopError, match="no older key"):
        keys.retire(chosen)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
@pytest.mark.parametrize("name", ["ledger.key", "history.key", "keys.db"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_secret_that_others_may_read_is_refused_and_the_mend_is_said(chosen: Settings, name: str, mode: int) -> None:
    path = chosen.folder / name
    path.chmod(mode)
    with pytest.raises(StopError, match=r"read or written by others") as stop:
        published(chosen, "Two")
    assert f"chmod 600 {path}" in f"{stop.value} {stop.value.help}"
    path.chmod(0o600)
    published(chosen, "Two")


def with_command(chosen: Settings, script: str, key: SigningKey = OUTSIDE) -> Settings:
    path = chosen.folder.parent / "sign.py"
    path.write_text(script.format(name=key.name, seed=key.seed), encoding="utf-8")
    flags = {"store.folder": str(chosen.folder), "ledger.origin": ORIGIN, "ledger.key": str(OUTSIDE.verifier)}
    return settings({**flags, "ledger.sign": f"{sys.executable} '{path}'"})


def test_a_command_can_sign_from_the_beginning_and_no_key_is_made(tmp_path: Path) -> None:
    made = with_command(record(tmp_path / "record"), SIGN)
    published(made, "One")
    assert not (made.folder / "ledger.key").exists()
    assert signed_by(made) == [OUTSIDE.key_id]
    assert verified_with(made, OUTSIDE)


def test_a_command_takes_the_place_of_a_file_and_a_file_that_of_a_command(chosen: Settings) -> None:
    other = with_command(chosen, SIGN)
    first = key_of(chosen, 0)
    assert keys.rotate(other) == Exit.FINE
    assert signed_by(other) == [first.key_id, OUTSIDE.key_id]
    assert keys.retire(other) == Exit.FINE
    assert not (other.folder / "ledger.key").exists()
    published(other, "Two")
    assert signed_by(other) == [OUTSIDE.key_id]
    assert keys.rotate(other) == Exit.FINE
    assert keys.retire(other) == Exit.FINE
    published(chosen, "Three")  # without the command
    assert signed_by(chosen) == [key_of(chosen, 0).key_id]
    assert verified(chosen).is_fine


WRONG = {
    "another text": (SIGN.replace("sys.stdin.buffer.read()", "b'something else'"), "does not fit the text"),
    "another key": (SIGN.replace("seed={seed!r}", "seed=b'x' * 32"), "not with the configured key"),
    "another name": (SIGN.replace("name={name!r}", "name='other'"), "not with the configured key"),
    "nothing": ("", "is not an em dash"),
    "two lines": (SIGN + SIGN, "base64"),
    "too much": ("print('x' * 20_000)", "20001 bytes"),
    "an error": ("import sys\nsys.exit('no card in the reader')", "exit code 1: no card in the reader"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_command_that_answers_wrongly_is_refused_before_anything_is_recorded(tmp_path: Path, what: str) -> None:
    script, problem = WRONG[what]
    made = with_command(record(tmp_path / "record"), SIGN)
    published(made, "One")
    before = checkpoint(made)
    wrong = with_command(made, script)
    with pytest.raises(StopError, match=problem):
        published(wrong, "Two")
    with reading(made) as store:
        assert (store.checkpoint, len(store.versions())) == (before, 1)
    published(with_command(made, SIGN), "Two")


def test_a_command_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    slow = (sys.executable, "-c", "import sys; sys.stdin.read(); __import__('threading').Event().wait()")
    with pytest.raises(NoteError, match=r"within 0\.2 seconds"):
        SigningCommand(verifier=OUTSIDE.verifier, command=slow, seconds=0.2).sign(b"text\n")
    with pytest.raises(NoteError, match="cannot be run"):
        SigningCommand(verifier=OUTSIDE.verifier, command=(str(tmp_path / "none"),)).sign(b"text\n")


@pytest.mark.parametrize(("sign", "key"), [("sign", ""), ("", str(OUTSIDE.verifier)), ("sign '", "k"), ("sign", "k")])
def test_a_command_without_its_key_or_with_none_is_a_mistake_in_the_settings(
    tmp_path: Path, sign: str, key: str
) -> None:
    made = settings({"store.folder": str(tmp_path / "record"), "ledger.sign": sign, "ledger.key": key})
    with pytest.raises(StopError, match="cannot be signed") as stop:
        published(made, "One")
    assert stop.value.code == Exit.USAGE


def test_keys_of_another_log_do_not_sign_this_one() -> None:
    other = SigningKey(name="other", seed=bytes(32))
    with pytest.raises(NoteError, match="all its name"):
        Keyring(signers=(OUTSIDE, other))
    with pytest.raises(NoteError, match="twice"):
        Keyring(signers=(OUTSIDE, OUTSIDE))


def test_a_signature_of_a_kind_that_is_still_to_come_changes_nothing(chosen: Settings) -> None:
    signed = checkpoint(chosen)
    ml_dsa = Signature(name=ORIGIN, key_id=b"\x06\x07\x08\x09", content=b"\x06" * 2420)
    path = chosen.folder / "log" / CHECKPOINT_PATH
    path.write_bytes(signed + str(ml_dsa).encode())
    assert verified(chosen).is_fine
    published(chosen, "Two")
    with opened(chosen) as kept:
        assert len(kept.keys.signers) == 1
    assert verified(chosen).is_fine
