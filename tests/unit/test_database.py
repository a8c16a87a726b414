"""Rows that are inserted or read several at once are as if it had been done with one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import apsw
import msgspec
import pytest

from comity.ports import StoreError
from comity.stores.database import Database, opened

TABLE = "create table some (seq integer primary key, name text unique, size integer) strict;"
INSERT = "insert into some (name, size) values (?, ?)"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with closing(opened(tmp_path / "some.db", 1, TABLE)) as made:
        yield made


def put(db: Database, statement: str, count: int) -> None:
    with db.transaction():
        db.executemany(statement, [(f"{number}", number) for number in range(count)])


def stored(db: Database) -> list[tuple[int, str, int]]:
    return list(db.rows(tuple[int, str, int], "select seq, name, size from some order by seq"))


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 15, 16, 63, 64, 65, 100, 301])
def test_all_rows_are_inserted_and_read_in_their_order_however_many_they_are(db: Database, count: int) -> None:
    put(db, INSERT, count)
    assert stored(db) == [(number + 1, f"{number}", number) for number in range(count)]


@pytest.mark.parametrize("damaged", [1, 100, 101])
def test_a_row_of_another_type_than_its_place_is_not_read(db: Database, damaged: int) -> None:
    put(db, INSERT, 150)
    db.execute("update some set size = null where seq = ?", damaged)
    with pytest.raises(msgspec.ValidationError):
        stored(db)


@pytest.mark.parametrize("known", [0, 40, 70, 99])
def test_a_row_that_is_known_undoes_the_transaction_with_all_rows_before_it(db: Database, known: int) -> None:
    db.execute(INSERT, f"{known}", -1)
    before = stored(db)
    with pytest.raises(apsw.ConstraintError):
        put(db, INSERT, 100)
    assert stored(db) == before


def test_of_a_transaction_of_which_a_part_failed_nothing_is_kept_whatever_follows(db: Database) -> None:
    with pytest.raises(StoreError, match="nothing of it was kept"):
        go_on_after_a_part_failed(db)
    assert stored(db) == []
    with db.transaction(), db.part():
        db.execute(INSERT, "anew", 1)
    assert stored(db) == [(1, "anew", 1)]


def go_on_after_a_part_failed(db: Database) -> None:
    with db.transaction():
        db.execute(INSERT, "before", 1)
        with suppress(ZeroDivisionError), db.part():
            db.execute(INSERT, "in it", 2)
            raise ZeroDivisionError
        with db.part():
            db.execute(INSERT, "after", 3)


def test_what_a_statement_does_about_rows_that_are_known_it_does_for_each(db: Database) -> None:
    put(db, INSERT, 50)
    db.execute("update some set size = -1 where seq % 2")
    put(db, f"{INSERT} on conflict (name) do nothing", 100)
    assert [size for _, _, size in stored(db)] == [-1 if n % 2 == 0 else n for n in range(50)] + list(range(50, 100))
    put(db, "insert or replace into some (name, size) values (?, ?)", 100)
    assert [size for _, _, size in stored(db)] == list(range(100))
    with db.transaction():
        db.executemany("delete from some where name = ?", [(f"{number}",) for number in range(0, 100, 2)])
    assert [size for _, _, size in stored(db)] == list(range(1, 100, 2))
