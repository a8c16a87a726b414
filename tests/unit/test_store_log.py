"""The write-ahead log ends also while somebody always reads."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from comity.stores import database
from comity.stores.database import Database, opened

PAGE = 4096
AT_ONCE = 20
"""Pages that are written together, about."""


def reading(path: Path, ends: Event) -> None:
    """One reading after the other."""
    with closing(Database(path, creates=False)) as db:
        while not ends.is_set():
            assert len(list(db.rows(tuple[int], "select number from some"))) > 0


def test_the_log_ends_while_somebody_always_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_MOST_LOG_PAGES", 25)
    monkeypatch.setattr(database, "_LONG_LOG_PAGES", 100)
    path, ends = tmp_path / "some.db", Event()
    with closing(opened(path, 1, "create table some (number integer, content blob) strict;")) as db:
        db.execute("pragma synchronous = off")  # what is tried is no cut of power
        for number in range(500):
            db.execute("insert into some values (?, x'')", number)
        readers = [Thread(target=reading, args=(path, ends)) for _ in range(3)]
        for each in readers:
            each.start()
        try:
            for number in range(200):
                with db.transaction():
                    db.execute("insert into some values (?, zeroblob(?))", number, AT_ONCE * PAGE)
        finally:
            ends.set()
            for each in readers:
                each.join()
        assert (tmp_path / "some.db-wal").stat().st_size < 1_500 * PAGE
        assert db.number("select count(*) from some") == 700


def test_a_long_log_is_moved_into_the_file_at_leisure_or_by_a_commit_if_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_LOG_PAGES", 2 * AT_ONCE)
    monkeypatch.setattr(database, "_MOST_LOG_PAGES", 6 * AT_ONCE)
    path = tmp_path / "some.db"
    with closing(opened(path, 1, "create table some (number integer, content blob) strict;")) as db:

        def pages_after(groups: int) -> int:
            for number in range(groups):
                with db.transaction():
                    db.execute("insert into some values (?, zeroblob(?))", number, AT_ONCE * PAGE)
            return path.stat().st_size // PAGE

        few = pages_after(1)
        db.tidy()
        assert path.stat().st_size // PAGE == few < AT_ONCE
        assert pages_after(3) == few
        db.tidy()
        assert path.stat().st_size // PAGE >= 4 * AT_ONCE
        assert pages_after(7) >= 9 * AT_ONCE
