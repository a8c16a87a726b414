"""Every store keeps the one contract."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from comity.ports import Store, StoreError
from comity.stores.memory import MemoryStore
from comity.stores.sqlite import SqliteStore
from comity.testing.stores import StoreContract


class TestMemoryStore(StoreContract):
    def store(self) -> Store:
        return MemoryStore()

    def reopened(self, store: Store) -> Store:
        return store


class TestSqliteStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "comity.db"

    def store(self) -> Store:
        return SqliteStore(self.path)

    def reopened(self, store: Store) -> Store:
        store.close()
        return SqliteStore(self.path)

    def test_two_writers_never_work_side_by_side(self) -> None:
        first = self.store()
        with pytest.raises(StoreError, match="in use by another program"):
            SqliteStore(self.path)
        SqliteStore(self.path, writes=False).close()
        first.close()
        SqliteStore(self.path).close()

    def test_a_file_that_is_no_store_is_refused_with_a_mend(self) -> None:
        self.path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
        with pytest.raises(StoreError, match="damaged or no Comity store"):
            SqliteStore(self.path)

    def test_a_store_of_a_newer_format_is_left_alone(self) -> None:
        self.store().close()
        database = apsw.Connection(str(self.path))
        database.execute("pragma user_version = 99")
        database.close()
        with pytest.raises(StoreError, match="newer Comity"):
            SqliteStore(self.path)

    def test_a_store_that_could_not_be_opened_gives_its_lock_back(self) -> None:
        self.path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
        with pytest.raises(StoreError, match="damaged") as refused:
            SqliteStore(self.path)
        self.path.unlink()
        SqliteStore(self.path).close()
        assert refused.value.__traceback__ is not None  # what failed is still held, as by a program that shows it

    def test_nobody_else_can_read_the_file(self) -> None:
        self.store().close()
        assert self.path.stat().st_mode & 0o077 == 0
