"""JSON Lines: one object a line, and what becomes of lines that are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from intake_reading import line, read, stored

from comity.intake.streams import RECORD_LIMIT

BAD = {
    "no JSON": b"{",
    "not an object": b"[1]",
    "a word": b"hello",
    "not UTF-8": b'{"text": "\xff"}',
    "a lone surrogate": rb'{"text": "\ud800"}',
    "a lone surrogate as a key": rb'{"\udc00": 1}',
    "a surrogate in UTF-8": b'{"text": "\xed\xa0\x80"}',
    "a raw control character": b'{"text": "\x00"}',
    "deep nesting": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "a huge number": b'{"reach": ' + b"9" * 5000 + b"}",
    "a huge exponent": b'{"reach": 1e999}',
    "not a number": b'{"reach": NaN}',
    "two objects": b"{} {}",
    "binary": bytes(range(128, 256)),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_bad_line_is_rejected_with_its_number_and_stops_nothing(bad: bytes, tmp_path: Path) -> None:
    given = read(stored(tmp_path / "a.jsonl", line(id="1"), bad + b"\n", b"\n", line(id="2")))
    assert [message.id for message in given.messages] == ["1", "2"]
    [reject] = given.rejects
    assert (reject.place.number, str(reject.place)) == (2, f"{tmp_path / 'a.jsonl'}:2")
    assert reject.reason
    assert reject.mend
    assert reject.raw == bad[:8192]
    assert reject.is_cut == (len(bad) > 8192)


def test_rejects_come_in_the_order_of_their_lines(tmp_path: Path) -> None:
    given = read(stored(tmp_path / "a.jsonl", line(sent="x"), b"{\n", line(), line(sent="y"), b"[\n"))
    assert [reject.place.number for reject in given.rejects] == [1, 2, 4, 5]


def test_nul_is_a_character_like_any_other(tmp_path: Path) -> None:
    assert read(stored(tmp_path / "a.jsonl", line(text="a\0b"))).texts == ["a\0b"]


def test_empty_lines_windows_line_ends_a_mark_and_no_last_line_end_are_fine(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + line(id="1").replace(b"\n", b"\r\n") + b"\n  \n" + line(id="2").strip()
    given = read(stored(tmp_path / "a.jsonl", content))
    assert [message.id for message in given.messages] == ["1", "2"]
    assert not given.rejects


def test_an_empty_archive_is_no_problem(tmp_path: Path) -> None:
    given = read(stored(tmp_path / "a.jsonl"))
    assert (given.messages, given.rejects, given.problems) == ((), (), ())


def test_a_null_is_a_missing_value(tmp_path: Path) -> None:
    [message] = read(
        stored(tmp_path / "a.jsonl", line()[:-2] + b', "subject": null, "links": null, "reach": null}')
    ).messages
    assert (message.subject, message.links, message.reach) == ("", None, 0)


def test_an_array_is_no_list_of_lines(tmp_path: Path) -> None:
    [problem] = read(stored(tmp_path / "a.json", b"\n[" + line().strip() + b"]")).problems
    assert "array" in problem.what
    assert "jq -c" in problem.mend


def test_all_that_is_wrong_with_a_record_is_said_at_once(tmp_path: Path) -> None:
    [reject] = read(stored(tmp_path / "a.jsonl", line(id="", sent="x", reach=-1))).rejects
    assert "`id` is empty" in reject.reason
    assert "`sent` is no time: 'x'" in reject.reason
    assert "`reach` lies outside" in reject.reason


@pytest.mark.parametrize(
    ("key", "mend"),
    [
        ("ts", "say --map sent=ts"),
        ("Sent", "say --map sent=Sent"),
        ("sentt", "say --map sent=sentt"),
        ("zzz", "say --map sent=COLUMN; COLUMN is one of id, author, channel, text, zzz"),
    ],
)
def test_a_missing_value_names_the_nearest_key(key: str, mend: str, tmp_path: Path) -> None:
    [reject] = read(stored(tmp_path / "a.jsonl", line(sent=None, **{key: 0}))).rejects
    assert reject.reason == "`sent` is missing"
    assert reject.mend == mend


def test_a_null_where_a_value_must_be_is_not_mended_by_a_mapping(tmp_path: Path) -> None:
    [reject] = read(stored(tmp_path / "a.jsonl", line()[:-2].replace(b'"ada"', b"null") + b"}")).rejects
    assert "--map" not in reject.mend


def test_a_line_of_more_than_16_mib_is_rejected(tmp_path: Path) -> None:
    given = read(stored(tmp_path / "a.jsonl", line(), b'{"x": "' + b"x" * RECORD_LIMIT + b'"}\n', line(id="2")))
    assert len(given.messages) == 2
    assert "longer than 16,777,216 bytes" in given.reasons[0]


def test_a_text_of_10_mb_is_rejected_with_its_size(tmp_path: Path) -> None:
    [reject] = read(stored(tmp_path / "a.jsonl", line(text="x" * 10_000_000))).rejects
    assert "`text` is 10,000,000 bytes long; the limit is 1,048,576" in reject.reason
    assert len(reject.raw) == 8192


def test_of_a_key_given_twice_the_last_counts(tmp_path: Path) -> None:
    assert read(stored(tmp_path / "a.jsonl", line()[:-2] + b', "text": "later"}')).texts == ["later"]


def test_surrogate_pairs_are_one_character(tmp_path: Path) -> None:
    assert read(stored(tmp_path / "a.jsonl", line(text="😀"))).texts == ["😀"]
