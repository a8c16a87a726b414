"""The reject file: one JSON object a reject, and no file without one."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

from intake_reading import line, read, stored

from comity.intake.reject_file import RejectFile


def test_rejects_are_kept_with_place_reason_mend_and_record(tmp_path: Path) -> None:
    given = read(stored(tmp_path / "a.jsonl", b'{"id": 1}\n', line(), b"\xff\xfe\n", b'"' + b"x" * 9000 + b"\n"))
    with RejectFile(tmp_path / "rejects.jsonl") as file:
        file.append(given.rejects[:1])
        file.append(given.rejects[1:])
        assert file.count == 3
    first, second, third = map(json.loads, (tmp_path / "rejects.jsonl").read_bytes().splitlines())
    assert first == {
        "archive": str(tmp_path / "a.jsonl"),
        "number": 1,
        "unit": "line",
        "reason": given.reasons[0],
        "mend": given.rejects[0].mend,
        "is_cut": False,
        "record": '{"id": 1}',
    }
    assert base64.b64decode(second["record_base64"]) == b"\xff\xfe"
    assert (third["is_cut"], len(third["record"])) == (True, 8192)


def test_without_rejects_there_is_no_file_and_an_old_one_is_left(tmp_path: Path) -> None:
    with RejectFile(tmp_path / "rejects.jsonl") as file:
        file.append(())
    assert not (tmp_path / "rejects.jsonl").exists()


def test_a_new_run_replaces_the_rejects_of_the_last(tmp_path: Path) -> None:
    given = read(stored(tmp_path / "a.jsonl", b"{\n", line()))
    for _ in range(2):
        with RejectFile(tmp_path / "rejects.jsonl") as file:
            file.append(given.rejects)
    assert len((tmp_path / "rejects.jsonl").read_bytes().splitlines()) == 1


def test_what_people_wrote_is_for_the_owner_alone(tmp_path: Path) -> None:
    given = read(stored(tmp_path / "a.jsonl", b"{\n"))
    with RejectFile(tmp_path / "rejects.jsonl") as file:
        file.append(given.rejects)
    assert stat.S_IMODE((tmp_path / "rejects.jsonl").stat().st_mode) == 0o600


def test_a_record_cut_inside_a_character_is_still_text(tmp_path: Path) -> None:
    given = read(stored(tmp_path / "a.jsonl", line(text="é" * 9000, sent=None).decode("unicode_escape").encode()))
    with RejectFile(tmp_path / "rejects.jsonl") as file:
        file.append(given.rejects)
    assert "record" in json.loads((tmp_path / "rejects.jsonl").read_bytes())
