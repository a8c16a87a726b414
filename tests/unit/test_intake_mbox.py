"""Mails in mbox files: where one ends, and what stands between them."""

from __future__ import annotations

import gzip
from pathlib import Path

from intake_reading import All, read, stored

FROM = b"From ada@a.example Sat Jan 31 12:00:00 2026\n"
MAIL = b"From: Ada <ada@a.example>\nDate: Sat, 31 Jan 2026 12:00:00 +0000\n\n"


def given(tmp_path: Path, content: bytes) -> All:
    return read(stored(tmp_path / "a.mbox", content))


def test_mails_are_parted_by_from_lines_after_empty_ones(tmp_path: Path) -> None:
    content = FROM + MAIL + b"one\n\n" + FROM + MAIL + b"two\nFrom here on Sat Jan 31 12:00:00 2026\n"
    assert given(tmp_path, content).texts == ["one", "two\nFrom here on Sat Jan 31 12:00:00 2026"]


def test_a_from_line_needs_a_time(tmp_path: Path) -> None:
    assert given(tmp_path, FROM + MAIL + b"one\n\nFrom now on\n").texts == ["one\n\nFrom now on"]


def test_quoted_from_lines_lose_one_bracket(tmp_path: Path) -> None:
    quoted = b"one\n\n>From x Sat Jan 31 12:00:00 2026\n>>From y\n>Fro\n"
    assert given(tmp_path, FROM + MAIL + quoted).texts == ["one\n\nFrom x Sat Jan 31 12:00:00 2026\n>From y\n>Fro"]


def test_windows_line_ends_are_fine(tmp_path: Path) -> None:
    content = (FROM + MAIL + b"one\n\n" + FROM + MAIL + b"two\n").replace(b"\n", b"\r\n")
    assert given(tmp_path, content).texts == ["one", "two"]


def test_a_from_line_gives_author_and_time_where_headers_do_not(tmp_path: Path) -> None:
    [message] = given(tmp_path, FROM + b"Subject: x\n\nhello\n").messages
    assert (message.author, message.sent.isoformat()) == ("ada@a.example", "2026-01-31T12:00:00+00:00")
    assert message.meta["sent_from"] == "received"


def test_a_bad_mail_is_rejected_with_its_line_and_stops_nothing(tmp_path: Path) -> None:
    nobody = b"From  Sat Jan 31 12:00:00 2026\n\nbody\n\n"
    read_ = given(tmp_path, FROM + MAIL + b"one\n\n" + nobody + FROM + MAIL + b"two\n")
    assert read_.texts == ["one", "two"]
    assert read_.rejects[0].place.number == 7
    assert "no author" in read_.reasons[0]


def test_text_before_the_first_mail_is_rejected(tmp_path: Path) -> None:
    read_ = given(tmp_path, b"\nnot a mail\n\n" + FROM + MAIL + b"one\n")
    assert read_.texts == ["one"]
    assert "before the first" in read_.reasons[0]
    assert given(tmp_path, b"\n\n" + FROM + MAIL + b"one\n").rejects == ()


def test_many_mails_in_a_compressed_file_are_read_in_batches(tmp_path: Path) -> None:
    content = b"".join(FROM + MAIL + b"%d\n\n" % number for number in range(300))
    assert read(stored(tmp_path / "a.mbox.gz", gzip.compress(content))).texts == [str(number) for number in range(300)]


def test_a_mail_that_is_too_long_is_rejected_and_the_next_is_read(tmp_path: Path) -> None:
    long = FROM + MAIL + b"x" * 999 + b"\n"
    many = long + (b"x" * 999 + b"\n") * 34_000 + b"\n"
    one_line = FROM + MAIL + b"x" * (17 << 20) + b"\n\n"
    read_ = given(tmp_path, many + one_line + FROM + MAIL + b"after\n")
    assert read_.texts == ["after"]
    assert ["longer than" in reason for reason in read_.reasons] == [True, True]


def test_constants_of_a_mapping_hold_for_mails_too(tmp_path: Path) -> None:
    file = stored(tmp_path / "a.mbox", FROM + MAIL + b"one\n")
    [message] = read(
        file, mapping={"label": "=spam", "channel": "=lists", "text": "body", "meta.folder": "=junk"}
    ).messages
    assert (message.label, message.channel, message.text, message.meta["folder"]) == ("spam", "lists", "one", "junk")


def test_one_mail_in_a_file_is_an_archive(tmp_path: Path) -> None:
    [message] = read(stored(tmp_path / "a.eml", MAIL + b"hello")).messages
    assert (message.text, message.source) == ("hello", "a.eml")
