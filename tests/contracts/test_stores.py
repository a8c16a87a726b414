"""Every store keeps the one contract."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from comity.model.ids import MessageId
from comity.ports import OvertakenError, Store, StoreError, Write
from comity.stores.memory import MemoryStore
from comity.stores.sqlite import SqliteStore
from comity.testing.store_values import decided, taken
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

    def test_an_append_that_fails_half_way_undoes_what_was_to_be_kept_with_it(self) -> None:
        store = self.store()
        store.append(Write(size=0, position=0, messages=[taken("one")]))
        with pytest.raises(StoreError, match="nothing of it was kept"):
            append_what_is_known_after_another(store)
        assert store.size == 0
        store.append(Write(size=0, position=0, messages=[taken("two", author="bob")]))
        assert len(self.reopened(store).answers("s", [MessageId("one"), MessageId("two")])) == 2

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

    def test_a_store_of_the_third_format_finds_its_entries_still(self) -> None:
        ids, store = [f"{number:032x}" for number in range(3)], self.store()
        entries = [f'{{"at":"2026","id":"{each}","t":"statement","v":1}}'.encode() for each in ids]
        store.append(Write(size=0, position=0, facts=[decided("ann", each) for each in ids], entries=entries))
        store.close()
        database = apsw.Connection(str(self.path))
        database.execute(
            "create index entries_by_id on entries (substr(body, instr(body, x'226964223a22') + 6, 32));"
            " alter table ids drop column entry; pragma user_version = 3"
        )
        database.close()
        store = SqliteStore(self.path, writes=False)
        assert [store.entry_index(each) for each in ids] == [0, 1, 2]
        assert [store.account_of(each) for each in ids] == ["ann"] * 3
        store.close()

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


def append_what_is_known_after_another(store: Store) -> None:
    with store.together():
        store.append(Write(size=0, position=0, messages=[taken("two", author="bob")], entries=[b"two"]))
        with pytest.raises(OvertakenError, match="taken into"):
            store.append(Write(size=1, position=0, messages=[taken("one")]))
